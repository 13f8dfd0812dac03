"""What each venue answers where only the request matters: its rules, and "taken on"."""

import importlib

CLIENT_ID = "pl0123456789abcdef0123456789abcd"


def answer_of(exchange):
    """The answer to each request, by the module of the exchange."""
    return importlib.import_module(f"tests.runner.exchange.answers.{exchange}").answer
