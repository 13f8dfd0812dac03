"""A bot beside its backtest as a page: asked for, watched, read, both sides of a difference."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.domain import readiness_runs
from app.domain.decisions import reading
from app.extensions import db
from app.models import BacktestState, Bot, OutboxMessage, ReadinessCheck
from tests import readied
from tests.readied import parity
from tests.site import rows
from tests.views.conftest import as_person

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def page(story):
    return f"{story.bot}/readiness"


def bot_of(story):
    return db.session.get_one(Bot, story.bot.rpartition("/")[2])


def test_before_the_first_comparison_it_says_what_it_would_do(owner, page):
    shown = owner.get(page)
    assert "Nothing was compared yet." in shown.text
    assert "Luck or profit" in shown.text
    assert [it for it in shown.all("button") if "Compare with a backtest" in it.text]


def test_asking_queues_it_once_and_the_page_follows_it(owner, story, house, page):
    owner.get(page)
    owner.post(page)
    owner.post(page)
    with rows(house):
        (check,) = db.session.scalars(
            select(ReadinessCheck).where(ReadinessCheck.bot_id == bot_of(story).id)
        )
        sent = select(OutboxMessage).where(OutboxMessage.job == readiness_runs.JOB)
        assert [it.arguments for it in db.session.scalars(sent)] == [{"check_id": check.id}]
    shown = owner.get(page)
    assert "It begins as soon as a worker is free." in shown.text
    owner.post(f"{page}/cancel")
    assert "The comparison was cancelled." in owner.get(page).text


def test_what_nobody_can_compare_is_refused_with_a_word(owner, desk):
    owner.get(f"{desk.resting}/readiness")
    with_reason = owner.post(f"{desk.resting}/readiness", 409)
    assert "judged no candle" in with_reason.text


def test_a_difference_shows_both_sides_and_leads_to_the_log(owner, story, house, page):
    with rows(house):
        bot = bot_of(story)
        row = reading.newest(reading.Wanted(bot.id), 1)[0].row
        readied.row(bot, datetime.now(UTC), parity=parity(SYMBOL, row.candle_at))
        reason = row.reason
    shown = owner.get(page)
    assert "Of 400 candles 399 are equal" in shown.text
    assert reason in shown.text
    assert "score 1 reached the threshold 1" in shown.text
    (link,) = owner.links("The decisions around it")
    assert reason in owner.get(link).text


def test_drift_and_intervals_stand_there_with_their_sample(owner, story, house, page):
    with rows(house):
        readied.row(bot_of(story), datetime.now(UTC))
    shown = owner.get(page)
    for words in (
        "1 matched trade",
        "What the difference is made of",
        "Fewer than 20 matched trades say little.",
        "Wilson's interval",
        "the true win rate may be anywhere between",
    ):
        assert words in shown.text


def test_a_failed_one_names_what_failed_and_keeps_its_log(owner, story, house, page):
    fault = {"component": "history", "field": "", "message": "the venue does not answer"}
    with rows(house):
        now = datetime.now(UTC)
        readied.row(bot_of(story), now, BacktestState.FAILED, fault=fault, log="tried three times")
    shown = owner.get(page)
    for words in ("The comparison failed at history.", "does not answer", "tried three times"):
        assert words in shown.text
    owner.post(page)
    assert "as soon as a worker is free" in owner.get(page).text


def test_the_request_page_has_a_line_for_each(owner, desk):
    shown = owner.get(f"{desk.bot}/live")
    for words in (
        "Same decisions as in backtest",
        "Paper against backtest",
        "Luck or profit",
        "Things tried",
        "You have seen a position",
        "You have not followed a paper position from entry to result yet.",
    ):
        assert words in shown.text


def test_a_viewer_may_read_no_decision_and_ask_for_nothing(story, pages, page):
    viewer = as_person(pages, story, "viewer")
    viewer.get(page, 403)
    viewer.get(story.bot)
    viewer.post(page, 403)


def test_the_guide_goes_from_step_to_step(owner, desk):
    shown = owner.get(desk.bot)
    assert "Guide, step 2 of 3" in shown.text
    assert "Protective stop." in shown.text
    owner.post(f"{desk.bot}/guide/opened")
    assert "It is open still" in owner.get(desk.bot).text
    owner.post(f"{desk.bot}/guide/hide")
    assert "Guide, step" not in owner.get(desk.bot).text
    owner.post(f"{desk.bot}/guide/show")
    assert "Guide, step" in owner.get(desk.bot).text


def test_where_nothing_opened_yet_it_says_so_and_refuses_to_go_on(owner, desk):
    assert "Your first paper position" in owner.get(desk.resting).text
    assert "No position has opened yet" in owner.post(f"{desk.resting}/guide/opened", 409).text


def test_it_is_remembered_for_each_person_apart(owner, desk, pages):
    owner.get(desk.bot)
    owner.post(f"{desk.bot}/guide/hide")
    trader = as_person(pages, desk, "trader")
    assert "Guide, step" in trader.get(desk.bot).text
