"""The builder, step by step, as a browser without script sends it."""

import pytest

from runner.strategy import COMPONENTS
from tests.views.filled import current_fields


@pytest.fixture
def edit(owner, desk):
    """The edit page of the desk's strategy, its address and a way to take a step there."""
    return Builder(owner, f"{desk.strategy}/edit")


class Builder:
    def __init__(self, pages, url):
        self.pages, self.url = pages, url
        self.page = pages.get(url)

    def step(self, step, **fields):
        sent = current_fields(self.page) | fields | {"step": step}
        self.page = self.pages.post(self.url, 200, **sent)
        return self.page

    def publish(self, status=303, **fields):
        sent = current_fields(self.page) | fields
        self.page = self.pages.post(self.url, status, **sent)
        return self.page

    def parts(self, section):
        names = current_fields(self.page)["part"]
        return [name for name in names if name.startswith(section)]


def test_the_page_shows_what_the_strategy_has_and_no_more(edit):
    shown = current_fields(edit.page)
    assert len(shown["part"]) == len(edit.page.by_class("part"))
    assert len(shown) < 40


def test_a_component_is_found_added_and_published(edit):
    page = edit.step("pick:filters")
    assert len(page.by_id("picker_list").all("li")) > 10
    page = edit.step("pick:filters", find="atr share least")
    kinds = {node.get("value") for node in page.by_id("picker_list").all("button")}
    assert all(COMPONENTS[kind.rpartition(":")[2]].roles.count("filter") for kind in kinds)
    edit.step("add:filters:min_volatility")
    before = edit.parts("filters")
    assert "min_volatility" in before[-1]
    key = before[-1].partition(":")[0]
    assert "checked" in edit.page.by_id(f"{key}-on").attributes
    page = edit.publish(**{f"{key}-percent": "0.2"})
    assert "ATR is at least 0.2 %" in page.text


def test_what_was_typed_survives_every_step(edit):
    steps = ["pick:exits", "add:exits:take_profit", "up:exits-1", "remove:signals-0", "look"]
    typed = {"exits-0-percent": "many", "note": "half a thought", "size": "0,5"}
    for step in steps:
        page = edit.step(step, **typed)
        for name, text in typed.items():
            assert page.by_id(name).get("value") == text, (step, name)
    assert "whole number" in page.text or page.by_id("exits-0-percent_error")


def test_entries_change_places(edit):
    edit.step("add:signals:macd_cross")
    first, second = edit.parts("signals")[:2]
    edit.step(f"up:{second.partition(':')[0]}")
    assert edit.parts("signals")[:2] == [second, first]
    edit.step(f"up:{second.partition(':')[0]}")
    assert edit.parts("signals")[:2] == [second, first]
    edit.step(f"down:{second.partition(':')[0]}")
    assert edit.parts("signals")[:2] == [first, second]


def test_an_entry_is_switched_off_and_another_removed(edit):
    edit.step("add:signals:macd_cross")
    key = edit.parts("signals")[1].partition(":")[0]
    edit.publish(**{f"{key}-on": "", f"{key}-weight": "2.5", "note": "off for now"})
    assert "off" in [node.text for node in edit.page.by_class("badge")]
    edit.page = edit.pages.get(edit.url)
    edit.step(f"remove:{key}")
    assert len(edit.parts("signals")) == 1


def test_without_signals_the_list_says_so_and_nothing_is_written(edit):
    page = edit.step("remove:signals-0")
    assert "at least one signal" in page.by_id("section_signals_error").text
    page = edit.publish(422)
    assert "#section_signals" in [a.get("href") for a in page.by_class("error-summary")[0].all("a")]


def test_htmx_gets_the_builder_alone(edit):
    sent = current_fields(edit.page) | {"step": "pick:gates", "find": "no such words at all"}
    piece = edit.pages.fragment(edit.url, **sent)
    assert piece.by_id("builder")
    assert not piece.all("h1")
    assert "Nothing has these words" in piece.by_id("picker_list").text


@pytest.mark.parametrize(
    "step",
    ["add:signals:stop_loss", "add:nowhere:ema_cross", "up:", "remove:exits-99", "pick:x", "?"],
)
def test_a_step_no_page_offers_changes_nothing(edit, step):
    before = current_fields(edit.page)["part"]
    edit.step(step)
    assert current_fields(edit.page)["part"] == before


def test_slots_no_page_would_send_are_left_out(edit):
    real = current_fields(edit.page)["part"]
    strange = ["", "signals-0", "signals-7:stop_loss", "x-1:ema_cross", *real, "signals-1000:x"]
    edit.step("look", part=[*real, *strange])
    assert current_fields(edit.page)["part"] == real


def test_a_list_takes_so_many_and_no_more(edit):
    for _ in range(3):
        edit.step("add:filters:min_volatility")
    many = [f"filters-{index}:min_volatility" for index in range(30)]
    edit.step("add:filters:min_volatility", part=[*edit.parts("signals"), *many])
    assert len(edit.parts("filters")) == 20
    assert edit.page.by_id("pick_filters") is None
