from pathlib import Path

from app.cli import exchanges
from app.domain.venues import listed


def test_the_page_is_what_the_table_says():
    told = Path("docs/exchanges.md").read_text()
    assert told == exchanges.reference(), "run: python -m app.cli exchanges > docs/exchanges.md"


def test_every_exchange_and_those_that_closed_stand_on_it():
    told = exchanges.reference()
    for venue in listed({}).values():
        assert f"## {venue.title}\n\n`{venue.id}`\n" in told
    assert "BitMEX (`bitmex`) closed on 2026-09-23." in told
