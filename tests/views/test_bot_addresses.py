"""The history of a bot's address on its page."""

from datetime import UTC, datetime

from app.domain import addresses
from app.extensions import db
from app.models import AddressEventKind, BotAddress, Machine
from tests import site


def test_a_viewer_reads_where_the_address_was_seen_and_what_was_wrong(house, viewer, story):
    bot_id, now = story.bot.rpartition("/")[2], datetime.now(UTC)
    with site.rows(house):
        row = db.session.get_one(BotAddress, bot_id)
        machine = db.session.scalars(db.select(Machine).where(Machine.bot_id == bot_id)).one()
        addresses.note(row, AddressEventKind.RESERVED, row.ip, now)
        addresses.attached(machine, now)
        addresses.seen(machine, AddressEventKind.SEEN_BY_GATE, machine.ip, now)
        addresses.seen(machine, AddressEventKind.SEEN_BY_VENUE, "198.51.100.7", now)
        addresses.lost(row, "the cloud has none", now)
    text = viewer.get(f"{story.bot}/history").text
    assert "seen by the platform" in text
    assert "198.51.100.7" in text
    assert "the cloud has none" in text


def test_a_bot_without_one_says_so(viewer, desk):
    assert "No address is reserved for it yet." in viewer.get(f"{desk.resting}/history").text
