"""Shells for the queues, and the processes that run them."""
