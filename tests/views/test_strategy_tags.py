"""Tags of strategies: put on, taken off, shown, searched by, taken along in a file."""

import io

import pytest
from sqlalchemy import select

from app.models import AuditEvent, StrategyTag
from tests import site


def names(page):
    """What the library lists."""
    return [row.all("a")[0].text for row in page.by_id("strategies").all("tbody")[0].all("tr")]


def another(owner, desk, name):
    url = f"{desk.home}/strategies/new?template=ema_trend"
    owner.get(url)
    owner.post(url, name=name)
    return owner.at.removesuffix("/edit")


def put(owner, strategy, tags):
    owner.get(strategy)
    return owner.post(f"{strategy}/tags", tags=tags)


def test_they_are_put_on_shown_and_taken_off(owner, desk):
    page = put(owner, desk.strategy, "Scalping, ether,scalping")
    assert [node.text for node in page.by_class("tag")] == ["ether", "scalping"]
    assert page.by_id("tags").get("value") == "ether, scalping"
    page = put(owner, desk.strategy, "ether")
    assert [node.text for node in page.by_class("tag")] == ["ether"]
    assert not put(owner, desk.strategy, "").by_class("tag")


def test_each_change_is_one_event_and_no_change_is_none(owner, desk, house):
    for tags in ("a, b", "b, a", "a"):
        put(owner, desk.strategy, tags)
    with site.rows(house) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "strategy.tag"))
        told = [event.changes for event in events]
    assert [[it["field"] for it in changes] for changes in told] == [["tags"], ["tags"]]
    assert [changes[0]["after"] for changes in told] == ["a, b", "a"]


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("<b>", "is no tag"),
        ("x" * 31, "is no tag"),
        ("a,b,c,d,e,f,g,h,i,j,k", "at most 10"),
        ("-dash", "is no tag"),
    ],
)
def test_what_is_no_tag_is_refused_and_kept_as_typed(owner, desk, house, tags, said):
    owner.get(desk.strategy)
    page = owner.post(f"{desk.strategy}/tags", 422, tags=tags)
    assert said in page.by_id("tags_error").text
    assert page.by_id("tags").get("value") == tags
    with site.rows(house) as session:
        assert not session.scalars(select(StrategyTag)).all()


def test_the_library_and_its_archive_are_filtered_by_tag(owner, desk):
    shelved, kept = another(owner, desk, "Old ether"), another(owner, desk, "New ether")
    for strategy in (shelved, kept):
        put(owner, strategy, "ether")
    put(owner, desk.strategy, "ether two")
    owner.get(shelved)
    owner.post(f"{shelved}/archive")
    library = f"{desk.home}/strategies"
    assert names(owner.get(library, query_string={"tag": "ether"})) == ["New ether"]
    both = {"tag": "ether", "archived": "yes"}
    assert names(owner.get(library, query_string=both)) == ["Old ether"]
    page = owner.get(library, query_string={"tag": "ether", "q": "nothing"})
    assert "Nothing has these words" in page.text
    page = owner.get(library, query_string={"tag": "no such"})
    assert "Nothing has this tag" in page.text
    chosen = [o.text for o in page.by_id("tag").all("option") if "selected" in o.attributes]
    assert chosen == ["no such"]


def test_a_duplicate_and_a_file_take_them_along(owner, desk):
    put(owner, desk.strategy, "ether, scalping")
    owner.post(f"{desk.strategy}/v/1/duplicate")
    copied = owner.get(owner.at.removesuffix("/edit"))
    assert [node.text for node in copied.by_class("tag")] == ["ether", "scalping"]
    owner.client.get(f"{desk.strategy}/v/1/export")
    content = owner.client.get(f"{desk.strategy}/v/1/export").get_data()
    owner.get(f"{desk.home}/strategies/import")
    page = owner.post(f"{desk.home}/strategies/import", file=(io.BytesIO(content), "tide.yaml"))
    assert [node.text for node in page.by_class("tag")] == ["ether", "scalping"]


def test_whoever_may_not_change_strategies_changes_no_tag(viewer, desk):
    viewer.get(f"{desk.home}/")
    viewer.post(f"{desk.strategy}/tags", 403, tags="mine")
