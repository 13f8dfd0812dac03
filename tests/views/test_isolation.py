"""Two workspaces full of everything, every text of the second one marked: the first never shows it.

On SQLite, and on PostgreSQL as a role that the row policies bind.
"""

import re
from collections import Counter
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app import tenancy
from app.extensions import db
from tests import people, site
from tests.pages import Tree
from tests.routes import SAMPLES, Knock, Visitor, knocks

MARKER = "qzx98q"
ID = re.compile(r"^[a-z]{2,5}_[a-z2-7]{26}$")
REFUSED = frozenset({400, 403, 404, 409, 422})
IGNORING = {"panic": 303, "audit/export": 200}
"""Panic passes over ids that are not there: none may keep the others from being flattened. An
export by a foreign id is an empty one."""

SAME = frozenset(
    {"key", "number", "month", "tab", "filename", "token", "workspace_id", "incident_id"}
    | {"exchange", "certification_id"}
)
SAME |= {
    "year",
    "region",
    "alarm_id",
    "find_id",
    "upgrade_id",
    "banner_id",
    "machine_id",
    "hold_id",
}
"""Holes whose value names no row, and tokens: whoever holds one is let in by it."""

PLAIN = frozenset({"bot_address", "bot_compute", "candle", "equity_point", "fill", "position"})
PLAIN |= {"audit_head", "audit_checkpoint", "trade", "decision_block", "ownership_offer", "run"}
PLAIN |= {"invitation_link", "membership", "outbox", "ticket_note"}
PLAIN |= {"billing_terms", "budget", "budget_alert", "kill_bot", "equity_day"}
"""Tables in which nobody writes words of their own."""


@pytest.fixture(params=["sqlite", "postgresql"])
def street(request, tmp_path):
    """An application with both, and a browser of the owner of the first."""
    url = None if request.param == "sqlite" else request.getfixturevalue("fenced_url")
    app = site.build(tmp_path, url)
    with app.app_context():
        ours = people.settle(places=["desk"])
        theirs = people.settle(MARKER, places=["desk"])
        db.session.remove()
    visitor = Visitor(app, ours.tokens["owner"])
    yield SimpleNamespace(
        app=app,
        mine=ours.places["desk"],
        other=theirs.places["desk"],
        own={"session_id": ours.sessions["owner"]},
        foreign={"session_id": theirs.sessions["owner"]},
        visitor=visitor,
        theirs=Visitor(app, theirs.tokens["owner"]),
    )
    with app.app_context():
        db.engine.dispose()


def rows_of(app, workspace):
    """Every row of a workspace by table, as text."""
    found = {}
    with app.app_context(), tenancy.everywhere("to compare"):
        for table in db.metadata.sorted_tables:
            key = table.c.get("workspace_id", table.c.get("chain"))
            key = table.c.id if table.name == "workspace" else key
            if key is not None:
                rows = db.session.execute(select(table).where(key == workspace))
                found[table.name] = sorted(map(repr, rows))
        db.session.remove()
    return found


def links_of(body):
    """Where a page leads and what it loads by itself."""
    found = re.findall(r'(?:href|hx-get|data-[a-z-]*url|src)="(/[^"]*)"', body)
    return {link.replace("&amp;", "&").partition("#")[0] for link in found}


def crawl(street, start, visitor, most=400):
    """Every page there is: the routes, and whatever they link to. Yields address and body.

    Of links that differ in their values alone two are followed: a log links to itself without end.
    """
    waiting, seen, kinds = list(dict.fromkeys(start)), set(), Counter()
    while waiting and len(seen) < most:
        address = waiting.pop(0)
        if address in seen or address.startswith("/static/"):
            continue
        seen.add(address)
        kind = re.sub(r"=[^&]*|[a-z]{2,5}_[a-z2-7]{26}", "", address)
        kinds[kind] += 1
        if kinds[kind] > 2 and address not in start:
            continue
        for fragment in (False, True) if address in start else (False,):
            knock = Knock("", "", "GET", address)
            answer = visitor.knock(knock, fragment=fragment)
            body = answer.get_data(as_text=True)
            assert answer.status_code < 500, f"{address}: {body[-500:]}"
            yield address, f"{answer.headers}{body}"
        if answer.mimetype == "text/html":
            waiting += sorted(links_of(body) - seen)


def addresses(street, place, own):
    found = knocks(street.app, place, **own)
    skipped = ("public", "operator")
    return [k.address for k in found if k.method == "GET" and k.guard not in skipped]


def test_no_page_fragment_export_or_inbox_of_one_shows_anything_of_the_other(street):
    start = addresses(street, street.mine, street.own)
    pages = list(crawl(street, start, street.visitor))
    shown = {address for address, body in pages if MARKER in body.lower()}
    assert not shown
    assert len({urlsplit(address).path for address, _ in pages}) >= len(set(start))
    told = rows_of(street.app, street.mine.workspace)
    assert not [table for table, rows in told.items() if MARKER in "".join(rows).lower()]


def test_the_marker_is_everywhere_where_it_may_be(street):
    """So that its absence elsewhere means something."""
    told = rows_of(street.app, street.other.workspace)
    empty = sorted(table for table, rows in told.items() if not rows)
    assert not empty, f"Give {empty} a row in tests/estate.py"
    bare = sorted(t for t, rows in told.items() if MARKER not in "".join(rows).lower())
    assert set(bare) <= PLAIN, "Mark the words in these tables in tests/estate.py"
    start = addresses(street, street.other, street.foreign)
    marked = {a for a, body in crawl(street, start, street.theirs, 60) if MARKER in body.lower()}
    assert len(marked) > 20


def swaps(street):
    """Every address of the first workspace with an id of the second in one place or in all."""
    for rule in street.app.url_map.iter_rules():
        holes = sorted(rule.arguments - SAME - {"workspace"})
        for hole in holes:
            foreign = street.foreign.get(hole) or SAMPLES[hole](street.other)
            for names in {(hole,), tuple(holes)}:
                own = street.own | {
                    name: street.foreign.get(name) or SAMPLES[name](street.other) for name in names
                }
                assert foreign in own.values()
                yield from (
                    knock
                    for knock in knocks(street.app, street.mine, **own)
                    if knock.endpoint == rule.endpoint
                )


def forms_with_ids(street):
    """Every form of the first workspace that names rows, filled with those of the second."""
    ids = {value.partition("_")[0]: value for value in foreign_ids(street)}
    done = set()
    for address, text in crawl(street, addresses(street, street.mine, street.own), street.visitor):
        body = text[text.find("<!doctype") :]
        if "<form" not in body or not body.startswith("<!doctype"):
            continue
        for form in Tree(body).root.all("form"):
            fields = fields_of(form)
            swapped = {n: ids.get(v.partition("_")[0], v) for n, v in fields.items() if ID.match(v)}
            target = form.get("action") or address
            key = (target, tuple(sorted(swapped)))
            if (form.get("method") or "").lower() == "post" and swapped and key not in done:
                done.add(key)
                yield Knock("", "", "POST", target), fields | swapped


def foreign_ids(street):
    return [v for v in vars(street.other).values() if isinstance(v, str) and ID.match(v)]


def fields_of(form):
    """What a browser would send; of a choice, the last, and the button that names a row."""
    fields = {}
    for node in form.walk():
        name, value = node.get("name"), node.get("value")
        pressed = node.tag == "button" and ID.match(value or "")
        if name and name != "csrf_token" and (node.tag == "input" or pressed):
            fields[name] = value or ""
        if node.tag == "select":
            options = [o.get("value") for o in node.all("option") if o.get("value")]
            fields[name] = options[-1] if options else ""
    return fields


def test_an_id_of_another_workspace_is_not_found_and_changes_nothing(street):
    before = rows_of(street.app, street.other.workspace)
    tried, wrong = 0, []
    for knock in swaps(street):
        answer = street.visitor.knock(knock)
        body = answer.get_data(as_text=True)
        tried += 1
        if answer.status_code != 404 or MARKER in body.lower():
            wrong.append(f"{knock}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert tried > 40
    assert rows_of(street.app, street.other.workspace) == before


def test_a_form_with_ids_of_another_workspace_is_refused_and_changes_nothing(street):
    before = rows_of(street.app, street.other.workspace)
    tried, wrong = set(), []
    for knock, fields in list(forms_with_ids(street)):
        answer = street.visitor.knock(knock, fields)
        tried.add(knock.address)
        passed_over = IGNORING.get(re.sub(r"^/w/ws_\w+/", "", knock.address))
        refused = answer.status_code in REFUSED or answer.status_code == passed_over
        if not refused or MARKER in answer.get_data(as_text=True).lower():
            wrong.append(f"{knock} with {fields}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert {"/account/workspace", f"{street.mine.home}/bots/new"} <= tried
    assert rows_of(street.app, street.other.workspace) == before
