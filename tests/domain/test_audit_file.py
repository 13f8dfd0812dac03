"""An exported log proves itself, and every way to falsify it is found by the file alone."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import audit_chain, audit_file
from app.domain.audit_chain import Anchor
from app.domain.audit_file import Header, NotAnExport
from runner.protocol import to_plain

CHAIN = "ws_harbour"
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FIRST_SCHEMA = {
    "schema": 1,
    "recorded_at": None,
    "session_id": None,
    "method": "",
    "source": "",
    "route": "",
    "user_agent": "",
    "correlation_id": None,
    "release": "",
}


def event(seq, previous, **changes):
    made = {
        "seq": seq,
        "id": f"evt_{seq}",
        "workspace_id": CHAIN,
        "occurred_at": to_plain(START + timedelta(seconds=seq, microseconds=seq)),
        "recorded_at": to_plain(START + timedelta(seconds=seq, microseconds=seq + 9)),
        "action": "bot.configure",
        "outcome": "success",
        "actor_kind": "user",
        "actor_id": "usr_a",
        "actor_label": "Zoë <zoe@example.com>",
        "on_behalf_of": "",
        "session_id": "ses_a",
        "method": "password",
        "source": "web",
        "route": "/w/<workspace>/bots/<bot_id>/edit",
        "target_id": None,
        "target_label": f"bot {seq}",
        "changes": [{"field": "limit", "before": "1.50", "after": None}],
        "reason": "",
        "ip": "192.0.2.1",
        "user_agent": "Chrome",
        "request_id": None,
        "correlation_id": "run_a",
        "schema": 2,
        "release": "0.1.0",
        "salt": f"{seq:032x}",
    } | changes
    made |= {"payload_hash": audit_chain.payload_hash(made), "previous_hash": previous}
    return made | {"hash": audit_chain.link_hash(CHAIN, made)}


def chain(count, **changes):
    made, previous = [], audit_chain.GENESIS
    for seq in range(1, count + 1):
        made.append(event(seq, previous, **changes))
        previous = made[-1]["hash"]
    return made


def export(events, **changes):
    head = {
        "chain": CHAIN,
        "workspace": "Harbour Desk",
        "count": sum("action" in item for item in events),
        "last": events[-1]["seq"] if events else 0,
        "head": events[-1]["hash"] if events else audit_chain.GENESIS,
        "made_at": START,
    }
    return [audit_file.header_line(Header(**head | changes)), *map(audit_file.line, events)]


def found(lines, *anchors):
    finding = audit_file.verify(lines, anchors)
    return finding.problem and finding.problem.kind, finding.sound_up_to


def altered(text, **changes):
    return audit_file.line(json.loads(text) | changes)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_an_untouched_file_verifies(count):
    events = chain(count)
    finding = audit_file.verify(export(events))
    assert finding.sound
    assert (finding.chain, finding.sound_up_to) == (CHAIN, count)
    assert finding.head == (events[-1]["hash"] if events else audit_chain.GENESIS)


OF_THE_FIRST_RELEASE = "6adfd0fcdc1e7a328f361f7e78f4ecf32b8a364f314f817b89a047278c840057"
OTHER = {"seq": 4.0, "outcome": "denied", "changes": [], "schema": 1, "salt": "f" * 32}


@pytest.mark.parametrize("field", audit_chain.FIELDS)
def test_no_field_can_be_edited(field):
    lines = export(chain(6))
    lines[4] = altered(lines[4], **{field: OTHER.get(field, "something else")})
    assert found(lines) == ("edited", 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_character_can_be_changed(data):
    lines = export(chain(4))
    number = data.draw(st.integers(1, 4))
    text = lines[number]
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda it: it != text[place]))
    lines[number] = text[:place] + other + text[place + 1 :]
    kind, sound = found(lines)
    assert kind is not None
    assert sound == number - 1


@pytest.mark.parametrize("gone", [1, 3, 6])
def test_a_missing_event_is_called_missing(gone):
    lines = export(chain(6))
    del lines[gone]
    assert found(lines) == ("missing", gone - 1)


def test_a_shortened_file_is_called_missing():
    lines = export(chain(6))
    assert found(lines[:4]) == ("missing", 3)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 5), (5, 6)])
def test_events_out_of_order_are_called_reordered(first, second):
    lines = export(chain(6))
    lines[first], lines[second] = lines[second], lines[first]
    assert found(lines) == ("reordered", first - 1)


def test_an_event_that_stands_twice_is_found():
    lines = export(chain(3))
    kind, sound = found([*lines[:3], lines[2], lines[3]])
    assert (kind, sound) == ("reordered", 2)


def test_an_event_hashed_anew_does_not_fit_its_successor():
    events = chain(6)
    events[2] = event(3, events[1]["hash"], target_label="another bot")
    assert found(export(events)) == ("edited", 3)


def rechained():
    """A whole chain written anew, sound in itself."""
    return chain(6, actor_label="somebody else")


def test_a_chain_written_anew_does_not_fit_the_header_it_came_with():
    true = chain(6)
    assert found(export(rechained(), head=true[-1]["hash"])) == ("edited", 5)


def test_a_chain_written_anew_with_its_header_is_found_by_an_anchor():
    true = chain(6)
    lines = export(rechained())
    assert found(lines) == (None, 6), "by itself it is a sound chain"
    assert found(lines, Anchor(4, true[3]["hash"])) == ("re-chained", 3)
    assert found(export(true), Anchor(4, true[3]["hash"])) == (None, 6)


def test_an_anchor_beyond_the_end_means_that_events_are_missing():
    true = chain(6)
    assert found(export(true[:5]), Anchor(6, true[5]["hash"])) == ("missing", 5)


def test_more_or_fewer_events_than_the_header_says():
    assert found(export(chain(5), count=4))[0] == "edited"
    assert found(export(chain(5), count=6))[0] == "missing"
    assert found(export(chain(5), last=4))[0] == "edited"


def test_another_chain_under_this_header():
    lines = export(chain(3), chain="ws_other")
    assert found(lines) == ("edited", 0)


@pytest.mark.parametrize(
    "first",
    ["", "\n", "[]", "{}", "rubbish", '{"format":"plutarc audit 2"}', "[" * 100_000, "\x00"],
)
def test_what_is_no_export_is_refused(first):
    with pytest.raises(NotAnExport):
        audit_file.verify([first])


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_rubbish_among_the_events_is_an_edit(rubbish):
    lines = export(chain(2))
    assert found([*lines[:2], rubbish, *lines[2:]]) == ("edited", 1)


def test_a_filtered_file_verifies_by_its_stubs():
    events = chain(9)
    shown = [item if item["seq"] in (2, 7) else audit_file.stub(item) for item in events]
    finding = audit_file.verify(export(shown, filter="action bot.*"))
    assert finding.sound
    assert (finding.whole, finding.stubs) == (2, 7)
    assert "bot 3" not in "".join(export(shown))


@pytest.mark.parametrize("place", [3, 7])
def test_neither_a_stub_nor_what_stands_between_stubs_can_be_changed(place):
    events = chain(9)
    shown = [item if item["seq"] == 7 else audit_file.stub(item) for item in events]
    field = "target_label" if place == 7 else "payload_hash"
    lines = export(shown)
    lines[place] = altered(lines[place], **{field: "f" * 64})
    assert found(lines) == ("edited", place - 1)
    assert found([*export(shown)[:place], *export(shown)[place + 1 :]])[0] == "missing"


def test_an_event_cannot_be_passed_off_as_filtered_out():
    events = chain(4)
    lines = export([*events[:2], audit_file.stub(events[2]), events[3]], count=4)
    assert found(lines)[0] == "missing"


def test_events_of_the_first_release_still_verify():
    old = chain(3, **FIRST_SCHEMA)
    assert found(export(old)) == (None, 3)
    assert old[0]["payload_hash"] == OF_THE_FIRST_RELEASE


@pytest.mark.parametrize("field", sorted(FIRST_SCHEMA.keys() - {"schema"}))
def test_an_old_event_cannot_be_given_what_its_hash_did_not_cover(field):
    lines = export(chain(3, **FIRST_SCHEMA))
    lines[2] = altered(lines[2], **{field: "something"})
    assert found(lines) == ("edited", 1)


def test_a_file_may_not_begin_later_than_the_chain():
    events = chain(6)
    assert found(export(events[3:])) == ("missing", 0)
