"""What is sent along with a ticket is what was on the page, and only if somebody said so."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain.support import bundle
from app.models import (
    BotCompute,
    Deflection,
    DiagnosticBundle,
    Machine,
    Phase,
    Ticket,
    TicketPriority,
)
from tests.site import rows
from tests.views.conftest import as_person

ASKED = {
    "subject": "It stands still",
    "category": "bot",
    "priority": "normal",
    "body": "Nothing happens.",
}


def about(desk):
    return {"about": "bot", "id": desk.bot.rpartition("/")[2]}


def new_page(person, desk, **query):
    text = "&".join(f"{key}={value}" for key, value in (about(desk) | query).items())
    return person.get(f"{desk.home}/tickets/new?{text}")


def fields(page, **more):
    hidden = {
        node.get("name"): node.get("value")
        for node in page.all("input")
        if node.get("type") == "hidden" and node.get("name") in ("about", "about_id", "bundle")
    }
    return ASKED | hidden | more


def send(person, desk, page, status=303, **more):
    return person.post(f"{desk.home}/tickets/new", status, **fields(page, **more))


def kept(house, desk):
    with rows(house) as session:
        query = select(DiagnosticBundle).where(DiagnosticBundle.workspace_id == desk.id)
        return [(it.id, it.body, it.sha256) for it in session.scalars(query)]


def test_nothing_is_sent_without_a_word(trader, house, desk):
    page = new_page(trader, desk)
    (box,) = [node for node in page.all("input") if node.get("name") == "send_bundle"]
    assert "checked" not in box.attributes
    send(trader, desk, page)
    assert kept(house, desk) == []


def test_what_was_shown_is_what_is_sent(trader, house, desk):
    page = new_page(trader, desk)
    shown = json.loads(page.by_id("bundle_text").text)
    with rows(house) as session:  # what happens between looking and sending does not slip in
        session.get_one(BotCompute, desk.bot.rpartition("/")[2]).problem = "later"
    send(trader, desk, page, send_bundle="y")
    ((bundle_id, body, sha256),) = kept(house, desk)
    assert body == shown
    assert sha256 == bundle.fingerprint(shown)
    ticket = trader.at
    seen = trader.get(f"{ticket}/bundles/{bundle_id}")
    assert sha256 in seen.text


def test_sent_twice_it_is_there_once(trader, house, desk):
    page = new_page(trader, desk)
    for _ in range(2):
        send(trader, desk, page, send_bundle="y", key="same-key-here")
    assert len(kept(house, desk)) == 1


def test_what_was_tampered_with_or_is_another_s_is_shown_anew(trader, house, desk):
    page = new_page(trader, desk)
    changed = fields(page)["bundle"][:-8] + "AAAAAAA="
    again = send(trader, desk, page, 422, send_bundle="y", bundle=changed)
    assert "Look at it again" in again.text
    assert kept(house, desk) == []
    send(trader, desk, again, send_bundle="y")
    assert len(kept(house, desk)) == 1


def test_a_preview_of_another_person_or_bot_is_no_consent(pages, house, desk):
    owner = as_person(pages, desk, "owner")
    sealed = fields(new_page(owner, desk))["bundle"]
    trader = as_person(pages, desk, "trader")
    page = new_page(trader, desk)
    send(trader, desk, page, 422, send_bundle="y", bundle=sealed)
    other = new_page(trader, desk, id=desk.resting.rpartition("/")[2])
    send(trader, desk, page, 422, send_bundle="y", bundle=fields(other)["bundle"])
    assert kept(house, desk) == []


def test_an_old_preview_is_shown_anew(trader, desk, house, monkeypatch):
    page = new_page(trader, desk)
    monkeypatch.setattr(bundle, "CURRENT_FOR", timedelta(seconds=-1))
    send(trader, desk, page, 422, send_bundle="y")
    assert kept(house, desk) == []


def test_a_viewer_sends_no_rules(viewer, desk):
    page = new_page(viewer, desk)
    shown = json.loads(page.by_id("bundle_text").text)
    assert "components" not in shown["strategy"]


def test_one_is_attached_later_and_taken_back(trader, house, desk):
    send(trader, desk, new_page(trader, desk))
    ticket = trader.at
    page = trader.get(f"{ticket}/bundles")
    (sealed,) = [n.get("value") for n in page.all("input") if n.get("name") == "bundle"]
    bot = desk.bot.rpartition("/")[2]
    page = trader.post(f"{ticket}/bundles", 422, bot=bot, bundle=sealed)
    assert "Tick the box" in page.text
    trader.post(f"{ticket}/bundles", bot=bot, bundle=sealed, send_bundle="y")
    ((bundle_id, _, _),) = kept(house, desk)
    page = trader.get(ticket)
    assert "attached a diagnostic bundle" in page.text
    trader.get(f"{ticket}/bundles/{bundle_id}")
    trader.post(f"{ticket}/bundles/{bundle_id}/withdraw")
    assert kept(house, desk) == []
    trader.get(f"{ticket}/bundles/{bundle_id}", 404)


def test_of_another_one_s_ticket_it_is_not_there(pages, house, desk):
    trader = as_person(pages, desk, "trader")
    send(trader, desk, new_page(trader, desk), send_bundle="y")
    ticket, ((bundle_id, _, _),) = trader.at, kept(house, desk)
    manager = as_person(pages, desk, "manager")
    manager.get(f"{ticket}/bundles", 404)
    manager.get(f"{ticket}/bundles/{bundle_id}", 404)
    owner = as_person(pages, desk, "owner")
    owner.get(f"{ticket}/bundles/{bundle_id}")
    owner.post(f"{ticket}/bundles/{bundle_id}/withdraw", 403)
    assert len(kept(house, desk)) == 1


@pytest.fixture
def blocked(house, desk):
    """The bot that holds a position cannot go on."""
    bot = desk.bot.rpartition("/")[2]
    with rows(house) as session:
        compute = session.get_one(BotCompute, bot)
        compute.phase, compute.problem = Phase.BLOCKED, "no address is left"
    return bot


def ticket_of(house, desk):
    with rows(house) as session:
        query = select(Ticket.priority, Ticket.asked_priority)
        return session.execute(query.where(Ticket.workspace_id == desk.id)).one()


def test_a_position_nobody_manages_is_urgent_and_both_are_shown(trader, house, desk, blocked):
    page = new_page(trader, desk)
    assert "This will be urgent" in page.text
    page = send(trader, desk, page)
    asked = ticket_of(house, desk)
    assert asked == (TicketPriority.URGENT, TicketPriority.NORMAL)
    assert "It was made urgent: 1 open position, and it is blocked" in page.text
    assert "Urgent (asked: Normal)" in page.text


def test_a_form_cannot_raise_it_by_itself(trader, house, desk):
    page = new_page(trader, desk)
    send(trader, desk, page, raised="urgent", raised_because="so it is")
    assert ticket_of(house, desk) == (TicketPriority.NORMAL, TicketPriority.NORMAL)


def counted(house, since):
    with rows(house) as session:
        query = select(Deflection.hint, Deflection.helped).where(Deflection.created_at >= since)
        return sorted(map(tuple, session.execute(query)))


def test_a_hint_that_helped_is_counted_and_no_ticket_opened(trader, house, desk, blocked):
    since = datetime.now(UTC)
    page = new_page(trader, desk)
    assert "no address is left" in page.by_id("hint_blocked").text
    trader.post(f"{desk.home}/tickets/hints", hint="blocked")
    assert counted(house, since) == [("blocked", True)]
    trader.post(f"{desk.home}/tickets/hints", 400, hint="anything")
    with rows(house) as session:
        assert session.scalars(select(Ticket).where(Ticket.workspace_id == desk.id)).all() == []


def test_a_hint_keeps_nobody_from_asking(trader, house, desk, blocked):
    since = datetime.now(UTC)
    send(trader, desk, new_page(trader, desk))
    assert counted(house, since) == [("blocked", False)]


def test_choosing_a_bot_swaps_what_depends_on_it(trader, desk, blocked):
    page = trader.get(f"{desk.home}/tickets/new")
    assert page.by_id("bundle_text") is None
    piece = trader.fragment(f"{desk.home}/tickets/new/about?thing=bot:{blocked}")
    assert piece.by_id("ticket_about").by_id("hint_blocked")
    whole = trader.get(f"{desk.home}/tickets/new?thing=bot:{blocked}")
    assert whole.by_id("hint_blocked")
    assert whole.by_id("bundle_text")
    foreign = trader.get(f"{desk.home}/tickets/new?thing=bot:bot_of_another")
    assert foreign.by_id("bundle_text") is None


def test_a_hint_leads_only_where_its_reader_may_go(pages, house, desk):
    bot = desk.bot.rpartition("/")[2]
    with rows(house) as session:
        machine = session.scalar(select(Machine).where(Machine.bot_id == bot))
        machine.preflight = {
            "passed": False,
            "checks": [{"name": "key", "ok": False, "detail": "the venue refuses it"}],
        }
    page = new_page(as_person(pages, desk, "viewer"), desk)
    assert "the venue refuses it" in page.text
    assert not [a for a in page.by_id("hint_key").all("a") if "/connections" in a.get("href")]
