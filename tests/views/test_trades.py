"""Trades as pages: found, sorted, looked at, compared, written about, and taken out."""

import csv
import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.domain.trades import listing
from app.extensions import db
from app.models import AuditEvent, Bot, TradeNote, TradeRow, TradeTag
from runner.protocol import Mode, Side
from tests import factories, site
from tests.views.conftest import as_person

HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(house, desk):
    """Three closed trades of one bot on paper, one of another on a testnet; one is still open."""
    now = datetime.now(UTC)
    with site.rows(house):
        resting = db.session.get_one(Bot, desk.resting.rpartition("/")[2])
        paper = factories.run(resting, now=now - 9 * 24 * HOUR)
        eth = factories.run(resting, now=now, symbols=["ETH/USDT:USDT"])
        tested = factories.run(resting, Mode.TESTNET, now=now)
        rows = {
            "won": factories.trade(paper, 100, 112, 2, now - 5 * HOUR, now - 3 * HOUR),
            "lost": factories.trade(
                paper, 100, 95, 0, now - 9 * 24 * HOUR, now - 8 * 24 * HOUR, kind="stop_loss"
            ),
            "short": factories.trade(eth, 100, 99, 0, now - HOUR, now - HOUR / 2, side=Side.SELL),
            "tested": factories.trade(tested, 100, 500, 0, now - HOUR, now - HOUR / 2),
        }
        found = {name: row.id for name, row in rows.items()}
        db.session.commit()
    return SimpleNamespace(home=f"{desk.home}/trades", **found)


def shown(page):
    """The trades on a page, in its order."""
    links = [it.get("href") for it in page.all("a") if "/trades/trd_" in it.get("href")]
    return [link.rpartition("/")[2] for link in links]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("result=won&mode=paper&range=30d", ["short", "won"]),
        ("result=lost", ["lost"]),
        ("kind=stop_loss", ["lost"]),
        ("mode=testnet", ["tested"]),
        ("symbol=ETH/USDT:USDT", ["short"]),
        ("side=sell&range=7d", ["short"]),
        ("range=7d&symbol=BTC/USDT:USDT&mode=paper&result=won", ["won"]),
        ("mode=paper&result=won&sort=result&order=rising", ["short", "won"]),
        ("kind=take_profit&sort=length&mode=paper", ["won", "short"]),
        ("until=2020-01-01", []),
    ],
)
def test_the_list_is_filtered_and_sorted(owner, ledger, asked, names):
    assert shown(owner.get(f"{ledger.home}?{asked}")) == [getattr(ledger, it) for it in names]


def test_a_bots_list_shows_its_trades_alone(owner, desk, ledger):
    mine = owner.get(f"{ledger.home}?bot={desk.resting.rpartition('/')[2]}")
    assert set(shown(mine)) == {ledger.won, ledger.lost, ledger.short, ledger.tested}
    other = shown(owner.get(f"{ledger.home}?bot={desk.bot.rpartition('/')[2]}&result=open"))
    assert len(other) == 1
    assert set(shown(owner.get(ledger.home))) == set(shown(mine)) | set(other)


def test_a_day_that_is_none_says_so(owner, ledger):
    page = owner.get(f"{ledger.home}?since=yesterday")
    assert "Write a day as" in page.text
    assert not page.by_id("rows")
    owner.get(f"{ledger.home}?result=funny&mode=x&page=x&sort=x")


def test_pages_of_the_list(owner, ledger, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    first = owner.get(f"{ledger.home}?result=won")
    second = owner.get(f"{ledger.home}?result=won&page=2")
    assert len(shown(first)) == 2
    assert len(shown(second)) == 1
    assert not set(shown(first)) & set(shown(second))
    assert "page=2" in str([it.get("href") for it in first.all("a")])


def test_one_trade_tells_where_its_result_comes_from(owner, ledger):
    page = owner.get(f"{ledger.home}/{ledger.won}")
    assert "+10.00" in page.text
    assert "No decision on a candle" in page.text
    assert owner.get(f"{ledger.home}/{ledger.lost}")


def test_a_told_session_has_decisions_fills_and_a_chart(house, owner, story):
    with site.rows(house):
        bot = story.bot.rpartition("/")[2]
        trade = db.session.scalars(
            select(TradeRow.id).where(TradeRow.bot_id == bot, TradeRow.closed_at.is_not(None))
        ).first()
    page = owner.get(f"{story.home}/trades/{trade}")
    assert len(page.by_id("fills").all("tr")) == 3
    owner.get(f"{story.home}/trades/{trade}/series")
    told = owner.response.get_json()
    assert len(told["markers"]) == 2
    assert told["candles"]


def test_a_viewer_sees_no_verdicts_and_writes_nothing(viewer, ledger):
    page = viewer.get(f"{ledger.home}/{ledger.won}")
    assert "No decision on a candle" not in page.text
    assert not page.by_id("note")
    viewer.post(f"{ledger.home}/{ledger.won}/note", 403, note="x", tags="")


def test_a_note_is_written_changed_and_taken_back_with_one_event_each(house, trader, ledger):
    address = f"{ledger.home}/{ledger.won}"
    trader.get(address)
    trader.post(f"{address}/note", note="Too early.", tags="News, late entry,news")
    trader.post(f"{address}/note", note="Too early.", tags="late entry, news")
    page = trader.get(f"{ledger.home}?tag=news")
    assert shown(page) == [ledger.won]
    assert "Too early." in page.text
    trader.get(address)
    trader.post(f"{address}/note", note="", tags="news")
    with site.rows(house):
        assert db.session.get(TradeNote, ledger.won) is None
        tags = db.session.scalars(select(TradeTag.name).where(TradeTag.trade_id == ledger.won))
        assert list(tags) == ["news"]
        events = db.session.scalars(
            select(AuditEvent.changes).where(AuditEvent.action == "trade.annotate")
        ).all()
    assert [[it["field"] for it in changes] for changes in events] == [["note", "tags"]] * 2


@pytest.mark.parametrize(
    ("note", "tags", "said"),
    [
        ("x" * 2001, "", "at most 2000"),
        ("", "<b>", "is no tag"),
        ("", ",".join(map(str, range(11))), "at most 10 tags"),
        ("", "y" * 31, "at most 30"),
    ],
)
def test_what_does_not_do_stands_beside_its_field(trader, ledger, note, tags, said):
    trader.get(f"{ledger.home}/{ledger.won}")
    page = trader.post(f"{ledger.home}/{ledger.won}/note", 422, note=note, tags=tags)
    assert said in page.text


def test_up_to_four_side_by_side(owner, ledger):
    ids = [ledger.won, ledger.lost, ledger.tested]
    page = owner.get(f"{ledger.home}/compare?" + "&".join(f"trade={it}" for it in ids))
    assert [it for it in ids if it in str([a.get("href") for a in page.all("a")])] == ids
    assert "different modes" in page.text
    lone = owner.get(f"{ledger.home}/compare?trade={ledger.won}&trade=trd_none")
    assert "Choose two" in lone.text


def test_the_file_holds_what_is_filtered(owner, ledger, monkeypatch):
    owner.get(ledger.home)
    answer = owner.client.get(f"{ledger.home}/trades.csv?result=won&mode=paper")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert {row["trade"]: row["net"] for row in rows} == {ledger.won: "10", ledger.short: "1"}
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_viewer_takes_no_file_out(pages, desk, ledger):
    person = as_person(pages, desk, "viewer")
    person.get(f"{ledger.home}/trades.csv", 403)
    person.get(f"{desk.home}/tax", 403)
    assert "trades.csv" not in str(person.get(ledger.home).all("a"))


def test_the_tax_page_offers_each_year_and_its_file(owner, desk, ledger):
    year = datetime.now(UTC).year
    assert str(year) in owner.get(f"{desk.home}/tax").text
    answer = owner.client.get(f"{desk.home}/tax/{year}.csv?mode=testnet")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["kind"], row["amount"]) for row in rows] == [("trade", "400")]
    live = owner.client.get(f"{desk.home}/tax/{year}.csv").get_data(as_text=True)
    assert len(live.splitlines()) == 1
    assert owner.client.get(f"{desk.home}/tax/1999.csv").status_code == 404


def test_a_text_that_would_calculate_is_kept_a_text(house, owner, desk, ledger):
    with site.rows(house):
        trade = db.session.scalars(select(TradeRow).where(TradeRow.id == ledger.won)).one()
        trade.exit_reason = "=HYPERLINK(1)"
        db.session.commit()
    owner.get(ledger.home)
    body = owner.client.get(f"{ledger.home}/trades.csv").get_data(as_text=True)
    assert "'=HYPERLINK(1)" in body
