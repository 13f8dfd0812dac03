import pytest

from runner.strategy import TEMPLATES
from tests.views.filled import current_fields


def test_the_library_says_when_each_fails(owner, desk):
    page = owner.get(f"{desk.home}/strategies/templates")
    assert len(page.by_class("template")) == len(TEMPLATES)
    for template in TEMPLATES:
        assert template.fails_when in page.text


def test_a_strategy_from_a_template(owner, desk):
    url = f"{desk.home}/strategies/new?template=donchian_breakout"
    owner.get(url)
    page = owner.post(url, name="Channel")
    assert page.all("h1")[0].text == "Edit Channel"
    assert "leaves the channel" in page.text
    assert owner.get(owner.at.removesuffix("/edit")).all("h1")[0].text == "Channel v1"


def test_an_edit_writes_the_next_version(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    fields |= {"signals-0-fast": "7", "note": "a slower start"}
    page = owner.post(f"{desk.strategy}/edit", **fields)
    assert page.all("h1")[0].text.endswith("v2")
    assert "7-candle EMA" in page.text
    assert "a slower start" in page.text
    old = owner.get(f"{desk.strategy}/v/1")
    assert "5-candle EMA" in old.text


def test_a_version_is_told_in_the_words_of_its_form(owner, desk):
    facts = owner.get(desk.strategy).by_class("facts")[0].text
    assert "Direction Long and short" in facts or "DirectionLong and short" in facts


def test_an_unchanged_form_writes_nothing(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    page = owner.post(f"{desk.strategy}/edit", 422, **fields)
    assert "Nothing differs" in page.by_class("error-summary")[0].text


def test_faults_stand_beside_their_numbers(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    fields |= {"signals-0-fast": "many", "exits-0-percent": "0"}
    page = owner.post(f"{desk.strategy}/edit", 422, **fields)
    assert page.by_id("signals-0-fast").get("value") == "many"
    assert "whole number" in page.by_id("signals-0-fast_error").text
    assert page.by_id("exits-0-percent_error")


def test_a_used_strategy_is_not_archived(owner, desk):
    owner.get(desk.strategy)
    assert "uses it" in owner.post(f"{desk.strategy}/archive", 409).text


def test_an_unknown_template_says_so(owner, desk):
    assert (
        "Choose one of the templates"
        in owner.get(f"{desk.home}/strategies/new?template=x", 422).text
    )


@pytest.mark.parametrize("name", ["exits-0-percent", "signals-0-fast", "signals-0-weight", "size"])
@pytest.mark.parametrize("text", ["9" * 400, "nan", "inf", "9" * 5000])
def test_no_number_is_too_strange_for_a_message(owner, desk, name, text):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    page = owner.post(f"{desk.strategy}/edit", 422, **(fields | {name: text}))
    assert page.by_id(f"{name}_error")


def test_an_older_form_does_not_undo_a_colleagues_version(owner, desk):
    opened = current_fields(owner.get(f"{desk.strategy}/edit"))
    owner.post(f"{desk.strategy}/edit", **(opened | {"signals-0-fast": "7"}))
    page = owner.post(f"{desk.strategy}/edit", 422, **(opened | {"size": "12"}))
    assert "Version 2 was published after" in page.by_class("error-summary")[0].text
    assert page.by_id("size").get("value") == "12"
    (row,) = page.by_id("differences").all("tbody")[0].all("tr")
    assert [node.text for node in row.all("del") + row.all("ins")] == ["5 candles", "7 candles"]
    assert owner.get(desk.strategy).all("h1")[0].text.endswith("v2")


def test_whoever_was_shown_a_colleagues_version_publishes_over_it(owner, desk):
    url = f"{desk.strategy}/edit"
    opened = current_fields(owner.get(url))
    mine = opened | {"size": "12", "note": "smaller"}
    owner.post(url, **(opened | {"signals-0-fast": "7", "note": "faster"}))
    page = owner.post(url, 422, **mine)
    assert "faster" in page.by_class("notice-warn")[0].text
    shown = page.by_class("notice-warn")[0].all("button")[0]
    assert (shown.get("name"), shown.get("value")) == ("over", "2")
    assert current_fields(page)["base"] == "1"
    owner.get(url)
    owner.post(url, **(opened | {"signals-0-fast": "6"}), over="2")
    page = owner.post(url, 422, **mine, over="2")
    assert "Publish mine as version 4" in page.text, "a third one was not shown yet"
    page = owner.post(url, **mine, over="3")
    assert page.all("h1")[0].text.endswith("v4")
    assert "5-candle EMA" in page.text
    assert "6-candle EMA" in owner.get(f"{desk.strategy}/v/3").text


@pytest.mark.parametrize("over", ["99", "-1", "9" * 40, "²", "x", "0"])
def test_a_version_that_was_never_there_is_none_to_publish_over(owner, desk, over):
    opened = current_fields(owner.get(f"{desk.strategy}/edit"))
    owner.post(f"{desk.strategy}/edit", **(opened | {"signals-0-fast": "7"}))
    page = owner.post(f"{desk.strategy}/edit", 422, **(opened | {"size": "12"}), over=over)
    assert page.by_id("differences")


def test_what_is_archived_is_found_there_and_comes_back(owner, desk):
    url = f"{desk.home}/strategies/new?template=donchian_breakout"
    owner.get(url)
    owner.post(url, name="Channel 100%")
    made = owner.at.removesuffix("/edit")
    owner.post(f"{made}/archive")
    assert "Channel" not in owner.get(f"{desk.home}/strategies").by_id("strategies").text
    assert owner.get(f"{desk.home}/strategies?archived=yes").by_id("strategies").all("a")
    page = owner.post(f"{made}/restore")
    assert "is back in the library" in page.text
    assert "in the library already" in owner.post(f"{made}/restore", 409).text


@pytest.mark.parametrize(
    ("text", "found"), [("channel", True), ("100%", True), ("%", True), ("_", False)]
)
def test_the_library_is_searched_by_text(owner, desk, text, found):
    url = f"{desk.home}/strategies/new?template=ema_trend"
    owner.get(url)
    owner.post(url, name="Channel 100%")
    page = owner.get(f"{desk.home}/strategies", query_string={"q": text})
    assert ("Channel 100%" in [a.text for a in page.all("a")]) is found
    assert page.by_id("q").get("value") == text


def test_a_duplicate_goes_its_own_way(owner, desk):
    owner.get(desk.strategy)
    page = owner.post(f"{desk.strategy}/v/1/duplicate")
    assert page.all("h1")[0].text.startswith("Edit Copy of ")
    copied = owner.at
    owner.post(copied, **(current_fields(page) | {"signals-0-fast": "7"}))
    assert owner.page.all("h1")[0].text.endswith("v2")
    assert owner.get(desk.strategy).all("h1")[0].text.endswith("v1")


def test_two_versions_are_compared_in_words(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    owner.post(f"{desk.strategy}/edit", **(fields | {"signals-0-fast": "7"}))
    page = owner.get(f"{desk.strategy}/compare")
    (row,) = page.by_id("differences").all("tbody")[0].all("tr")
    assert [node.text for node in row.all("del") + row.all("ins")] == ["5 candles", "7 candles"]
    same = owner.get(f"{desk.strategy}/compare?from=2&to=2")
    assert "They do not differ" in same.text
    owner.get(f"{desk.strategy}/compare?from=1&to=9", 404)
