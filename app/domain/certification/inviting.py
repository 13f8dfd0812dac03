"""What somebody who can prove an exchange finds written already when they write to us."""

from app.domain.venues import VENUES


def subject(exchange: str) -> str:
    """The subject of their letter; empty if there is no such exchange."""
    venue = VENUES.get(exchange)
    return f"I can prove {venue.title}" if venue else ""


def body(exchange: str) -> str:
    """What to say in it."""
    venue = VENUES.get(exchange)
    if venue is None:
        return ""
    return (
        f"I can reach the test environment of {venue.title} and would like to certify it.\n\n"
        "What I would need, or the report and the public key I signed it with:\n"
    )
