"""The address of a bot: its history, who saw it where, and what a wrong one leads to."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import addresses, bots, fleet_alarms
from app.domain.errors import Misplaced, NotAllowed
from app.extensions import db
from app.models import AddressEvent, AddressEventKind, AlarmKind, Phase
from runner.protocol import Check, Event, EventKind, PositionState, Preflight, Sync, to_plain
from tests.domain.test_fleet import Life
from tests.factories import TESTER

RESERVED, ATTACHED = AddressEventKind.RESERVED, AddressEventKind.ATTACHED
GATE, VENUE = AddressEventKind.SEEN_BY_GATE, AddressEventKind.SEEN_BY_VENUE
ELSEWHERE = "198.51.100.7"


@pytest.fixture
def life(app, keys):
    return Life(keys)


def lines(life):
    """Its history, oldest first."""
    query = select(AddressEvent).where(AddressEvent.bot_id == life.bot.id)
    found = db.session.scalars(query.order_by(AddressEvent.at)).all()
    return [(it.kind, it.generation, it.ip, it.ok) for it in found]


def ringing():
    return [it.kind for it in fleet_alarms.open_alarms()]


def tell(life, seen):
    """The runner tells what the venue saw."""
    from app.domain import runners

    good = seen in (None, life.machine.ip)
    data = Preflight(good, (Check("address", good if seen else None, ""),), seen)
    event = Event(life.machine.ack_seq + 1, life.now, EventKind.PREFLIGHT, to_plain(data))
    message = Sync(life.claim_id, life.now, (event,), PositionState.FLAT, 0, drained=False)
    runners.sync(message, now=life.now)
    db.session.commit()


def test_a_life_is_told_from_reservation_to_release(life):
    life.wake()
    ip = life.machine.ip
    life.pass_time(seconds=1)
    tell(life, ip)
    tell(life, ip)
    life.claim(boot="boot-2")
    first = [(RESERVED, None, ip, True), (ATTACHED, 1, ip, True), (GATE, 1, ip, True)]
    assert sorted(lines(life)) == sorted([*first, (VENUE, 1, ip, True)]), "each once a generation"
    life.stop()
    life.report(drained=True)
    life.pass_time(seconds=5)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP
    bots.delete(life.bot, typed_name=life.bot.name, by=TESTER, now=life.now)
    db.session.commit()
    assert life.run() is Phase.RELEASED
    assert lines(life)[-1] == (AddressEventKind.RELEASED, None, ip, True)
    assert addresses.history(life.bot)[0].kind is AddressEventKind.RELEASED


def test_a_claim_from_elsewhere_is_refused_kept_once_and_rings(life):
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.run()
    for _ in range(3):
        with pytest.raises(Misplaced):
            life.claim(address=ELSEWHERE)
    with pytest.raises(NotAllowed):
        life.claim(address="198.51.100.8", token="guessed")
    seen = [line for line in lines(life) if line[0] is GATE]
    assert seen == [(GATE, 1, ELSEWHERE, False)]
    assert life.run() is Phase.BOOTING, "it never becomes ready there"
    assert ringing() == [AlarmKind.ADDRESS_WRONG]
    life.pass_time(seconds=1)
    life.claim()
    assert ringing() == []
    assert [line for line in lines(life) if line[0] is GATE][-1] == (GATE, 1, life.machine.ip, True)


def test_a_venue_that_sees_another_address_rings_until_it_sees_the_bots(life):
    life.wake()
    tell(life, None)
    assert [line for line in lines(life) if line[0] is VENUE] == [], "it did not tell"
    tell(life, ELSEWHERE)
    assert ringing() == [AlarmKind.ADDRESS_WRONG]
    assert ELSEWHERE in fleet_alarms.open_alarms()[0].message
    life.now += timedelta(seconds=1)
    tell(life, life.machine.ip)
    assert [line[2:] for line in lines(life) if line[0] is VENUE] == [
        (ELSEWHERE, False),
        (life.machine.ip, True),
    ]
    assert ringing() == []
