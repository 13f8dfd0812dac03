"""Certification: reports that vouch for an exchange, whose they are, and those made here."""
