"""Conditions from rows: only of crowds, never by one bot, and unknown where nothing tells."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from app.domain import mail, outbox
from app.domain.status import components, facts, measure
from app.domain.status.facts import WORKS, Finding
from app.extensions import db
from app.models import BotCompute, Condition, InboundMail, Machine, Mail, MailState, OutboxMessage
from runner.protocol import Mode, OrderStatus
from tests import factories, telling
from tests.factories import NOW

WORDS = ("Some.", "Most.")
EXCHANGE = components.exchange_key("practice")
LONG_AGO = NOW - timedelta(minutes=5)


def found(key, site=True, now=NOW):
    return facts.look(site, now)[key].condition


@pytest.fixture
def crowd(app):
    """Six bots that are awake and were heard of a second ago."""
    workspace = factories.organisation()
    version = factories.strategy(workspace).latest
    bots = [factories.bot(workspace, version=version) for _ in range(6)]
    machines = [telling.awake(bot, NOW) for bot in bots]
    db.session.execute(update(BotCompute).values(due_at=NOW + timedelta(minutes=1)))
    db.session.execute(update(OutboxMessage).values(sent_at=NOW))
    return bots, machines


@pytest.mark.parametrize(
    ("asked", "bad", "condition"),
    [
        (0, 0, Condition.UNKNOWN),
        (4, 4, Condition.UNKNOWN),
        (5, 0, Condition.OPERATIONAL),
        (5, 1, Condition.OPERATIONAL),
        (5, 2, Condition.DEGRADED),
        (5, 3, Condition.DOWN),
        (100, 20, Condition.OPERATIONAL),
        (100, 21, Condition.DEGRADED),
        (100, 60, Condition.DOWN),
    ],
)
def test_a_crowd_speaks_and_one_never_does(asked, bad, condition):
    assert facts.of_crowd(asked, bad, WORDS, "Few.").condition is condition


@pytest.mark.parametrize(
    ("minutes", "condition"),
    [(0, Condition.OPERATIONAL), (3, Condition.DEGRADED), (11, Condition.DOWN)],
)
def test_what_waits_makes_a_queue_slow(minutes, condition):
    assert facts.of_wait(NOW - timedelta(minutes=minutes), NOW).condition is condition
    assert facts.of_wait(None, NOW) is WORKS


def silence(machines):
    ids = [it.id for it in machines]
    db.session.execute(update(Machine).where(Machine.id.in_(ids)).values(synced_at=LONG_AGO))


@pytest.mark.parametrize(
    ("silent", "condition"),
    [
        (0, Condition.OPERATIONAL),
        (1, Condition.OPERATIONAL),
        (2, Condition.DEGRADED),
        (4, Condition.DOWN),
    ],
)
def test_bots_that_fall_silent_together(crowd, silent, condition):
    silence(crowd[1][:silent])
    assert found(components.RUNNERS) is condition


def test_of_four_bots_nothing_is_told(crowd):
    silence(crowd[1])
    for machine in crowd[1][:2]:
        machine.gone_at = NOW
    assert found(components.RUNNERS) is Condition.UNKNOWN


def ordered(bots, status, reason="", seconds=1.0, mode=Mode.TESTNET):
    for bot in bots:
        bot.mode = mode
        row = factories.order(
            bot,
            db.session.query(Machine).filter_by(bot_id=bot.id).one().run_id,
            f"{bot.id}{status}",
            status,
        )
        row.reason, row.updated_at = reason, NOW
        row.decided_at = NOW - timedelta(seconds=seconds)
    db.session.flush()


def test_an_exchange_is_known_by_the_orders_of_many(crowd):
    assert found(EXCHANGE) is Condition.UNKNOWN
    ordered(crowd[0], OrderStatus.FILLED)
    assert found(EXCHANGE) is Condition.OPERATIONAL
    ordered(crowd[0][:2], OrderStatus.UNKNOWN)
    assert found(EXCHANGE) is Condition.DEGRADED


def test_refusals_count_by_their_cause(crowd):
    ordered(crowd[0], OrderStatus.REJECTED, "place: InsufficientFunds margin")
    assert found(EXCHANGE) is Condition.OPERATIONAL
    for row in db.session.query(facts.OrderRow):
        row.reason = "place: ExchangeNotAvailable 503"
    assert found(EXCHANGE) is Condition.DOWN


def test_slow_fills_make_an_exchange_degraded(crowd):
    ordered(crowd[0], OrderStatus.FILLED, seconds=9)
    assert found(EXCHANGE) is Condition.DEGRADED


def test_paper_orders_never_reached_an_exchange(crowd):
    ordered(crowd[0], OrderStatus.UNKNOWN, mode=Mode.PAPER)
    assert found(EXCHANGE) is Condition.UNKNOWN


def test_hints_that_nobody_hands_over(crowd):
    assert found(components.FLEET) is Condition.OPERATIONAL
    outbox.put("fleet", "advance_bot", now=LONG_AGO, bot_id="bot_x")
    assert found(components.FLEET) is Condition.DEGRADED


def test_one_bot_that_waits_alone_is_nobody_s_business(crowd):
    for number, bot in enumerate(crowd[0][:2]):
        compute = db.session.get_one(BotCompute, bot.id)
        compute.due_at = LONG_AGO
        assert found(components.FLEET) is (Condition.DEGRADED if number else Condition.OPERATIONAL)


def letter(state, attempts, at=NOW):
    made = mail.post("mail_check", to="bo@example.org", now=at, console="x")
    made.state, made.attempts, made.try_at = state, attempts, at + timedelta(minutes=5)
    made.sent_at = at if state is MailState.SENT else None
    db.session.execute(update(OutboxMessage).values(sent_at=NOW))


def test_letters_that_do_not_get_through(app):
    assert found(components.MAIL) is Condition.UNKNOWN
    letter(MailState.SENT, 1)
    assert found(components.MAIL) is Condition.OPERATIONAL
    letter(MailState.FAILED, 1)  # no such person: not the server's fault
    assert found(components.MAIL) is Condition.OPERATIONAL
    for _ in range(2):
        letter(MailState.QUEUED, 3)
    assert found(components.MAIL) is Condition.DEGRADED
    db.session.execute(
        update(Mail).where(Mail.state == MailState.SENT).values(sent_at=None, state="failed")
    )
    assert found(components.MAIL) is Condition.DOWN


def test_mail_that_nobody_decides_about(app):
    assert found(components.DESK) is Condition.OPERATIONAL
    db.session.add(
        InboundMail(
            provider="raw",
            event_id="1",
            sha256="0" * 64,
            envelope_from="a@example.org",
            envelope_to="b@example.org",
            size=1,
            received_at=LONG_AGO,
            raw_until=NOW + timedelta(days=30),
        )
    )
    assert found(components.DESK) is Condition.DEGRADED


def test_a_site_that_never_answered_is_out_of_reach_and_not_down(app):
    assert found(components.WEB, site=False) is Condition.UNKNOWN
    measure.keep({components.WEB: WORKS}, NOW)
    assert found(components.WEB, site=False) is Condition.DOWN
    assert found(components.WEB) is Condition.OPERATIONAL


def test_every_component_of_the_page_is_looked_at(app):
    assert facts.look(True, NOW).keys() == {it.key for it in components.catalogue()}


def test_a_look_names_nobody(crowd):
    """Texts are ours alone: no name, no id, no number of anything."""
    silence(crowd[1][:3])
    ordered(crowd[0], OrderStatus.UNKNOWN)
    told = " ".join(it.detail for it in facts.look(True, NOW).values())
    for bot in crowd[0]:
        assert bot.id not in told
        assert bot.name not in told
    assert not any(letter.isdigit() for letter in told)


def test_a_look_only_reads(crowd):
    written = []
    event.listen(
        db.engine,
        "after_cursor_execute",
        lambda _c, _u, statement, *_: (
            written.append(statement)
            if not statement.lstrip().startswith(("SELECT", "PRAGMA"))
            else None
        ),
    )
    facts.look(True, NOW)
    assert written == []
    assert isinstance(facts.look(True, NOW)[components.WEB], Finding)
