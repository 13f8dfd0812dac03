"""What sleeping saves is arithmetic on the price book; who pays the address changes who saves."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from app.domain import advice, bots, forecast, price_book, statements
from app.domain.lifecycle import Tempo
from app.domain.schedule import ALWAYS, Schedule, Session
from app.domain.statement_lines import cost, length
from app.domain.terms import Terms
from app.extensions import db
from app.models import IdlePayer, Resource, WakeLead, Wish
from tests import factories
from tests.domain.test_statements import HOUR, NOVEMBER, REGION, used
from tests.domain.test_terms import HALF, agree

NOW = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
TEMPO = Tempo(3 * MINUTE, 30 * MINUTE, 5 * MINUTE, timedelta(seconds=30))
WORKDAYS = Schedule("UTC", (Session((0, 1, 2, 3, 4), time(8), time(16)),))
OWN = Terms(Decimal(0), IdlePayer.WORKSPACE)
HOUSE = Terms(Decimal(0), IdlePayer.OPERATOR)


def rates(terms=OWN, region=REGION):
    return advice.rates(price_book.in_use(), terms, region, NOW)


def test_an_hour_asleep_saves_the_machine_less_what_the_idle_address_costs_more():
    own, house = rates(), rates(HOUSE)
    assert own.saves == own.saves_all == (8380 + 1370 + 5000 - 10_000) * 10**6
    assert house.saves == (8380 + 1370 + 5000) * 10**6
    assert house.saves_all == own.saves_all
    marked = rates(Terms(Decimal(50), IdlePayer.WORKSPACE))
    assert marked.saves * 2 == own.saves * 3
    assert marked.saves_all == own.saves_all


def test_a_pause_shorter_than_its_own_ends_saves_nothing():
    assert advice.break_even(rates(), TEMPO) == 8 * MINUTE
    cent = advice.worth_a_cent(rates(), TEMPO)
    beyond = cent - 8 * MINUTE
    assert cost(rates().saves_all, length(NOW, NOW + beyond)) == advice.CENT


def test_who_pays_the_address_is_named():
    assert advice.address_sentence(rates()).endswith(
        "costs $0.01 an hour ($7.30 a month): this workspace pays that."
    )
    assert "the operator pays that" in advice.address_sentence(rates(HOUSE))
    assert "cost nothing here" in advice.address_sentence(rates(region="local"))
    assert "no price for moon-1" in advice.address_sentence(rates(region="moon-1"))
    half = rates(Terms(Decimal(50), IdlePayer.WORKSPACE))
    assert "costs $0.015 an hour" in advice.address_sentence(half)


def test_what_a_schedule_costs_beside_always_awake():
    week, _, pause = advice.sentences(WORKDAYS, rates(), TEMPO, NOW)
    awake = 5 * (8 * HOUR + 8 * MINUTE)
    spent = cost(rates().own.awake, length(NOW, NOW + awake))
    spent += cost(rates().own.idle, length(NOW, NOW + advice.WEEK - awake))
    assert f"cost ${spent / 10**6:.2f}, always awake they would cost $2.48" in week
    assert pause.startswith("A pause of 8 min or less costs more than it saves")
    assert "Each hour beyond saves $0.00475; a cent takes 2 h 15 min." in pause
    (always, *_) = advice.sentences(ALWAYS, rates(), TEMPO, NOW)
    assert always == "Awake all the time, it costs $2.48 a week."
    (free,) = advice.sentences(WORKDAYS, rates(region="local"), TEMPO, NOW)
    assert "nothing" in free


def test_a_short_sleep_is_advised_against():
    lunch = Schedule(
        "UTC", tuple(Session((0, 1, 2, 3, 4, 5, 6), *t) for t in _around(time(12), time(12, 45)))
    )
    said = advice.sentences(lunch, rates(), TEMPO, NOW)
    assert said[-1].startswith("Its shortest sleep, 45 min, saves less than a cent.")
    assert "Set the shortest sleep to 2 h 15 min" in said[-1]
    assert len(advice.sentences(WORKDAYS, rates(), TEMPO, NOW)) == 3


def _around(first, last):
    return ((last, first),)  # all day but for one pause


def test_where_an_idle_address_is_dearer_than_a_machine_sleep_never_pays():
    text = price_book.SHIPPED.read_text().replace('"0.010"', '"0.020"')
    book = price_book.read(price_book.json.loads(text))
    it = advice.rates(book, HOUSE, REGION, NOW)
    assert advice.break_even(it, TEMPO) is None
    assert "sleeping saves nothing, whoever pays" in advice.sentences(WORKDAYS, it, TEMPO, NOW)[-1]


@pytest.mark.parametrize("wish", [Wish.FOLLOW, Wish.REST, Wish.GONE])
def test_the_rest_of_the_month_goes_by_the_schedules(app, wish):
    now = NOVEMBER.end - 14 * 24 * HOUR  # a Tuesday
    workspace = factories.organisation(now=now)
    bot = factories.bot(workspace, now=now, schedule=WORKDAYS)
    agree(workspace, HALF, now)
    bot.region, bot.wish = REGION, wish
    used(bot, Resource.ADDRESS, now - 10 * HOUR, None)
    told = statements.of_workspace(workspace, NOVEMBER, now)
    found = forecast.of_month(told, workspace, now, TEMPO)
    awake = {Wish.FOLLOW: 10 * (8 * HOUR + 8 * MINUTE)}.get(wish, timedelta(0))
    it = advice.rates(price_book.in_use(), HALF, REGION, now)
    rest = 14 * 24 * HOUR - awake if wish is not Wish.GONE else timedelta(0)
    expected = cost(it.own.awake, length(now, now + awake)) + cost(
        it.own.idle, length(now, now + rest)
    )
    assert found == told.total + expected
    assert told.total == 150_000
    assert forecast.of_month(told, workspace, NOVEMBER.end, TEMPO) is None


def test_the_forecast_goes_by_the_lead_that_each_region_has_taught(app):
    learning = replace(
        TEMPO, first_lead=5 * MINUTE, longest_lead=15 * MINUTE, machine_type="e2-micro"
    )
    workspace = factories.organisation(now=NOW)
    agree(workspace, OWN, NOW)
    for region in ("local", REGION):
        bot = factories.bot(workspace, now=NOW, schedule=WORKDAYS)
        bot.region, bot.wish = region, Wish.FOLLOW
    db.session.flush()
    told = statements.of_workspace(workspace, NOVEMBER, NOW)
    unknown = forecast.of_month(told, workspace, NOW, learning)
    for region, seconds in (("local", 180), (REGION, 900)):
        taught = {"region": region, "machine_type": "e2-micro", "seconds": seconds}
        db.session.add(WakeLead(**taught, samples=9, measured_at=NOW))
    db.session.flush()
    known = forecast.of_month(told, workspace, NOW, learning)
    more = cost(rates().saves, length(NOW, NOW + 21 * 10 * MINUTE))  # November has 21 workdays
    assert abs(known - unknown - more) <= 1


def test_without_a_price_there_is_no_forecast(app):
    workspace = factories.organisation(now=NOW)
    bot = factories.bot(workspace, now=NOW)
    bots.start(bot, by=factories.TESTER, now=NOW)
    bot.region = "moon-1"
    told = statements.of_workspace(workspace, NOVEMBER, NOW)
    assert forecast.of_month(told, workspace, NOW, TEMPO) is None
