"""Forms: shape and wording of what is typed. The rules stay in the domain."""
