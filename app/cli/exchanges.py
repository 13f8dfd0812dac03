"""The reference of exchanges, ``docs/exchanges.md``, drawn from the capability table.

``python -m app.cli exchanges > docs/exchanges.md``
"""

from app.domain.venues import facts, listed
from runner.capabilities import CLOSED

_OPENING = """# Exchanges

What plutarc trades where. This page is drawn from the capability table (`runner/capabilities`) by
`python -m app.cli exchanges`; a test compares the two. Forms, checks and adapters go by the same
table. How each exchange is spoken to stands in docs/venues.md.
"""


def reference() -> str:
    """The page."""
    parts = [_OPENING]
    for venue in listed({}).values():
        parts += [f"## {venue.title}", "", f"`{venue.id}`", ""]
        parts += [f"- **{name}**: {fact}" for name, fact in facts.told(venue).items()]
        parts.append("")
    parts += ["## Closed", ""]
    parts += [f"- {row.title} (`{row.exchange}`) closed on {row.since}." for row in CLOSED]
    return "\n".join(parts) + "\n"
