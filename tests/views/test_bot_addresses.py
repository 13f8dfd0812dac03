"""The history of a bot's address on its page."""

import csv
import io
from datetime import UTC, datetime, timedelta

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


def file_of(person, bot, status=200):
    person.get(f"{bot}/addresses.csv", status)
    return list(csv.DictReader(io.StringIO(person.response.get_data(as_text=True))))


def test_the_file_has_all_of_it_newest_first_and_calculates_nothing(house, viewer, story):
    bot_id, now = story.bot.rpartition("/")[2], datetime.now(UTC)
    with site.rows(house):
        row = db.session.get_one(BotAddress, bot_id)
        for number in range(120):
            at = now + timedelta(seconds=number)
            addresses.note(row, AddressEventKind.SEEN_BY_GATE, row.ip, at, generation=number + 1)
        addresses.note(row, AddressEventKind.LOST, row.ip, at, ok=False, detail="=1+1")
        ip = row.ip
    assert "All of it as CSV" in viewer.get(f"{story.bot}/history").text
    rows = file_of(viewer, story.bot)
    assert 'filename="addresses-' in viewer.response.headers["Content-Disposition"]
    seen = [
        row for row in rows if row["event"] == "seen_by_gate" and row["at_utc"] >= now.isoformat()
    ]
    assert [int(row["generation"]) for row in seen] == list(range(120, 0, -1))
    assert {(row["address"], row["as_it_should_be"]) for row in seen} == {(ip, "yes")}
    (lost,) = (row for row in rows if row["note"] == "'=1+1")
    assert (lost["event"], lost["as_it_should_be"], lost["generation"]) == ("lost", "no", "")


def test_without_an_address_the_file_has_its_heads_alone(viewer, desk):
    assert file_of(viewer, desk.resting) == []
    assert "at_utc,address,event" in viewer.response.get_data(as_text=True)
