"""The feed holds what RFC 4287 asks of it, whatever was written in an incident."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from app.domain.status import components, feed
from app.domain.status.feed import ATOM
from app.models import IncidentState
from tests.domain.status import desk
from tests.factories import NOW

LATER = NOW + timedelta(hours=1)
HOSTILE = 'Ends ]]> & <script>alert("1")</script> \x07 \ud800 \uffff café'


def made(found, base_url="https://plutarc.test"):
    raw = feed.atom(found, title="plutarc status", base_url=base_url, born=NOW)
    return ET.fromstring(raw)


def text(parent, name):
    return [it.text for it in parent.findall(f"{{{ATOM}}}{name}")]


def check(root, base_url="https://plutarc.test"):
    """What every feed and every entry must have, once."""
    assert root.tag == f"{{{ATOM}}}feed"
    entries = root.findall(f"{{{ATOM}}}entry")
    for it in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(text(it, name)) == 1, name
            assert text(it, name)[0]
        assert text(it, "updated")[0].endswith("Z")
    assert len({text(it, "id")[0] for it in entries}) == len(entries)
    authors = root.findall(f"{{{ATOM}}}author")
    assert len(authors) == 1
    assert text(authors[0], "name")
    links = {it.get("rel"): it.get("href") for it in root.findall(f"{{{ATOM}}}link")}
    assert links == {
        "self": f"{base_url}/status/feed.atom",
        "alternate": f"{base_url}/status",
    }
    return entries


def test_an_empty_feed_is_whole_and_stays_the_same():
    assert check(made([])) == []
    assert ET.tostring(made([])) == ET.tostring(made([]))


@pytest.fixture
def olga(app):
    return desk.operator()


def test_each_incident_is_one_entry_with_all_its_updates(olga):
    first = desk.begin(olga, "First", hits=[components.FLEET, components.MAIL])
    desk.tell(first, olga, IncidentState.RESOLVED, LATER, body="Cured.")
    second = desk.begin(olga, "Second")
    root = made([second, first])
    entries = check(root)
    assert [text(it, "title")[0] for it in entries] == [
        "Second (investigating)",
        "First (resolved)",
    ]
    content = entries[1].find(f"{{{ATOM}}}content")
    assert content.get("type") == "text"
    assert content.text.index("Cured.") < content.text.index("We look into it.")
    assert text(entries[1], "updated") == [LATER.strftime("%Y-%m-%dT%H:%M:%SZ")]
    assert text(root, "updated") == text(entries[1], "updated")
    assert len(entries[1].findall(f"{{{ATOM}}}category")) == 2


def test_an_entry_keeps_its_id_wherever_the_site_moves(olga):
    incident = desk.begin(olga)
    there, elsewhere = (
        check(made([incident], url), url)[0] for url in ("https://a.test", "https://b.test")
    )
    before = text(there, "id")
    assert before == text(elsewhere, "id")
    desk.tell(incident, olga, IncidentState.RESOLVED, LATER)
    assert text(check(made([incident]))[0], "id") == before
    assert before[0].startswith("urn:uuid:")


def test_what_xml_cannot_hold_does_not_break_it():
    root = ET.Element("root")
    feed._text(root, "title", HOSTILE)
    (child,) = ET.fromstring(ET.tostring(root, encoding="utf-8"))
    assert child.text == HOSTILE.replace("\x07", "\ufffd").replace("\ud800", "\ufffd").replace(
        "\uffff", "\ufffd"
    )


def test_the_summary_names_what_is_public_and_no_more(olga):
    incident = desk.begin(olga)
    found = feed.summary(components.standings(NOW, {}), [incident])
    assert found.keys() == {"components", "incidents"}
    assert {frozenset(it) for it in found["components"]} == {
        frozenset({"key", "kind", "title", "condition"})
    }
    (told,) = found["incidents"]
    assert told.keys() == {"id", "title", "state", "impact", "components", "began_at"}
