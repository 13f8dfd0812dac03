"""Previews: bounded, cached by what they depend on, the newest wins, dropped after a day."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.domain import preview_runs, previews
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome
from app.models import AuditEvent, Backtest, OutboxMessage, Preview, PreviewState
from runner.strategy import TEMPLATES, TIMEFRAMES
from tests import factories, previewed
from tests.factories import NOW

RULES = TEMPLATES[0].rules
SYMBOL = previewed.SYMBOL
LATER = NOW + previews.SILENT + timedelta(seconds=1)


@pytest.fixture
def workspace(app):
    made = factories.organisation()
    db.session.commit()
    return made


@pytest.fixture
def person(workspace):
    return factories.user()


def ask(workspace, person, rules=RULES, *, symbol=SYMBOL, now=NOW, **more):
    plan = previews.plan(rules, "practice", symbol, now)
    made = previews.request(workspace, plan, person=person, now=now, **more)
    db.session.commit()
    return made


def of(threshold):
    return {**RULES, "combination": {"mode": "min_score", "threshold": threshold}}


def count(model=Preview):
    return db.session.scalar(select(func.count()).select_from(model))


def hints():
    query = select(OutboxMessage.arguments).where(OutboxMessage.queue == previews.QUEUE)
    return [told["preview_id"] for told in db.session.scalars(query)]


def read(preview):
    db.session.expire_all()
    return db.session.get(Preview, preview.id)


# -- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exchange", "symbol", "field"),
    [("moon", SYMBOL, "exchange"), ("practice", "NOPE/USDT:USDT", "symbol")],
)
def test_a_market_that_is_not_there_names_its_field(exchange, symbol, field):
    with pytest.raises(Invalid) as caught:
        previews.plan(RULES, exchange, symbol, NOW)
    assert caught.value.field == field


def test_inverse_markets_are_refused_in_words():
    with pytest.raises(Invalid, match="linear"):
        previews.plan({**RULES, "market_type": "inverse"}, "practice", SYMBOL, NOW)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_it_is_of_thirty_days_or_of_as_many_candles_as_take_seconds(timeframe):
    plan = previews.plan({**RULES, "timeframe": timeframe}, "practice", SYMBOL, NOW)
    since, until = (datetime.fromisoformat(plan[key]) for key in ("since", "until"))
    candles = (until - since) // timedelta(seconds=TIMEFRAMES[timeframe])
    assert candles <= previews.MOST_CANDLES
    assert until - since == timedelta(days=30) or candles == previews.MOST_CANDLES
    assert NOW - timedelta(days=1) < until <= NOW


def test_within_the_hour_the_same_rules_are_the_same_preview(workspace, person):
    moment = NOW.replace(minute=0)
    first = ask(workspace, person, now=moment)
    assert ask(workspace, person, now=moment + timedelta(minutes=59)) is first
    assert len(hints()) == 1
    assert ask(workspace, person, now=moment + timedelta(minutes=60)) is not first


@pytest.mark.parametrize("change", ["rules", "symbol"])
def test_what_it_depends_on_makes_another_one(workspace, person, change):
    first = ask(workspace, person).id
    other = {"rules": of(0.5)} if change == "rules" else {"symbol": "ETH/USDT:USDT"}
    assert ask(workspace, person, **other).id != first


def test_it_is_no_backtest_and_no_event_of_anybody(workspace, person):
    before = count(AuditEvent)
    ask(workspace, person)
    assert (count(AuditEvent), count(Backtest)) == (before, 0)


# -- bounds ----------------------------------------------------------------------------------------


def test_the_newest_wins_and_what_waited_is_dropped(workspace, person):
    first = ask(workspace, person)
    errand = preview_runs.begin(first.id, NOW)
    second = ask(workspace, person, of(0.5)).id
    third = ask(workspace, person, of(0.6)).id
    assert count() == 1
    assert not preview_runs.beat(errand, "simulation", NOW), "its worker is told to end it"
    assert not preview_runs.finish(errand, Outcome(End.DONE, b"{}"), NOW)
    assert preview_runs.begin(second, NOW) is None
    assert preview_runs.begin(third, NOW) is not None


def test_what_is_done_stays_for_whoever_comes_back_to_it(workspace, person):
    done = previewed.row(workspace, RULES, NOW, asked_by=person.id)
    ask(workspace, person, of(0.5))
    assert ask(workspace, person).id == done.id
    assert count() == 1
    assert previews.told(done)["symbol"] == SYMBOL


def test_what_somebody_else_waits_for_is_left_alone(workspace, person):
    theirs = ask(workspace, factories.user(), of(0.5))
    ask(workspace, person)
    assert read(theirs) is not None


def test_a_workspace_cannot_keep_all_others_waiting(workspace):
    for number in range(previews.MOST_WAITING):
        ask(workspace, factories.user(), of(number + 1))
    with pytest.raises(Refused, match="Wait a moment"):
        ask(workspace, factories.user(), of(99))
    other = factories.organisation()
    assert ask(other, factories.user(), of(99)).state is PreviewState.QUEUED


def test_only_so_many_are_kept(workspace, person, monkeypatch):
    monkeypatch.setattr(previews, "MOST_KEPT", 3)
    for number in range(5):
        at = NOW + timedelta(seconds=number)
        previewed.row(workspace, of(number + 1), at)
    newest = ask(workspace, person, now=NOW + timedelta(minutes=1))
    assert count() == 3
    assert read(newest) is not None


def test_a_day_later_it_is_forgotten(workspace, person):
    ask(workspace, person)
    previews.forget(NOW + previews.KEPT)
    assert count() == 1
    previews.forget(NOW + previews.KEPT + timedelta(seconds=1))
    assert count() == 0


def test_another_workspace_does_not_find_it(workspace, person):
    made = ask(workspace, person)
    assert previews.find(workspace, made.id) is made
    other = factories.organisation()
    assert previews.find(other, made.id) is None
    assert ask(other, person).id != made.id


# -- what goes wrong -------------------------------------------------------------------------------


def failed(preview, now=NOW):
    errand = preview_runs.begin(preview.id, now)
    fault = {"component": "history", "field": "", "message": "the venue is away"}
    assert preview_runs.finish(errand, Outcome(End.FAILED, fault=fault), now)
    db.session.commit()
    return read(preview)


def test_one_that_failed_says_why_and_is_tried_again_only_when_asked(workspace, person):
    made = failed(ask(workspace, person))
    assert made.fault["message"] == "the venue is away"
    assert ask(workspace, person).state is PreviewState.FAILED
    again = ask(workspace, person, again=True)
    assert (again.id, again.state, again.fault) == (made.id, PreviewState.QUEUED, None)
    assert hints() == [made.id, made.id]


def test_one_that_nobody_was_heard_of_for_is_asked_for_anew(workspace, person):
    made = ask(workspace, person)
    assert not previews.stalled(made, NOW)
    assert previews.stalled(made, LATER)
    lost = preview_runs.begin(made.id, NOW)
    db.session.commit()
    assert previews.stalled(read(made), LATER)
    # The hour's preview is the same one twenty seconds later.
    plan = previews.plan(RULES, "practice", SYMBOL, NOW)
    again = previews.request(workspace, plan, person=person, now=LATER, again=True)
    assert again.state is PreviewState.QUEUED
    assert not preview_runs.beat(lost, "simulation", LATER)


def test_one_that_is_at_work_is_not_asked_for_twice(workspace, person):
    made = ask(workspace, person)
    preview_runs.begin(made.id, NOW)
    assert ask(workspace, person, again=True).state is PreviewState.RUNNING


def test_an_answer_that_is_too_large_is_not_kept(workspace, person, monkeypatch):
    monkeypatch.setattr(preview_runs, "MOST_BYTES", 10)
    made = ask(workspace, person)
    errand = preview_runs.begin(made.id, NOW)
    assert preview_runs.finish(errand, Outcome(End.DONE, previewed.answer()), NOW)
    found = read(made)
    assert found.state is PreviewState.FAILED
    assert "run a backtest" in found.fault["message"]
    assert previews.told(found) is None
