"""A pause says who or which rule, why, and what lifts it: on the page and in lists."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.domain import bots, breach_policy, lifecycle, overview, panic, pause_words, pauses
from app.domain.panic import Order
from app.extensions import db
from app.models import BotCompute, KillAct, Machine, PauseRule, Phase, Wish
from app.web.formatting import state_note
from runner.protocol import OnBreach
from tests import factories
from tests.domain.test_breaches import DRAWDOWN, LOSS, MIDNIGHT, bot  # noqa: F401 -- the fixture
from tests.factories import NOW, TEMPO, TESTER


def shown(one):
    """How a list reads it, and the words behind."""
    db.session.get_one(BotCompute, one.id).phase = Phase.READY
    db.session.flush()
    reading = overview.summary(one, NOW, TEMPO).reading
    return reading.label, state_note(reading, NOW, "UTC"), reading.detail


def test_a_person_is_named_and_needs_no_word_more(bot):  # noqa: F811
    person = bot.workspace.memberships[0].user
    bots.pause(bot, by=replace(TESTER, id=person.id), now=NOW)
    (found,) = pauses.of(bot)
    assert (found.title, found.reason, found.since) == (f"{person.name} paused it", "", NOW)
    assert shown(bot) == ("paused", "", "No new entries; exits are managed.")
    bots.resume(bot, by=TESTER, now=NOW)
    assert pauses.of(bot) == []
    assert (bot.paused_at, bot.paused_by, bot.pause_rule, bot.pause_reason) == (None,) * 3 + ("",)


def test_who_paused_first_stands(bot):  # noqa: F811
    bots.pause(bot, by=TESTER, now=NOW, rule=PauseRule.CEILING, reason="Gross exposure is high.")
    bots.pause(bot, by=TESTER, now=NOW)
    assert bot.pause_rule is PauseRule.CEILING


def test_the_kill_switch_says_who_pressed_it_and_why(bot):  # noqa: F811
    person = bot.workspace.memberships[0].user
    order = Order(KillAct.PAUSE, reason="news at four")
    panic.press(bot.workspace, order, author=person, by=replace(TESTER, id=person.id), now=NOW)
    (found,) = pauses.of(bot)
    assert found.title == f"{person.name}, with the kill switch, paused it"
    assert found.reason == "news at four"
    assert shown(bot)[1:] == (
        "by kill switch",
        "The kill switch paused it: news at four. Exits are managed.",
    )


def test_a_limit_says_which_and_what_lifts_it(bot):  # noqa: F811
    breach_policy.follow(bot.told(DRAWDOWN), NOW)
    (found,) = pauses.of(bot)
    assert found.title == "A limit that it passed paused it"
    assert (found.reason, "Resume it" in found.cure) == (DRAWDOWN.text, True)
    assert shown(bot)[1] == "by limit"


def test_who_was_stopped_by_a_limit_reads_so_until_it_is_started(bot):  # noqa: F811
    breach_policy.follow(bot.told(replace(LOSS, policy=OnBreach.STOP)), NOW)
    for machine in db.session.scalars(select(Machine)):
        machine.gone_at, machine.proven_flat = NOW, True
    db.session.get_one(BotCompute, bot.id).phase = Phase.ASLEEP
    reading = overview.summary(bot, MIDNIGHT, TEMPO).reading
    assert (reading.label, reading.note) == ("stopped", "by limit")
    assert "A limit that it passed stopped it: daily loss 50.00. It sleeps" in reading.detail
    (found,) = pauses.of(bot)
    assert (found.title, found.reason) == ("A limit that it passed stopped it", LOSS.text)
    bots.start(bot, by=TESTER, now=NOW)
    bots.stop(bot, by=TESTER, now=NOW)
    assert pauses.of(bot) == []


@pytest.mark.parametrize("rule", list(PauseRule))
def test_each_rule_has_its_words(rule):
    assert pause_words.LIFTED[rule].endswith(".")
    said = pause_words.detail(rule, "because")
    assert ("because." in said) is (rule is not PauseRule.PERSON)
    assert len(pause_words.BY) == len(PauseRule) - 1
    it = lifecycle.Situation(
        *(Wish.FOLLOW, Phase.READY, True, "", NOW, "flat", 0, None), pause_rule=rule
    )
    reading = lifecycle.reading(NOW, it)
    assert reading.note == (f"by {pause_words.BY[rule]}" if rule in pause_words.BY else "")


def test_a_long_reason_fits(app):
    one = factories.bot(factories.organisation())
    bots.pause(one, by=TESTER, now=NOW, rule=PauseRule.ACCOUNT, reason="x" * 900)
    assert len(one.pause_reason) == pauses.REASON
