"""Bounds keep new things from beginning and take nothing that runs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import (
    bots,
    deadlines,
    fleet,
    fleet_alarms,
    machines,
    months,
    quotas,
    retries,
    terms,
    turns,
)
from app.domain.errors import Refused
from app.domain.terms import Terms
from app.extensions import db
from app.models import (
    AuditEvent,
    BillingTerms,
    BotCompute,
    IdlePayer,
    Mail,
    Notice,
    Phase,
    Resource,
    UsageInterval,
    Wish,
)
from tests import factories
from tests.domain.cloud import TinyCloud
from tests.domain.test_statements import HOUR, used
from tests.factories import NOW, TEMPO, TESTER

SETTINGS = fleet.Settings(tempo=TEMPO, gate_url="http://127.0.0.1:1", in_flight=5)


class Town:
    """A workspace with bots that want to be awake, their cloud, and a clock moved by hand."""

    def __init__(self, count, **limits):
        self.cloud, self.now = TinyCloud(), NOW
        self.workspace = factories.organisation()
        self.bots = [factories.bot(self.workspace) for _ in range(count)]
        for bot in self.bots:
            bots.start(bot, by=TESTER, now=NOW)
        self.agree(**limits)

    def agree(self, **limits):
        wanted = Terms(Decimal(0), IdlePayer.WORKSPACE, **limits)
        terms.agree(self.workspace, wanted, author=None, by=TESTER, now=self.now)
        db.session.commit()

    def run(self, bot, steps=8):
        for _ in range(steps):
            errand = fleet.begin(bot.id, self.now, SETTINGS)
            db.session.commit()
            if errand is not None:
                fleet.finish(errand, self.cloud.do(errand.step), self.now)
                db.session.commit()
        return self.compute(bot).phase

    def compute(self, bot):
        return db.session.get(BotCompute, bot.id, populate_existing=True)

    def reading(self, bot):
        compute = self.compute(bot)
        machine = machines.current_machine(bot.id)
        situation = fleet.situation(bot, compute, machine, 0, self.now, TEMPO)
        return fleet.lifecycle.reading(self.now, situation)


@pytest.fixture
def town(app):
    return Town


def test_no_more_bots_than_agreed(town):
    place = town(2, max_bots=2)
    with pytest.raises(Refused, match="has the 2 bots that it may have"):
        factories.bot(place.workspace)
    place.agree(max_bots=3)
    factories.bot(place.workspace)


def test_a_bot_without_room_waits_and_says_why(town):
    place = town(2, max_machines=1)
    first, second = place.bots
    assert place.run(first) is Phase.BOOTING
    assert place.run(second) is Phase.ASLEEP
    assert len(place.cloud.machines) == 1
    said = place.reading(second)
    assert (said.label, said.settled) == ("asleep", False)
    assert "1 machines that it may run at once" in said.detail
    assert place.compute(second).due_at == place.now + quotas.AGAIN
    trouble = retries.trouble(second, place.now)
    assert (trouble.advice.title, trouble.of_cloud) == ("The workspace has reached a bound.", False)
    place.now += HOUR
    assert late(place, second) == []
    place.agree(max_machines=2)
    assert place.run(second) is Phase.BOOTING
    held = place.compute(second)
    assert (held.problem, held.cause, held.wanted_at) == ("", "", place.now)
    assert late(place, second) == []
    place.now += HOUR
    assert late(place, second) == ["late_wake"]


def late(place, bot):
    """What rings of a bot's wake."""
    deadlines.sweep(place.now, TEMPO)
    rung = {it.kind.value: it.bot_id for it in fleet_alarms.open_alarms() if it.bot_id == bot.id}
    return [kind for kind in rung if kind == "late_wake"]


def test_a_smaller_bound_takes_no_machine_away(town):
    place = town(2, max_machines=2)
    assert {place.run(bot) for bot in place.bots} == {Phase.BOOTING}
    place.agree(max_machines=0)
    assert {place.run(bot, 2) for bot in place.bots} == {Phase.BOOTING}
    assert len(place.cloud.machines) == 2


def test_who_is_not_wanted_awake_any_more_has_no_problem(town):
    place = town(1, max_machines=0)
    (bot,) = place.bots
    assert place.run(bot) is Phase.ASLEEP
    assert place.compute(bot).problem
    bots.stop(bot, by=TESTER, now=place.now)
    db.session.commit()
    place.run(bot, 1)
    assert place.compute(bot).problem == ""


def spend(place, hours):
    """An address at a cent an hour, in the month that runs."""
    used(place.bots[0], Resource.ADDRESS, NOW - hours * HOUR, NOW)
    db.session.commit()


def told(kind, *where):
    return list(db.session.scalars(select(kind).where(*where)))


def test_what_is_spent_wakes_nothing_more_until_the_next_month(town):
    place = town(2, max_spend=Decimal("1.00"))
    first, second = place.bots
    assert place.run(first) is Phase.BOOTING
    spend(place, 100)
    place.now += quotas.SEEN_FOR
    assert place.run(second) is Phase.ASLEEP
    said = place.reading(second).detail
    assert "has spent what it may" in said
    assert "$" not in said
    assert place.run(first, 2) is Phase.BOOTING
    place.run(second)
    (letter,) = told(Mail, Mail.letter == "spend_stopped")
    assert letter.values["spent"] == "$1.00"
    assert len(told(Notice, Notice.key.startswith(f"spend {place.workspace.id}"))) == 1
    assert len(told(AuditEvent, AuditEvent.action == "billing.spend_stop")) == 1
    place.now = months.of(NOW).end
    assert place.run(second) is Phase.BOOTING


def test_a_minute_of_wakes_adds_the_month_up_once(town, monkeypatch):
    place, looks = town(3, max_spend=Decimal("1.00")), []
    whole = quotas.statements.of_workspace
    monkeypatch.setattr(
        quotas.statements, "of_workspace", lambda *args: looks.append(args[2]) or whole(*args)
    )
    for bot in place.bots[:2]:
        assert place.run(bot) is Phase.BOOTING
    place.now += quotas.SEEN_FOR
    place.run(place.bots[2])
    assert looks == [NOW, place.now]


def test_who_is_held_back_keeps_nobody_else_from_starting(town, monkeypatch):
    place = town(1, max_machines=0)
    monkeypatch.setattr(turns, "take", lambda *_: pytest.fail("took the fleet's lock"))
    assert place.run(place.bots[0]) is Phase.ASLEEP


def test_a_higher_bound_counts_at_once(town):
    place = town(1, max_spend=Decimal("1.00"))
    (bot,) = place.bots
    spend(place, 200)
    assert place.run(bot) is Phase.ASLEEP
    place.agree(max_spend=Decimal("5.00"))
    assert place.run(bot) is Phase.BOOTING


def test_terms_that_leave_spending_alone_tell_nobody_anew(town):
    place = town(1, max_spend=Decimal("1.00"))
    (bot,) = place.bots
    spend(place, 200)
    assert place.run(bot) is Phase.ASLEEP
    place.agree(max_spend=Decimal("1.00"), max_bots=9)
    (row,) = told(BillingTerms)
    assert row.spent_month == str(months.of(NOW))
    for bound in ("1.50", "1.00"):
        place.agree(max_spend=Decimal(bound))
        assert row.spent_month == ""
        assert place.run(bot) is Phase.ASLEEP
    letters = told(Mail, Mail.letter == "spend_stopped")
    assert sorted(letter.values["bound"] for letter in letters) == ["$1.00", "$1.50"]
    place.now = months.of(NOW).end
    place.agree(max_spend=Decimal("1.00"), max_bots=8)
    assert terms.agreed(place.workspace.id, months.of(place.now)).spent_month == row.spent_month


def test_below_the_bound_nothing_is_kept_asleep(town):
    place = town(1, max_spend=Decimal("1.00"))
    (bot,) = place.bots
    spend(place, 99)
    assert place.run(bot) is Phase.BOOTING
    (row,) = told(BillingTerms)
    assert row.spent_month == ""
    assert quotas.watched(place.now) == [place.workspace.id]


def test_a_position_that_may_be_open_wakes_whatever_was_spent(town):
    place = town(1, max_spend=Decimal("1.00"))
    (bot,) = place.bots
    place.run(bot)
    machine = machines.current_machine(bot.id)
    machine.claimed_at = machine.synced_at = place.now
    place.compute(bot).phase = Phase.READY
    db.session.commit()
    place.cloud.machines.clear()
    spend(place, 100)
    place.agree(max_spend=Decimal("1.00"), max_machines=0)
    place.now += timedelta(minutes=2)
    assert place.run(bot) is Phase.BOOTING
    assert bot.wish is Wish.FOLLOW
    assert len(place.cloud.machines) == 1


def test_how_much_is_used_is_said_before_a_bound_is_reached(town):
    place = town(2, max_bots=2, max_spend=Decimal("1.00"))
    place.run(place.bots[0])
    cents = [Decimal("0.79"), Decimal("0.80"), Decimal("3.00")]
    found = [quotas.uses(place.workspace, spent, NOW) for spent in cents]
    assert [[(it.what, it.percent, it.near) for it in uses] for uses in found] == [
        [("bots", 100, True), ("spending this month", percent, percent >= 80)]
        for percent in (79, 80, 300)
    ]
    place.agree(max_machines=5)
    (use,) = quotas.uses(place.workspace, Decimal(9), NOW)
    assert (use.what, use.used, use.most, use.near) == ("machines at once", 1, 5, False)
    place.agree(max_machines=0)
    assert quotas.uses(place.workspace, Decimal(0), NOW)[0].percent == 100
    place.agree()
    assert quotas.uses(place.workspace, Decimal(0), NOW) == []


def test_owners_hear_once_that_a_bound_on_spending_comes_near(town):
    place = town(1, max_spend=Decimal("1.00"))
    (bot,) = place.bots
    near = Notice.key.startswith(f"spend near {place.workspace.id}")
    for hours, known in ((79, 0), (80, 1), (90, 1), (100, 1)):
        db.session.query(UsageInterval).delete()
        spend(place, hours)
        place.now += quotas.SEEN_FOR
        agreed = terms.agreed(place.workspace.id, months.of(NOW))
        quotas.spent_out(bot.workspace, agreed, place.now, by=TESTER)
        db.session.commit()
        assert len(told(Notice, near)) == known
    (notice,) = told(Notice, near)
    assert "$0.80 of $1.00" in notice.body
    assert len(told(Mail, Mail.letter == "spend_stopped")) == 1
