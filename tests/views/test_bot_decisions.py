"""The page of a bot's decisions: funnel, filter, pages of candles, file, and who may see them."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Bot, Machine
from runner.protocol import Candle, Decision, Verdict
from tests import site, telling
from tests.views.conftest import as_person

LOSS = "limit: daily loss 12.50 reached 10; no entries today"
GATE = Verdict("funding_gate", "gate", 0, "funding is +0.1000 %, ±0.05 % passes")
SIGNAL = Verdict("ema_cross", "signal", 1, "fast EMA crossed above slow EMA (2 and 1)")
HAND = (
    *([(5, "none", "no signal reached the threshold 1 (score 0)", {})] * 150),
    *([(7, "none", "score 1, but funding_gate blocks: …", {"blocker": 1})] * 21),
    *([(8, "none", f"score 1, but {LOSS}", {"blocked": LOSS})] * 4),
    *([(9, "enter_long", "=score 1", {"direction": 1})] * 13),
)


@pytest.fixture
def log(house, story):
    """188 candles of another symbol, two minutes apart, the last of them two minutes ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    with site.rows(house):
        bot = db.session.get_one(Bot, story.bot.rpartition("/")[2])
        machine = db.session.scalars(select(Machine).where(Machine.bot_id == bot.id)).one()
        teller = telling.Teller(bot, machine, now)
        for number, (code, action, reason, more) in enumerate(HAND):
            opened = now - (len(HAND) - number) * timedelta(minutes=2)
            bar = Candle(opened, *[Decimal(100) + number] * 4, Decimal(1))
            said = (SIGNAL, GATE)
            teller.tell(Decision("ETH/USDT:USDT", bar, action, reason, said, code, **more))
        db.session.commit()
    return f"{story.bot}/decisions"


def asked(symbol="ETH/USDT:USDT", **more):
    return {"symbol": symbol, "period": "30d", **more}


def test_the_funnel_stands_beside_the_candles(owner, log):
    page = owner.get(log, query_string=asked())
    words = page.by_id("funnel_title").parent.parent.text
    assert (
        "188 candles, 38 signals, 21 blocked by funding gate, 4 blocked by daily loss, 13 entries"
        in words
    )
    assert "Signals stopped by a filter, guard or gate" in words
    assert len(page.by_class("decision")) == 60


def test_each_count_leads_to_its_candles(owner, log):
    page = owner.get(log, query_string=asked())
    links = [it.get("href") for it in page.by_class("funnel-table")[0].all("a")]
    counts = {}
    for link in links:
        counts[link] = len(owner.get(link).by_class("decision"))
    assert sorted(counts.values()) == [4, 13, 21, 25, 38, 60, 60]


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({"step": "entries"}, 13),
        ({"step": "enter_short"}, 0),
        ({"step": "signals_blocked", "blocker": "funding_gate"}, 21),
        ({"blocker": "nothing such"}, 0),
        ({"said": "funding_gate:gate:0"}, 60),
        ({"said": "funding_gate:gate:1"}, 0),
        ({"said": "::::"}, 60),
        ({"said": "funding_gate:gate:x", "step": "exits"}, 0),
        ({"period": "today"}, None),
        ({"period": "version"}, 60),
        ({"mode": "paper"}, 60),
    ],
)
def test_the_filter_finds(owner, log, more, count):
    page = owner.get(log, query_string=asked(**more))
    if count is not None:
        assert len(page.by_class("decision")) == count
        assert count or page.by_class("empty-line")


@pytest.mark.parametrize("field", ["period", "mode", "symbol", "step"])
def test_what_was_never_offered_is_refused_beside_the_field(owner, log, field):
    page = owner.get(log, query_string=asked(**{field: "nonsense"}))
    assert page.by_id(f"{field}_error").text
    assert not page.by_class("decision")
    refused = owner.client.get(f"{log}/decisions.csv", query_string=asked(**{field: "nonsense"}))
    assert refused.status_code == 422


def test_older_candles_are_pages_away(owner, log):
    page, seen = owner.get(log, query_string=asked()), []
    while True:
        seen += [it.get("id") for it in page.by_class("decision")]
        older = [it.get("href") for it in page.all("a") if it.text == "Older"]
        if not older:
            break
        page = owner.get(older[0])
    assert len(seen) == len(set(seen)) == 188


def test_one_candle_unfolds_to_each_verdict_and_the_reason(owner, log):
    page = owner.get(log, query_string=asked(blocker="funding_gate"))
    first = page.by_class("decision")[0]
    assert "funding_gate blocks" in first.text
    assert "funding gate gate" in first.text
    assert "±0.05 % passes" in first.text


def test_the_file_holds_what_is_asked_for(owner, log):
    answer = owner.client.get(f"{log}/decisions.csv", query_string=asked(step="signals"))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 38
    assert rows[0]["action"] == "enter_long"
    assert rows[0]["reason"] == "'=score 1"
    assert rows[0]["outcome"] == "entries"
    assert [row["blocked_by"] for row in rows].count("funding_gate") == 21
    assert "ema_cross (signal) 1: fast EMA crossed" in rows[0]["verdicts"]


def test_the_overview_says_today_in_one_sentence(owner, story):
    words = owner.get(story.bot).by_class("funnel-line")[0].text
    assert words.startswith("Today, UTC: ")
    assert "candles, " in words


def test_nothing_judged_says_what_will_stand_here(owner, desk):
    page = owner.get(f"{desk.resting}/decisions")
    assert "No candle was judged in this period" in page.by_class("empty-line")[0].text


def test_polling_ends_with_an_older_page_and_keeps_the_filter(owner, log):
    page = owner.get(log, query_string=asked(step="entries"))
    polled = [it.get("hx-get") for it in page.walk() if "/decisions/live" in it.get("hx-get", "")]
    assert len(polled) == 1
    assert "step=entries" in polled[0]
    assert len(owner.fragment(polled[0]).by_class("decision")) == 13
    past = owner.get(log, query_string=asked(before="2030-01-01T00:00:00+00:00"))
    assert not [it for it in past.walk() if "/decisions/live" in it.get("hx-get", "")]


@pytest.mark.parametrize("path", ["", "/live", "/decisions.csv"])
def test_a_viewer_sees_no_trade_secret(pages, desk, log, path):
    viewer = as_person(pages, desk, "viewer")
    assert viewer.client.get(f"{log}{path}").status_code == 403
    assert "funnel" not in viewer.get(log.removesuffix("/decisions")).text
