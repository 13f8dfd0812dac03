"""The builder's preview as a browser asks for it, with and without script."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.domain import preview_runs, previews
from app.gateways.backtest_outcome import End, Outcome
from app.models import AuditEvent, Preview, PreviewState, StrategyVersion
from app.web import preview_pages
from tests import previewed, site
from tests.views.filled import current_fields


class Builder:
    """The edit page, and what it asks for by script."""

    def __init__(self, pages, desk):
        self.pages, self.url = pages, f"{desk.strategy}/preview"
        self.edit = f"{desk.strategy}/edit"
        self.fields = current_fields(pages.get(self.edit))

    def ask(self, **change):
        self.fields |= change
        return self.pages.fragment(self.url, **self.fields)

    def poll(self, page):
        return page.by_id("preview").get("hx-get")


@pytest.fixture
def builder(owner, desk):
    return Builder(owner, desk)


class Rows:
    """The rows behind the pages, each time in a transaction of its own."""

    def __init__(self, house):
        self.house = house

    def count(self, model, *where):
        with site.rows(self.house) as session:
            return session.scalar(select(func.count()).select_from(model).where(*where))

    def waiting(self):
        return self.count(Preview, Preview.state == PreviewState.QUEUED)

    def do(self, statement):
        with site.rows(self.house) as session:
            session.execute(statement)

    def answer(self, said=None):
        """What a worker would do with the one that waits; its id."""
        now = datetime.now(UTC)
        with site.rows(self.house) as session:
            query = select(Preview.id).where(Preview.state == PreviewState.QUEUED)
            (waiting,) = session.scalars(query).all()
            errand = preview_runs.begin(waiting, now)
            outcome = said or Outcome(End.DONE, previewed.answer())
            assert preview_runs.finish(errand, outcome, now)
        return waiting


@pytest.fixture
def rows(house):
    return Rows(house)


def test_opening_the_page_begins_nothing(builder, rows):
    assert not rows.count(Preview)
    page = builder.pages.get(builder.edit)
    assert "No preview yet" in page.by_id("preview").text
    assert page.by_id("preview_box").get("hx-trigger").startswith("load")


def test_what_is_typed_is_worked_out_and_shown(builder, rows):
    page = builder.ask()
    assert "Being worked out" in page.by_id("preview").text
    rows.answer()
    page = builder.pages.fragment(builder.poll(page), 286)
    shown = page.by_id("preview")
    assert shown.by_class("candles-plot")
    assert shown.get("hx-get") is None
    assert "says nothing about profit" in shown.text
    assert "How often each component agreed" in shown.text
    assert "preview-old" not in shown.get("class")
    table = shown.by_id("preview_rows")
    assert len(table.all("tbody")[0].all("tr")) > 3


def test_nothing_of_it_is_saved(builder, rows):
    before = rows.count(AuditEvent), rows.count(StrategyVersion)
    builder.ask(**{"signals-0-fast": "7"})
    assert (rows.count(AuditEvent), rows.count(StrategyVersion)) == before


def test_a_change_makes_the_shown_one_old_until_the_new_one_is_there(builder, rows):
    builder.ask()
    first = rows.answer()
    page = builder.ask(previewed=first, **{"signals-0-fast": "7"})
    old = page.by_id("preview")
    assert "preview-old" in old.get("class")
    assert "out of date" in old.text
    assert old.by_class("candles-plot")
    second = rows.answer()
    page = builder.pages.fragment(builder.poll(page), 286)
    assert "preview-old" not in page.by_id("preview").get("class")
    hidden = next(n for n in page.all("input") if n.get("name") == "previewed")
    assert hidden.get("value") == second != first


def test_going_back_shows_the_first_at_once(builder, rows):
    builder.ask(**{"signals-0-fast": "8"})
    first = rows.answer()
    builder.ask(previewed=first, **{"signals-0-fast": "7"})
    page = builder.ask(previewed=first, **{"signals-0-fast": "8"})
    assert "candles-plot" in str([n.get("class") for n in page.by_id("preview").walk()])
    assert page.by_id("preview").get("hx-get") is None


def test_faults_are_named_and_the_last_good_one_stays_as_old(builder, rows):
    builder.ask()
    first = rows.answer()
    page = builder.ask(previewed=first, **{"exits-0-percent": "0", "signals-0-fast": "many"})
    shown = page.by_id("preview")
    links = {node.get("href") for node in shown.all("a")}
    assert {"#exits-0-percent", "#signals-0-fast"} <= links
    assert "preview-old" in shown.get("class")
    assert shown.by_class("candles-plot")
    assert not rows.waiting()


@pytest.mark.parametrize(
    "fault",
    [
        "BTC/USDT:USDT is not listed there any more",
        "the venue cannot be reached; try again later",
        preview_runs.LATE,
    ],
)
def test_what_failed_says_why_and_can_be_tried_again(builder, rows, fault):
    page = builder.ask()
    said = {"component": "history", "field": "", "message": fault}
    rows.answer(Outcome(End.FAILED, fault=said))
    page = builder.pages.fragment(builder.poll(page), 286)
    assert fault[1:] in page.by_id("preview").text
    assert "The preview failed" in builder.ask().by_id("preview").text
    assert "Being worked out" in builder.ask(again="yes").by_id("preview").text


def test_one_that_was_superseded_says_so(builder, rows):
    first = builder.ask()
    builder.ask(**{"signals-0-fast": "7"})
    page = builder.pages.fragment(builder.poll(first), 286)
    assert "Another preview was asked for" in page.by_id("preview").text


def test_a_worker_that_is_away_is_named(builder, rows):
    page = builder.ask()
    long_ago = datetime.now(UTC) - previews.SILENT - timedelta(seconds=1)
    rows.do(update(Preview).values(heard_at=long_ago))
    page = builder.pages.fragment(builder.poll(page))
    assert "worker of the queue" in page.by_id("preview").text
    assert page.by_id("preview").get("hx-get"), "it goes on waiting"


def test_too_many_of_a_workspace_are_refused_in_words(builder, rows, monkeypatch):
    monkeypatch.setattr(previews, "MOST_WAITING", 0)
    assert "Wait a moment" in builder.ask().by_id("preview").text


def test_a_market_that_is_not_there_is_named(builder):
    page = builder.ask(preview_exchange="moon")
    assert "cannot be previewed" in page.by_id("preview").text


def picked(page, name):
    (chosen,) = [it for it in page.by_id(name).all("option") if "selected" in it.attributes]
    return chosen.get("value")


def test_the_market_that_was_picked_is_picked_the_next_time(builder):
    assert picked(builder.pages.get(builder.edit), "preview_symbol") == previewed.SYMBOL
    builder.ask(timeframe="1m", preview_exchange="bybit", preview_symbol="ETH/USDT:USDT")
    page = builder.pages.get(builder.edit)
    assert picked(page, "preview_exchange") == "bybit"
    assert picked(page, "preview_symbol") == "ETH/USDT:USDT"
    builder.ask(preview_exchange="moon")
    assert picked(builder.pages.get(builder.edit), "preview_exchange") == "bybit"


def test_candles_that_the_market_does_not_have_are_named(builder, rows):
    page = builder.ask(timeframe="1s", preview_exchange="bybit")
    assert "Bybit has no 1s candles; choose a strategy on 1m, 5m" in page.text
    assert not rows.waiting()


def test_as_many_markets_are_remembered_as_a_cookie_holds(builder, monkeypatch):
    monkeypatch.setattr(preview_pages, "MOST_REMEMBERED", 2)
    with builder.pages.client.session_transaction() as session:
        session["preview_markets"] = {"a": ["okx", "x"], "b": ["okx", "y"]}
    builder.ask()
    with builder.pages.client.session_transaction() as session:
        kept = session["preview_markets"]
    assert list(kept) == ["b", builder.url.split("/")[4]]


def test_without_script_the_button_does_the_same(builder, rows):
    fields = builder.fields | {"step": "preview", "signals-0-fast": "7"}
    page = builder.pages.post(builder.edit, 200, **fields)
    assert page.by_id("signals-0-fast").get("value") == "7"
    assert "Being worked out" in page.by_id("preview").text
    rows.answer()
    page = builder.pages.post(builder.edit, 200, **fields)
    assert page.by_id("preview").by_class("candles-plot")
    assert builder.pages.get(builder.edit).by_id("signals-0-fast").get("value") != "7"


def test_a_step_tells_the_preview_that_rules_changed(builder):
    builder.pages.fragment(builder.edit, **(builder.fields | {"step": "remove:filters-0"}))
    told = builder.pages.response.headers["HX-Trigger"]
    assert json.loads(told) == {"rules-changed": {}}


def test_a_viewer_asks_for_none(viewer, desk):
    viewer.get(f"{desk.home}/")
    viewer.post(f"{desk.strategy}/preview", 403)
