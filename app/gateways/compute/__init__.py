"""Doors to machines and addresses."""
