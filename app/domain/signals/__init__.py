"""Signals from outside: the webhook of a bot, what comes in there, and what becomes of it."""
