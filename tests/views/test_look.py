"""Looking in: asked by an operator, granted on the ticket, read-only, on record, over at once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.models import AuditEvent, SupportAccess, Ticket, User
from app.web import guards
from tests import factories
from tests.pages import Pages
from tests.site import rows
from tests.views.conftest import as_person

ASKED = {"subject": "Stuck", "category": "bot", "priority": "normal", "body": "It stands still."}


@pytest.fixture
def ada(house):
    """An operator in a browser of her own."""
    return operator(house, "Ada")


def operator(house, name):
    with rows(house):
        person = factories.user(name)
        person.operator = True
        email = person.email
    pages = Pages(house)
    pages.become(email)
    pages.email = email
    return pages


@pytest.fixture
def ticket(trader, house, desk):
    """A ticket of the trader's, by its id."""
    trader.get(f"{desk.home}/tickets/new")
    trader.post(f"{desk.home}/tickets/new", **ASKED)
    return trader.at.rpartition("/")[2]


def ask(ada, ticket, minutes=30):
    ada.get(f"/operator/tickets/{ticket}/access")
    ada.post(f"/operator/tickets/{ticket}/access", reason="to see its orders", minutes=minutes)


def newest(house, desk):
    with rows(house) as session:
        query = select(SupportAccess.id).where(SupportAccess.workspace_id == desk.id)
        return session.scalar(query.order_by(SupportAccess.asked_at.desc()).limit(1))


@pytest.fixture
def look(ada, trader, house, desk, ticket):
    """The address of an open access."""
    ask(ada, ticket)
    access = newest(house, desk)
    page = f"{desk.home}/tickets/{ticket}/access"
    trader.get(page)
    trader.post(f"{page}/{access}/grant")
    return f"/operator/look/{access}"


def parts(look, desk):
    bot = desk.bot.rpartition("/")[2]
    tabs = ("", "/orders", "/decisions", "/machines")
    return [look, *(f"{look}/bots/{bot}{tab}" for tab in tabs)]


def told(house, desk, action):
    with rows(house) as session:
        query = select(AuditEvent).where(
            AuditEvent.workspace_id == desk.id, AuditEvent.action == action
        )
        found = session.scalars(query.order_by(AuditEvent.seq)).all()
        return [(it.actor_label, it.on_behalf_of, it.target_label) for it in found]


def test_before_it_is_granted_nothing_opens(ada, trader, house, desk, ticket):
    ask(ada, ticket)
    look = f"/operator/look/{newest(house, desk)}"
    for address in parts(look, desk):
        ada.get(address, 404)
    assert "asks to look in" in trader.get("/account/inbox").text
    trader.post(f"{desk.home}/tickets/{ticket}/access/{newest(house, desk)}/refuse")
    ada.get(look, 404)


def test_the_page_of_the_ticket_puts_the_question_until_it_is_answered(
    ada, trader, pages, house, desk, ticket
):
    home = f"{desk.home}/tickets/{ticket}"
    trader.get(home)
    ask(ada, ticket)
    piece = trader.fragment(f"{home}/thread?v=0&after=1")
    assert "Ada from support asks to look into this workspace for 30 minutes" in piece.text
    assert "to see its orders" in piece.text
    page = trader.get(home)
    actions = [it.get("action") for it in page.all("form")]
    given = f"{home}/access/{newest(house, desk)}"
    assert f"{given}/refuse" in actions
    owner = as_person(pages, desk, "owner").get(home)
    assert f"{given}/grant" in [it.get("action") for it in owner.all("form")]
    trader.get(home)
    trader.post(f"{given}/refuse")
    assert f"{given}/grant" not in [it.get("action") for it in trader.get(home).all("form")]


def test_who_has_asked_is_not_offered_to_ask_again(ada, trader, house, desk, ticket):
    ask(ada, ticket)
    page = ada.get(f"/operator/tickets/{ticket}/access")
    assert "Take it back" in page.text
    assert "Ask to look in" not in page.text
    trader.get(f"{desk.home}/tickets/{ticket}")
    trader.post(f"{desk.home}/tickets/{ticket}/access/{newest(house, desk)}/refuse")
    assert "Ask to look in" in ada.get(f"/operator/tickets/{ticket}/access").text


def test_granted_every_page_opens_and_stands_in_the_log_once(ada, house, desk, look):
    for address in parts(look, desk):
        page = ada.get(address)
        assert "You look into Harbour Desk until" in page.text
    found = told(house, desk, "support.look")
    assert [it[2] for it in found] == [
        "bots",
        "overview of Tide",
        "orders of Tide",
        "decisions of Tide",
        "machines of Tide",
    ]
    assert {it[:2] for it in found} == {(ada.email, desk.emails["trader"])}


def test_its_members_see_the_banner_and_end_it(ada, trader, house, desk, look):
    page = trader.get(f"{desk.home}/bots")
    assert "Support (Ada) can look in until" in page.text
    (form,) = [it for it in page.all("form") if (it.get("action") or "").endswith("/end")]
    trader.post(form.get("action"))
    assert "Support (Ada)" not in trader.get(f"{desk.home}/bots").text
    for address in parts(look, desk):
        ada.get(address, 404)


def test_the_operator_ends_it_too(ada, house, desk, ticket, look):
    page = ada.get(look)
    (form,) = [it for it in page.all("form") if (it.get("action") or "").endswith("/end")]
    ada.post(form.get("action"))
    ada.get(look, 404)


def test_who_may_not_end_it_sees_the_banner_without_a_button(pages, house, desk, look):
    page = as_person(pages, desk, "viewer").get(f"{desk.home}/bots")
    assert "Support (Ada) can look in until" in page.text
    assert not [it for it in page.all("form") if (it.get("action") or "").endswith("/end")]


def spoil(house, look, **values):
    with rows(house) as session:
        found = session.get_one(SupportAccess, look.rpartition("/")[2])
        for name, value in values.items():
            setattr(found, name, value)


@pytest.mark.parametrize("what", ["expired", "ended", "role", "ticket", "another operator"])
def test_once_over_no_page_of_it_opens(ada, house, desk, ticket, look, what):
    now, person = datetime.now(UTC), ada
    if what == "expired":
        spoil(house, look, expires_at=now - timedelta(seconds=1))
    elif what == "ended":
        spoil(house, look, ended_at=now)
    elif what == "another operator":
        person = operator(house, "Eve")
    else:
        with rows(house) as session:
            if what == "role":
                session.scalars(select(User).where(User.email == ada.email)).one().operator = False
            else:
                session.get_one(Ticket, ticket).state = "closed"
    for address in parts(look, desk):
        person.get(address, 404)
    assert told(house, desk, "support.look") == []


def test_it_opens_no_other_workspace(ada, house, look):
    with rows(house):
        other = factories.bot(factories.organisation(), name="Foreign").id
    for tab in ("", "/orders", "/decisions", "/machines"):
        ada.get(f"{look}/bots/{other}{tab}", 404)


def test_nothing_is_done_under_it(ada, house, desk, look):
    """No route of a look takes anything but reading, and its pages hold one form: the end of it."""
    rules = [it for it in house.url_map.iter_rules() if it.rule.startswith("/operator/look/")]
    assert len(rules) == 5
    for rule in rules:
        assert rule.methods <= {"GET", "HEAD", "OPTIONS"}
        assert guards.guard_of(house, rule.endpoint) == "operator"
    elsewhere = [it.rule for it in house.url_map.iter_rules() if "access_id" in it.arguments]
    posts = {it for it in elsewhere if not it.startswith("/operator/look/")}
    assert {it.rpartition("/")[2] for it in posts} == {"grant", "refuse", "end"}
    for address in parts(look, desk):
        page = ada.get(address)
        main = page.by_id("main")
        forms = [it.get("action") for it in main.all("form") if it.get("method") == "post"]
        assert [it.rpartition("/")[2] for it in forms] == ["end"]
        for method in ("post", "put", "patch", "delete"):
            token = {"csrf_token": ada.token()}
            answer = getattr(ada.client, method)(address, data=token)
            assert answer.status_code == 405, f"{method} {address}"


def test_it_gives_no_way_into_the_members_pages(ada, desk, look):
    ada.get(look)
    ada.get(f"{desk.home}/bots", 404)
    ada.get(desk.bot, 404)
    ada.post(f"{desk.bot}/stop", 404)


def test_what_is_never_shown_is_not_there(ada, desk, look):
    for address in parts(look, desk):
        text = ada.get(address).by_id("main").text
        for email in desk.emails.values():
            assert email not in text
        for word in ("connection", "billing", "api key", "token"):
            assert word not in text.lower().replace("paper needs no key", "")


def test_a_viewer_s_word_shows_no_rules_and_no_decisions(ada, pages, house, desk):
    viewer = as_person(pages, desk, "viewer")
    viewer.get(f"{desk.home}/tickets/new")
    viewer.post(f"{desk.home}/tickets/new", **ASKED)
    ticket = viewer.at.rpartition("/")[2]
    ask(ada, ticket)
    access, bot = newest(house, desk), desk.bot.rpartition("/")[2]
    viewer.get(f"{desk.home}/tickets/{ticket}/access")
    viewer.post(f"{desk.home}/tickets/{ticket}/access/{access}/grant")
    page = ada.get(f"/operator/look/{access}/bots/{bot}")
    assert "Configuration" not in page.text
    ada.get(f"/operator/look/{access}/bots/{bot}/decisions", 404)


def test_who_may_answer_is_asked_of_the_rows(ada, pages, house, desk, ticket):
    ask(ada, ticket)
    address = f"{desk.home}/tickets/{ticket}/access/{newest(house, desk)}"
    manager = as_person(pages, desk, "manager")
    manager.post(f"{address}/grant", 404)
    owner = as_person(pages, desk, "owner")
    owner.post(f"{address}/grant")
    ada.get(f"/operator/look/{newest(house, desk)}")


def test_an_operator_who_is_a_member_does_not_answer_herself(pages, house, desk, ticket):
    with rows(house) as session:
        person = session.scalars(select(User).where(User.email == desk.emails["owner"])).one()
        person.operator = True
    try:
        owner = as_person(pages, desk, "owner")
        ask(owner, ticket)
        access = newest(house, desk)
        owner.post(f"{desk.home}/tickets/{ticket}/access/{access}/grant", 409)
        owner.get(f"/operator/look/{access}", 404)
    finally:
        with rows(house) as session:
            query = select(User).where(User.email == desk.emails["owner"])
            session.scalars(query).one().operator = False


@pytest.mark.parametrize("minutes", ["", "4", "61", "many"])
def test_a_question_out_of_range_is_told_so(ada, ticket, minutes):
    address = f"/operator/tickets/{ticket}/access"
    ada.get(address)
    page = ada.post(address, 422, reason="to see", minutes=minutes)
    assert "From 5 to 60 minutes." in page.text
    assert ada.post(address, 422, reason="  ", minutes="30")
