"""Endpoints that answer the same to everybody and ask no database."""

FILES = ("static", "styles")
