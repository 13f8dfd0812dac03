"""Certification: the runner's own parts prove themselves at a venue, by somebody's test key."""
