"""Addresses for letters: they begin with the configured base, never with the host of a request."""

from flask import url_for

from app import current


def reset(token: str) -> str:
    """Where a new password is set."""
    return _absolute("recovery.reset", token)


def verify(token: str) -> str:
    """Where an address is confirmed."""
    return _absolute("mailbox.verify", token)


def change_email(token: str) -> str:
    """Where a new address is confirmed."""
    return _absolute("mailbox.change", token)


def undo_email(token: str) -> str:
    """Where a change of address is taken back."""
    return _absolute("mailbox.undo", token)


def invitation(token: str) -> str:
    """Where an invitation is answered."""
    return _absolute("invited.show", token)


def subscribe(token: str) -> str:
    """Where a subscription to incidents is confirmed."""
    return _absolute("status_letters.confirm", token)


def billing_contact(token: str) -> str:
    """Where an address agrees to be told of costs."""
    return _absolute("billing_letters.confirm", token)


def contact(token: str) -> str:
    """Where what was written at the door is sent."""
    return _absolute("contact.show", token)


def sign_in() -> str:
    """Where people sign in."""
    return current.config().base_url + url_for("auth.sign_in")


def _absolute(endpoint: str, token: str) -> str:
    return current.config().base_url + url_for(endpoint, token=token)
