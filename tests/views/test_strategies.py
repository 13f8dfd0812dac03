import pytest

from runner.strategy import TEMPLATES


def current_fields(page):
    """What the form would send as it stands."""
    form = page.by_class("form")[0]
    fields = {}
    for node in form.walk():
        kind = node.get("type")
        if node.tag == "input" and kind not in ("checkbox", "radio"):
            fields[node.get("name")] = node.get("value") or ""
        if node.tag == "input" and kind == "checkbox" and "checked" in node.attributes:
            fields[node.get("name")] = node.get("value")
        if node.tag == "select":
            chosen = [o for o in node.all("option") if "selected" in o.attributes]
            fields[node.get("name")] = (chosen or node.all("option"))[0].get("value")
    return fields


def test_the_library_says_when_each_fails(owner, desk):
    page = owner.get(f"{desk.home}/strategies/templates")
    assert len(page.by_class("template")) == len(TEMPLATES)
    for template in TEMPLATES:
        assert template.fails_when in page.text


def test_a_strategy_from_a_template(owner, desk):
    url = f"{desk.home}/strategies/new?template=donchian_breakout"
    owner.get(url)
    page = owner.post(url, name="Channel")
    assert page.all("h1")[0].text == "Channel v1"
    assert "leaves the channel" in page.text


def test_an_edit_writes_the_next_version(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    fields |= {"signals-0-fast": "7", "note": "a slower start"}
    page = owner.post(f"{desk.strategy}/edit", **fields)
    assert page.all("h1")[0].text.endswith("v2")
    assert "7-candle EMA" in page.text
    assert "a slower start" in page.text
    old = owner.get(f"{desk.strategy}/v/1")
    assert "5-candle EMA" in old.text


def test_an_unchanged_form_writes_nothing(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    page = owner.post(f"{desk.strategy}/edit", 422, **fields)
    assert "Nothing differs" in page.by_class("error-summary")[0].text


def test_another_component_is_switched_on(owner, desk):
    fields = current_fields(owner.get(f"{desk.strategy}/edit"))
    fields |= {"filters-min_volatility-on": "y", "filters-min_volatility-percent": "0.2"}
    page = owner.post(f"{desk.strategy}/edit", **fields)
    assert "ATR is at least 0.2 %" in page.text


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
    assert owner.get(desk.strategy).all("h1")[0].text.endswith("v2")
