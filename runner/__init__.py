"""The runner: one process on one bot's machine. It imports nothing of the platform."""

__version__ = "0.1.0"
