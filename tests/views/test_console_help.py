"""Beside a ticket: operators see ids and states, and each look is written down."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain.support import bundle, bundles
from app.models import (
    AuditEvent,
    Bot,
    BotCompute,
    DeskEvent,
    DiagnosticBundle,
    OrderRow,
    Subject,
    Ticket,
    User,
    Workspace,
)
from tests import factories, tickets
from tests.factories import TEMPO
from tests.pages import Pages
from tests.site import rows

MARKS = ("Quickstep", "Slowfox", "no address is left")
"""Words of the workspace that nobody outside may read without access."""


@pytest.fixture
def ada(house):
    """An operator in a browser of her own."""
    with rows(house):
        person = factories.user("Ada")
        person.operator = True
        email = person.email
    pages = Pages(house)
    pages.become(email)
    pages.email = email
    return pages


@pytest.fixture
def ticket(house, desk):
    """A ticket about the bot that holds a position, with a bundle; ids of both."""
    now = datetime.now(UTC)
    with rows(house) as session:
        bot = session.get_one(Bot, desk.bot.rpartition("/")[2])
        bot.name, bot.version.strategy.name = MARKS[:2]
        order = session.scalars(select(OrderRow).where(OrderRow.bot_id == bot.id)).first()
        order.status, order.decided_at = "rejected", now
        order.reason = '{"code":-2019,"msg":"Margin of 4242 is insufficient."}'
        trader = session.scalars(select(User).where(User.email == desk.emails["trader"])).one()
        made = tickets.opened(
            session.get_one(Workspace, desk.id), trader, now=now, about=Subject.BOT, about_id=bot.id
        )
        found = bundles.attach(
            made,
            bot.id,
            bundle.collect(bot, now, TEMPO, rules=True),
            person=trader,
            voice=tickets.voice_of(trader),
            now=now,
        )
        compute = session.get_one(BotCompute, bot.id)
        compute.problem = MARKS[2]
        return made.id, found.id


def told(house, desk, action):
    with rows(house) as session:
        query = select(AuditEvent.actor_label).where(
            AuditEvent.workspace_id == desk.id, AuditEvent.action == action
        )
        return session.scalars(query).all()


def noted(house, ticket, action):
    with rows(house) as session:
        query = select(DeskEvent).where(DeskEvent.ticket_id == ticket, DeskEvent.action == action)
        return len(session.scalars(query).all())


def test_the_timeline_tells_when_what_and_which_and_no_more(ada, desk, ticket):
    page = ada.get(f"/operator/tickets/{ticket[0]}/timeline")
    for said in ("message 1, by the user", "machine 1 runs", "an order was refused, code -2019"):
        assert said in page.text
    for secret in (*MARKS, "4242", "63,", *desk.emails.values(), "127."):
        assert secret not in page.by_id("main").text, secret


def test_the_timeline_is_written_down_once_for_each_look(ada, house, desk, ticket):
    address = f"/operator/tickets/{ticket[0]}"
    ada.get(address)
    assert told(house, desk, "support.timeline") == []
    ada.get(f"{address}/timeline")
    assert told(house, desk, "support.timeline") == [ada.email]
    ada.fragment(f"{address}/timeline?message=1")
    assert told(house, desk, "support.timeline") == [ada.email] * 2
    assert noted(house, ticket[0], "ticket.timeline_view") == 2


def test_around_a_message_it_is_a_quarter_of_an_hour(ada, house, ticket):
    with rows(house) as session:
        found = session.get_one(Ticket, ticket[0])
        tickets.answered(found, now=found.created_at + timedelta(minutes=40))
    address = f"/operator/tickets/{ticket[0]}/timeline"
    first, second = (ada.fragment(f"{address}?message={it}").text for it in (1, 2))
    assert "message 1, by the user" in first
    assert "message 2, by the operator" not in first
    assert "message 2, by the operator" in second
    assert "machine 1 runs" not in second
    ada.get(f"{address}?message=3", 404)


def test_a_bundle_is_opened_on_record(ada, house, desk, ticket):
    address = f"/operator/tickets/{ticket[0]}/bundles"
    page = ada.get(address)
    assert told(house, desk, "bundle.view") == []
    (href,) = [a.get("href") for a in page.all("a") if (a.get("href") or "").endswith(ticket[1])]
    assert MARKS[1] in ada.get(href).text
    ada.client.get(f"{href}/file")
    assert told(house, desk, "bundle.view") == [ada.email] * 2
    assert noted(house, ticket[0], "ticket.bundle_view") == 2


def test_the_file_is_what_the_hash_is_of(ada, house, ticket):
    answer = ada.client.get(f"/operator/tickets/{ticket[0]}/bundles/{ticket[1]}/file")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    with rows(house) as session:
        sha256 = session.get_one(DiagnosticBundle, ticket[1]).sha256
    assert bundle.fingerprint(json.loads(answer.get_data(as_text=True))) == sha256


def test_a_bundle_whose_days_are_over_is_gone(ada, house, ticket):
    with rows(house) as session:
        session.get_one(DiagnosticBundle, ticket[1]).expires_at = datetime.now(UTC)
    ada.get(f"/operator/tickets/{ticket[0]}/bundles/{ticket[1]}", 404)
    with rows(house):
        bundles.forget(datetime.now(UTC))
    with rows(house) as session:
        assert session.get(DiagnosticBundle, ticket[1]) is None


def test_a_bundle_of_another_ticket_is_not_there(ada, house, desk, ticket):
    with rows(house) as session:
        person = session.scalars(select(User).where(User.email == desk.emails["trader"])).one()
        other = tickets.opened(session.get_one(Workspace, desk.id), person, "Another").id
    ada.get(f"/operator/tickets/{other}/bundles/{ticket[1]}", 404)


@pytest.mark.parametrize("part", ["", "/sight", "/access", "/bundles", "/timeline"])
def test_without_access_nothing_of_the_inside_is_shown(ada, ticket, part):
    page = ada.get(f"/operator/tickets/{ticket[0]}{part}")
    for secret in MARKS:
        assert secret not in page.by_id("main").text


def test_what_the_desk_sees_is_told_to_everybody(ada, trader, ticket):
    asked = ada.get(f"/operator/tickets/{ticket[0]}/sight").text
    read = trader.get("/help/support").text
    for line in ("hours, not what was earned in them", "nobody can open them"):
        assert line in asked
        assert line in read
    assert "Machine hours, 30 days" in asked
    assert "bot_" in asked
