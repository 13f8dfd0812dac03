"""A limit that was passed: said everywhere, carried out once, and over when somebody says so."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import (
    account_rule,
    book_watch,
    bot_raises,
    bots,
    breach_policy,
    briefing,
    feed,
    ingest,
    limit_breaches,
    runs,
)
from app.extensions import db
from app.jobs import timetable
from app.models import (
    AuditEvent,
    BotCommand,
    LimitBreach,
    Mail,
    Notice,
    OutboxMessage,
    Role,
    Run,
    Wish,
)
from runner.protocol import (
    Breach,
    CommandKind,
    Event,
    EventKind,
    Limits,
    Mode,
    OnBreach,
    PositionState,
    to_plain,
)
from tests import factories
from tests.domain.test_ingest import Feed
from tests.factories import NOW, TESTER

DRAWDOWN = Breach(
    "max_drawdown", Decimal(120), Decimal(100), OnBreach.PAUSE, "drawdown 120.00 reached 100"
)
LOSS = Breach("max_daily_loss", Decimal(50), Decimal(40), OnBreach.PAUSE, "daily loss 50.00")
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@pytest.fixture
def bot(app):
    feed = Feed()
    feed.machine.claimed_at = feed.machine.synced_at = NOW
    feed.machine.position_state = PositionState.OPEN
    bots.start(feed.bot, by=TESTER, now=NOW)
    feed.bot.told = lambda breach: tell(feed, breach)
    return feed.bot


def tell(feed, breach, at=NOW):
    event = Event(feed.machine.ack_seq + 1, EventKind.BREACH, at, to_plain(breach))
    for _ in range(2):
        ingest.take(feed.bot, feed.machine, (event,), NOW)
    numbers = db.session.scalars(select(LimitBreach.number).order_by(LimitBreach.number)).all()
    return numbers[-1]


def acts(bot):
    """What the policy did to the bot, and no person."""
    query = select(AuditEvent.action).where(
        AuditEvent.target_id == bot.id, AuditEvent.actor_kind == "policy"
    )
    return sorted(db.session.scalars(query))


def asked(bot):
    query = select(BotCommand.kind).where(BotCommand.bot_id == bot.id, BotCommand.done_at.is_(None))
    return set(db.session.scalars(query))


@pytest.mark.parametrize(
    ("breach", "did", "paused", "wish"),
    [
        (DRAWDOWN, ["bot.pause"], True, Wish.FOLLOW),
        (
            replace(DRAWDOWN, policy=OnBreach.FLATTEN),
            ["bot.pause", "position.close"],
            True,
            Wish.FOLLOW,
        ),
        (replace(DRAWDOWN, policy=OnBreach.STOP), ["bot.stop", "position.close"], False, Wish.REST),
        (LOSS, [], False, Wish.FOLLOW),
        (replace(LOSS, policy=OnBreach.FLATTEN), ["position.close"], False, Wish.FOLLOW),
        (replace(LOSS, policy=OnBreach.STOP), ["bot.stop", "position.close"], False, Wish.REST),
    ],
)
def test_the_policy_is_carried_out_once(bot, breach, did, paused, wish):
    number = bot.told(breach)
    for _ in range(3):
        breach_policy.follow(number, NOW)
    assert acts(bot) == did
    assert (bot.paused, bot.wish) == (paused, wish)
    assert (CommandKind.FLATTEN in asked(bot)) is ("position.close" in did)


def test_it_is_asked_of_a_worker_and_found_again_where_the_hint_is_lost(bot):
    number = bot.told(DRAWDOWN)
    query = select(OutboxMessage.arguments).where(OutboxMessage.job == limit_breaches.JOB)
    assert db.session.scalars(query).all() == [{"number": str(number)}]
    timetable.sweep(NOW)
    assert breach_policy.due(NOW) == []
    assert bot.paused


@pytest.mark.parametrize("trouble", ["deleted", "failing"])
def test_one_that_cannot_be_carried_out_keeps_no_other_one_waiting(bot, monkeypatch, trouble):
    stranger = factories.bot(factories.organisation())
    place = {"workspace_id": stranger.workspace_id, "bot_id": stranger.id}
    words = to_plain(DRAWDOWN) | {"value": DRAWDOWN.value, "bound": DRAWDOWN.bound}
    first = LimitBreach(**place, run_id=runs.begin(stranger, NOW).id, **words, at=NOW)
    db.session.add(first)
    db.session.flush()
    lost = first.number
    number = bot.told(DRAWDOWN)
    follow = breach_policy.follow

    def stumbling(which, now):
        if which == lost:
            raise RuntimeError
        follow(which, now)

    if trouble == "deleted":
        stranger.workspace.deleted_at = NOW
    else:
        monkeypatch.setattr(breach_policy, "follow", stumbling)
    db.session.commit()
    timetable.sweep(NOW)
    assert str(number) not in breach_policy.due(NOW)
    assert bot.paused
    assert (str(lost) in breach_policy.due(NOW)) is (trouble == "failing")


def test_those_who_may_stop_it_hear_of_it_once(bot):
    joined = {role: factories.joined(bot.workspace, role, role.value) for role in Role}
    number = bot.told(DRAWDOWN)
    for _ in range(2):
        breach_policy.follow(number, NOW)
    title = f"{bot.name} has passed a limit: Largest drawdown"
    told = Counter(db.session.scalars(select(Notice.user_id).where(Notice.title == title)))
    letters = Counter(
        db.session.scalars(select(Mail.to_email).where(Mail.letter == "limit_breach"))
    )
    assert set(told.values()) == set(letters.values()) == {1}
    for role, person in joined.items():
        may = role is not Role.VIEWER
        assert (person.id in told) is may
        assert (person.email in letters) is may


def test_who_never_proved_an_address_gets_no_letter(bot):
    owner = bot.workspace.memberships[0].user
    owner.email_verified_at = None
    breach_policy.follow(bot.told(DRAWDOWN), NOW)
    told = select(Notice.user_id).where(Notice.title.contains("has passed a limit"))
    assert db.session.scalars(told).all() == [owner.id]
    assert not db.session.scalars(select(Mail).where(Mail.letter == "limit_breach")).all()


def test_where_nothing_was_done_nothing_else_is_said(bot):
    number = bot.told(DRAWDOWN)
    limit_breaches.lift(bot, NOW)
    breach_policy.follow(number, NOW)
    query = select(Notice.body).where(Notice.title.contains("has passed a limit"))
    (said,) = db.session.scalars(query)
    assert "Nothing more was done" in said
    assert "enters nothing more" not in said


def test_it_is_a_line_of_the_activity(bot):
    breach_policy.follow(bot.told(DRAWDOWN), NOW)
    said = [line.text for line in feed.latest(bot.workspace, bot=bot)]
    assert "limit passed: drawdown 120.00 reached 100" in said
    assert f"A limit that was passed paused {bot.name}" in said


def test_who_claims_before_a_worker_saw_to_it_is_told_to_make_no_entries(bot):
    def paused():
        return briefing.configuration(bot, runs.current(bot.id), {}, draining=False).paused

    breach_policy.follow(bot.told(LOSS), NOW)
    bot.told(LOSS)
    assert not paused(), "its runner keeps to that day by itself, and nobody would resume it"
    number = bot.told(DRAWDOWN)
    assert paused()
    breach_policy.follow(number, NOW)
    assert paused()
    bots.resume(bot, by=TESTER, now=NOW)
    assert not paused()


def test_what_the_policy_did_says_why_and_only_what_is_new(bot):
    for bound in (100, 101):
        breach = replace(DRAWDOWN, policy=OnBreach.FLATTEN, bound=Decimal(bound))
        breach_policy.follow(bot.told(breach), NOW)
    assert acts(bot) == ["bot.pause", "position.close"]
    query = select(AuditEvent.reason).where(AuditEvent.actor_kind == "policy")
    assert set(db.session.scalars(query)) == {DRAWDOWN.text}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (account_rule.POLICY, "The rule of one bot to an account"),
        (book_watch.POLICY, "A ceiling of the workspace"),
    ],
)
def test_another_rule_is_not_called_a_passed_limit(bot, rule, said):
    bots.pause(bot, by=rule, now=NOW)
    lines = [line.text for line in feed.latest(bot.workspace, bot=bot)]
    assert f"{said} paused {bot.name}" in lines


def test_a_daily_loss_is_over_at_midnight_and_others_when_somebody_resumes(bot):
    for breach in (LOSS, DRAWDOWN):
        breach_policy.follow(bot.told(breach), NOW)
    names = [it.limit for it in limit_breaches.standing(bot, NOW)]
    assert names == ["max_daily_loss", "max_drawdown"]
    assert limit_breaches.bots_held(bot.workspace, NOW) == {bot.id}
    bots.resume(bot, by=TESTER, now=NOW)
    assert [it.limit for it in limit_breaches.standing(bot, NOW)] == ["max_daily_loss"]
    assert limit_breaches.standing(bot, MIDNIGHT - timedelta(seconds=1))
    assert not limit_breaches.standing(bot, MIDNIGHT)
    assert not limit_breaches.bots_held(bot.workspace, MIDNIGHT)


@pytest.mark.parametrize("end", ["another run", "another mode"])
def test_a_limit_is_passed_for_its_run_alone(bot, end):
    bot.told(LOSS)
    assert limit_breaches.bots_held(bot.workspace, NOW) == {bot.id}
    if end == "another run":
        runs.begin(bot, NOW)
    else:
        bot.mode = Mode.TESTNET
    db.session.flush()
    assert not limit_breaches.standing(bot, NOW)
    assert not limit_breaches.bots_held(bot.workspace, NOW)


def test_starting_a_stopped_bot_ends_it(bot):
    breach_policy.follow(bot.told(replace(DRAWDOWN, policy=OnBreach.STOP)), NOW)
    assert limit_breaches.standing(bot, NOW)
    bots.start(bot, by=TESTER, now=NOW)
    assert not limit_breaches.standing(bot, NOW)


def test_another_limit_ends_it_and_the_same_one_does_not(bot):
    limits = Limits(max_daily_loss=LOSS.bound)
    bot_raises.set_limits(bot, limits, by=TESTER, now=NOW)
    bot.told(LOSS)
    bot_raises.set_limits(bot, replace(limits, max_open_positions=3), by=TESTER, now=NOW)
    assert limit_breaches.standing(bot, NOW)
    bot_raises.set_limits(bot, replace(limits, max_daily_loss=Decimal(90)), by=TESTER, now=NOW)
    assert not limit_breaches.standing(bot, NOW)


@pytest.mark.parametrize("end", ["lifted", "another run"])
def test_what_was_lifted_or_belongs_to_a_former_run_changes_nothing(bot, end):
    number = bot.told(DRAWDOWN)
    if end == "lifted":
        limit_breaches.lift(bot, NOW)
    else:
        db.session.scalars(select(Run).where(Run.bot_id == bot.id)).one().ended_at = NOW
    breach_policy.follow(number, NOW)
    assert acts(bot) == []
    assert not bot.paused
