"""Trades of a workspace: finding them, looking at one, writing about it, taking them out."""
