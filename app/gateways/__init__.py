"""Every door to the outside: a Protocol, the real thing, and one that records."""
