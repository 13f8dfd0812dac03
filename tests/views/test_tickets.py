"""Tickets as their owners see them: opening, answering, ending, finding, and what stays hidden."""

import io
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app import current
from app.domain import members, workspaces
from app.domain.support import brakes, files, moves, notes
from app.extensions import db
from app.models import (
    Membership,
    MessageFile,
    Role,
    Ticket,
    TicketMessage,
    TicketPriority,
    TicketState,
    User,
    Workspace,
)
from tests import factories, site, tickets
from tests.pages import Pages
from tests.views.test_isolation import rows_of

CANARY = "qzx7canary"
SOMEBODY = re.compile(r"req_\w+|tkt_\w+|msg_\w+|fil_\w+|[\w.-]{60,}")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


@pytest.fixture
def talk(house, desk):
    """A trader of the desk with a ticket that waits for an answer, and a note on it."""
    now = datetime.now(UTC)
    with site.rows(house):
        person, workspace = factories.user("Tim", now=now), db.session.get(Workspace, desk.id)
        workspaces.add_member(workspace, person, Role.TRADER, by=factories.TESTER, now=now)
        kept = files.store(current.storage(), "order.png", "image/png", PNG)
        ticket = tickets.opened(workspace, person, "Ether is stuck", files=(kept,), now=now)
        notes.add(ticket, CANARY, voice=tickets.desk_voice(), now=now)
        (message,) = ticket.messages
        return SimpleNamespace(
            home=f"{desk.home}/tickets",
            url=f"{desk.home}/tickets/{ticket.id}",
            id=ticket.id,
            person=person.id,
            email=person.email,
            message=message.id,
            file=db.session.scalars(select(MessageFile)).all()[-1].id,
        )


@pytest.fixture
def asker(house, talk):
    """The browser of its owner."""
    found = Pages(house)
    found.become(talk.email)
    return found


def on(house, talk, verb, *arguments, **named):
    """Do a verb to the ticket, as another door would."""
    with site.rows(house):
        verb(db.session.get(Ticket, talk.id), *arguments, **named)


def ticket_of(house, ticket_id):
    with site.rows(house):
        found = db.session.get(Ticket, ticket_id)
        db.session.refresh(found)
        db.session.expunge(found)
    return found


def ask(pages, talk, status=303, **fields):
    asked = {"subject": "Clock", "category": "technical", "priority": "high", "body": "It is\nlate"}
    pages.get(f"{talk.home}/new")
    return pages.post(f"{talk.home}/new", status, **(asked | fields))


def opened_in(pages):
    return pages.at.rpartition("/")[2]


def test_a_ticket_is_opened_and_shown(asker, house, talk):
    page = ask(asker, talk)
    assert "It is late" in page.text
    assert "Support has it" in page.text
    found = ticket_of(house, opened_in(asker))
    assert (found.subject, found.category, found.state) == ("Clock", "technical", "new")
    assert found.priority is found.asked_priority is TicketPriority.HIGH
    assert "It is\nlate" in asker.response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"subject": " "}, "Say in a few words"),
        ({"subject": "x" * 161}, "at most 160"),
        ({"body": ""}, "Write something first"),
        ({"body": "x" * 20_001}, "20,000"),
        ({"category": "murder"}, "Not a valid choice"),
        ({"priority": "whatever"}, "Not a valid choice"),
    ],
)
def test_what_was_typed_survives_a_refusal(asker, talk, desk, wrong, said):
    bot = desk.resting.rpartition("/")[2]
    typed = {"subject": "Clock", "body": "It is\nlate <b>", "key": "k" * 12, "about": "bot"}
    page = ask(asker, talk, 422, about_id=bot, **(typed | wrong))
    assert said in page.text
    kept = {node.get("name"): node.get("value") for node in page.all("input")}
    assert (kept["key"], kept["about_id"]) == ("k" * 12, bot)
    if "subject" not in wrong:
        assert kept["subject"] == "Clock"
    if "body" not in wrong:
        assert page.all("textarea")[0].text == "It is late <b>"
    checked = [node.get("value") for node in page.all("input") if "checked" in node.attributes]
    assert checked == ([] if "priority" in wrong else ["high"])


def test_all_that_is_missing_is_said_at_once(asker, talk):
    page = ask(asker, talk, 422, subject="", body="")
    assert "2 things to put right" in page.text
    assert "Say in a few words" in page.text
    assert "Write something first." in page.text


def test_pressed_twice_it_is_one_ticket(asker, house, talk):
    first = ask(asker, talk, key="same-key-000")
    again = ask(asker, talk, key="same-key-000", body="typed anew")
    assert first.all("h1")[0].text == again.all("h1")[0].text
    with site.rows(house):
        mine = select(Ticket).where(Ticket.opened_by == talk.person)
        assert len(db.session.scalars(mine).all()) == 2
    asker.post(f"{talk.url}/messages", body="once", key="same-key-001")
    asker.post(f"{talk.url}/messages", body="once", key="same-key-001")
    assert ticket_of(house, talk.id).last_seq == 2
    for key in ("", "short", "<>" * 9):
        asker.post(f"{talk.url}/messages", body="no key", key=key)
    assert ticket_of(house, talk.id).last_seq == 5


def test_the_key_of_another_one_s_form_opens_nothing_of_theirs(asker, viewer, talk):
    ask(asker, talk, key="same-key-002")
    theirs = opened_in(asker)
    page = ask(viewer, talk, key="same-key-002", subject="Mine")
    assert page.all("h1")[0].text == "Mine"
    assert opened_in(viewer) != theirs


def test_each_form_has_a_key_of_its_own(asker, talk):
    keys = set()
    for _ in range(2):
        page = asker.get(f"{talk.home}/new")
        keys |= {node.get("value") for node in page.all("input") if node.get("name") == "key"}
    assert len(keys) == 2


def test_too_many_are_refused_politely_and_nothing_typed_is_lost(asker, house, talk):
    with site.rows(house):
        person = db.session.get(User, talk.person)
        workspace = db.session.get(Ticket, talk.id).workspace_id
        for _ in range(9):
            tickets.opened(db.session.get(Workspace, workspace), person, now=factories.NOW)
    page = ask(asker, talk, 429, body="Please\nhelp")
    assert "You have 10 open tickets" in page.text
    assert page.all("textarea")[0].text == "Please help"
    assert int(asker.response.headers["Retry-After"]) > 0


def test_too_many_messages_are_refused_politely_and_operators_are_not_counted(
    asker, house, talk, monkeypatch
):
    monkeypatch.setattr(brakes, "MOST_MESSAGES_AN_HOUR", 5)
    with site.rows(house):
        ticket, person = db.session.get(Ticket, talk.id), db.session.get(User, talk.person)
        now = datetime.now(UTC)
        for number in range(3):
            tickets.wrote(ticket, person, f"{number}", now=now)
            tickets.answered(ticket, f"answer {number}", now=now)
    asker.post(f"{talk.url}/messages", body="The fifth")
    page = asker.post(f"{talk.url}/messages", 429, body="One\nmore")
    assert "5 messages within an hour" in page.text
    assert page.all("textarea")[0].text == "One more"
    assert ticket_of(house, talk.id).last_seq == 8


def test_only_listed_fields_count(asker, house, talk, desk):
    """Neither at opening nor later does a field that the form does not have set anything."""
    forged = {
        "state": "closed",
        "assignee_id": "usr_me",
        "opened_by": "usr_other",
        "raised": "urgent",
        "asked_priority": "urgent",
        "number": "1",
        "incident_id": "inc_1",
        "workspace_id": "ws_other",
        "channel": "email",
        "author": "operator",
        "verification": "dmarc",
        "close_due_at": "2020-01-01",
        "seen_seq": "9",
        "then": "closed",
    }
    ask(asker, talk, priority="low", **forged)
    found = ticket_of(house, opened_in(asker))
    assert (found.state, found.opened_by, found.workspace_id) == ("new", talk.person, desk.id)
    assert found.priority is found.asked_priority is TicketPriority.LOW
    assert (found.incident_id, found.close_due_at, found.seen_seq) == (None, None, 1)
    asker.post(f"{asker.at}/messages", body="more", priority="urgent", category="billing", **forged)
    found = ticket_of(house, found.id)
    assert (found.state, found.priority, found.category) == ("new", "low", "technical")
    with site.rows(house):
        said = db.session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == found.id))
        assert {(it.author, it.channel, it.verification) for it in said} == {
            ("user", "web", "session")
        }


def test_a_ticket_from_a_bot_s_page_is_about_it(owner, talk, desk):
    owner.get(desk.resting)
    (link,) = owner.links("Ask for help")
    page = owner.get(link)
    chosen = [it.get("value") for it in page.all("option") if "selected" in it.attributes]
    assert chosen == [f"bot:{desk.resting.rpartition('/')[2]}", "bot"]
    fields = {it.get("name"): it.get("value") for it in page.all("input")}
    about = {"about": fields["about"], "about_id": fields["about_id"]}
    page = owner.post(f"{talk.home}/new", subject="Moon", category="bot", body="?", **about)
    assert [it.get("href") for it in page.all("a") if it.text == "Moon"] == [desk.resting]


@pytest.mark.parametrize(
    "query",
    [
        "about=bot&id=bot_00000000000000000000000000",
        "about=connection&id=con_00000000000000000000000000",
        "about=statement&id=2026-11",
        "about=bot",
        "about=user&id=usr_1",
        "follows=tkt_00000000000000000000000000",
    ],
)
def test_what_is_not_there_is_as_if_nothing_were_named(asker, talk, query):
    plain, named = (asker.get(f"{talk.home}/new{it}").text for it in ("", f"?{query}"))
    assert named == plain


def test_a_thing_the_member_may_not_see_is_as_if_nothing_were_named(viewer, house, talk, desk):
    with site.rows(house):
        workspace = db.session.get(Workspace, desk.id)
        hidden = factories.connection(workspace, current.sealer(), label="Hidden account").id
    page = viewer.get(f"{talk.home}/new?about=connection&id={hidden}")
    assert "Hidden account" not in page.text
    page = ask(viewer, talk, about="connection", about_id=hidden)
    assert ticket_of(house, opened_in(viewer)).about is None


def test_answers_appear_by_polling_and_polling_stops_at_the_end(asker, house, talk):
    page = asker.get(talk.url)
    thread = page.by_id(f"{talk.id}_thread")
    poll = thread.get("hx-get")
    assert asker.fragment(poll, 204) == ""
    on(house, talk, notes.add, "a note", voice=tickets.desk_voice(), now=factories.NOW)
    assert asker.fragment(poll, 204) == ""
    on(house, talk, tickets.answered, "We look into it.", now=datetime.now(UTC))
    answer = asker.fragment(poll)
    assert "We look into it." in answer.text
    assert "Support has answered" in answer.by_id("toasts").text
    poll = answer.by_id(f"{talk.id}_thread").get("hx-get")
    assert asker.fragment(poll, 204) == ""
    on(house, talk, moves.resolve, voice=tickets.desk_voice(), now=datetime.now(UTC))
    last = asker.fragment(poll, 286)
    assert last.by_id(f"{talk.id}_thread").get("hx-get") is None
    assert last.by_id("toasts") is None


def test_looking_marks_nothing_as_seen_and_the_page_s_own_form_does(asker, house, talk):
    on(house, talk, tickets.answered, now=datetime.now(UTC))
    assert asker.get(talk.home).by_class("ticket-unread")
    page = asker.get(talk.url)
    assert ticket_of(house, talk.id).seen_seq == 1
    assert page.by_class("nav-count")[0].text.startswith("1")
    (form,) = [it for it in page.all("form") if it.get("action") == f"{talk.url}/seen"]
    assert "load" in form.get("hx-trigger")
    (seq,) = [it.get("value") for it in form.all("input") if it.get("name") == "seq"]
    answer = asker.fragment(form.get("hx-post"), seq=seq)
    assert not answer.all("form")
    assert ticket_of(house, talk.id).seen_seq == 2
    page = asker.get(talk.url)
    assert page.by_class("nav-count")[0].text == ""
    assert not [it for it in page.all("form") if it.get("action") == f"{talk.url}/seen"]


def test_solved_reopened_and_still_needing_help(asker, house, talk):
    on(house, talk, tickets.answered, now=datetime.now(UTC))
    page = asker.get(talk.url)
    assert "waiting for you" in page.text
    page = asker.post(f"{talk.url}/need-help")
    assert "You still need help." in page.text
    page = asker.post(f"{talk.url}/solve")
    assert "You marked it solved." in page.text
    page = asker.post(f"{talk.url}/reopen")
    assert "You reopened it." in page.text
    page = asker.post(f"{talk.url}/solve")
    page = asker.post(f"{talk.url}/messages", body="It is back")
    assert "This message reopened it." in page.text
    found = ticket_of(house, talk.id)
    assert (found.state, found.reopen_count) == (TicketState.OPEN, 2)


def test_what_was_over_for_long_is_followed_and_not_reopened(asker, house, talk):
    long_ago = datetime.now(UTC) - timedelta(days=31)
    on(house, talk, moves.resolve, voice=tickets.desk_voice(), now=long_ago)
    page = asker.get(talk.url)
    assert not page.all("textarea")
    asker.post(f"{talk.url}/reopen", 409)
    asker.get(talk.url)
    (link,) = asker.links("Open a follow-up")
    page = asker.get(link)
    fields = {it.get("name"): it.get("value") for it in page.all("input")}
    assert (fields["subject"], fields["follows"]) == ("Ether is stuck", talk.id)
    page = asker.post(
        f"{talk.home}/new",
        category="bot",
        body="Again",
        **{name: fields[name] for name in ("subject", "follows", "key")} | {"priority": "normal"},
    )
    found = ticket_of(house, opened_in(asker))
    assert (found.follows_id, found.id == talk.id) == (talk.id, False)
    assert "Follows" in page.text
    asker.post(f"{talk.url}/messages", body="By an old page")
    assert ticket_of(house, opened_in(asker)).follows_id == talk.id
    assert ticket_of(house, talk.id).last_seq == 1


def test_an_answer_to_a_merged_ticket_lands_where_it_goes_on(asker, house, talk):
    ask(asker, talk)
    other = opened_in(asker)
    with site.rows(house):
        into = db.session.get(Ticket, other)
        ticket = db.session.get(Ticket, talk.id)
        moves.merge(ticket, into, voice=tickets.desk_voice(), now=datetime.now(UTC))
    page = asker.get(talk.url)
    assert "It goes on in" in page.text
    assert asker.links(f"Go to {ticket_of(house, other).ref}") == [f"{talk.home}/{other}"]
    page = asker.post(f"{talk.url}/messages", body="Which one?")
    assert asker.at.endswith(other)
    assert "Which one?" in page.text


def test_the_last_words_are_changed_and_the_first_ones_stay_readable(asker, talk, house):
    page = asker.get(talk.url)
    (link,) = [it.get("href") for it in page.all("a") if it.text.startswith("Change")]
    page = asker.get(link)
    assert page.all("textarea")[0].text == "It is stuck."
    page = asker.post(link, body="It is quite stuck.")
    assert "It is quite stuck." in page.text
    assert page.by_class("message-earlier")[0].all("div")[0].text == "It is stuck."
    page = asker.post(link, 422, body="")
    on(house, talk, tickets.answered, now=datetime.now(UTC))
    page = asker.post(link, 422, body="Never mind")
    assert "newer message" in page.text
    assert page.all("textarea")[0].text == "Never mind"
    assert not asker.get(link).all("textarea")


def test_facts_raise_the_priority_and_both_are_shown(asker, house, talk):
    with site.rows(house):
        db.session.get(Ticket, talk.id).priority = TicketPriority.URGENT
    assert "Urgent (asked: Normal)" in asker.get(talk.url).text


def test_what_is_unsure_automatic_edited_or_taken_out_says_so(asker, house, talk):
    now = datetime.now(UTC)
    with site.rows(house):
        message = db.session.get(TicketMessage, talk.message)
        message.verification, message.automatic = "unverified", True
        message.edited_at = now
    page = asker.get(talk.url)
    for word in ("sender not verified", "automatic", "edited"):
        assert word in page.by_id(talk.message).text
    with site.rows(house):
        message = db.session.get(TicketMessage, talk.message)
        message.redacted_at, message.body = now, ""
    page = asker.get(talk.url)
    assert "This message was taken out" in page.by_id(talk.message).text
    assert "order.png" not in page.text
    asker.get(f"{talk.url}/files/{talk.file}", 404)


def test_text_is_text_and_nothing_in_it_is_obeyed(asker, talk):
    hostile = (
        '<img src=x onerror=alert(1)><a hx-get="/x" hx-trigger="load">y</a> javascript:alert(1)'
    )
    page = asker.post(f"{talk.url}/messages", body=hostile)
    assert hostile in page.text
    message = page.by_class("message")[-1]
    assert not message.all("img")
    assert not [it for it in message.walk() if "hx-get" in it.attributes]
    assert not [it for it in message.all("a") if (it.get("href") or "").startswith("java")]


def test_an_address_in_a_text_can_be_followed_and_tells_nothing_of_us(asker, talk):
    page = asker.post(f"{talk.url}/messages", body="See (https://example.com/a?b=1&c=2).")
    (link,) = [it for it in page.all("a") if (it.get("href") or "").startswith("https://example")]
    assert link.get("href") == "https://example.com/a?b=1&c=2"
    assert set(link.get("rel").split()) >= {"noopener", "noreferrer"}


def test_search_and_filters_keep_each_other(asker, house, talk):
    ask(asker, talk, subject="Needle in hay")
    page = asker.get(f"{talk.home}?text=NEEDLE&show=open")
    assert "1 ticket with" in page.text
    (over,) = asker.links("Over")
    assert "text=NEEDLE" in over
    assert "No ticket fits" in asker.get(over).text
    assert "2 tickets" in asker.get(f"{talk.home}?show=nonsense&page=0").text
    assert asker.get(f"{talk.home}?text=" + "x" * 5000).by_id("text").get("value") == "x" * 100
    assert "No ticket fits" in asker.get(f"{talk.home}?page=99").text


def test_who_may_see_all_reads_and_does_not_write(owner, talk, house):
    assert "Ether is stuck" not in owner.get(talk.home).text
    page = owner.get(f"{talk.home}?whose=all")
    assert "Ether is stuck" in page.text
    page = owner.get(talk.url)
    assert "Only Tim can write in it" in page.text
    assert not page.all("textarea")
    before = ticket_of(house, talk.id).version
    for verb in ("messages", "solve", "need-help", "reopen", f"messages/{talk.message}/edit"):
        owner.post(f"{talk.url}/{verb}", 403, body="As if I were Tim")
    owner.post(f"{talk.url}/seen", seq=9)
    found = ticket_of(house, talk.id)
    assert (found.version, found.last_seq, found.seen_seq) == (before, 1, 1)


@pytest.mark.parametrize("role", ["viewer", "manager"])
def test_another_one_s_ticket_reads_like_one_that_never_was(house, desk, talk, role):
    pages = Pages(house)
    pages.become(desk.emails[role])
    assert "Ether is stuck" not in pages.get(f"{talk.home}?whose=all&text=stuck").text
    paths = ["", "/thread", f"/files/{talk.file}", f"/messages/{talk.message}/edit"]
    for path in paths:
        pages.get(f"{talk.url}{path}", 404)
        foreign = bare(pages.response)
        missing = re.sub(r"(tkt|fil|msg)_\w+", r"\1_00000000000000000000000000", talk.url + path)
        pages.get(missing, 404)
        assert bare(pages.response) == foreign
    for verb in ("messages", "seen", "solve", "need-help", "reopen"):
        pages.post(f"{talk.url}/{verb}", 404, body="x")


def bare(response):
    return SOMEBODY.sub("", response.get_data(as_text=True))


def test_a_file_or_message_of_one_ticket_is_not_found_in_another(asker, talk):
    ask(asker, talk)
    mine = asker.at
    asker.get(f"{mine}/files/{talk.file}", 404)
    asker.get(f"{mine}/messages/{talk.message}/edit", 404)
    assert asker.client.get(f"{talk.url}/files/{talk.file}").data == PNG


def test_no_look_at_a_ticket_changes_a_row(asker, house, talk, desk):
    on(house, talk, tickets.answered, now=datetime.now(UTC))
    addresses = [talk.home, f"{talk.home}?show=waiting&text=stuck&whose=all", f"{talk.home}/new"]
    addresses += [f"{talk.home}/new?follows={talk.id}&about=bot", talk.url, f"{talk.url}/thread"]
    addresses += [f"{talk.url}/thread?after=0", f"{talk.url}/files/{talk.file}"]
    addresses += [f"{talk.url}/messages/{talk.message}/edit"]
    verbs = [f"{talk.url}/{it}" for it in ("seen", "solve", "need-help", "reopen", "messages")]
    asker.get(talk.home)
    before = rows_of(house, desk.id)
    for address in addresses:
        for fragment in ({}, {"HX-Request": "true"}):
            assert asker.client.get(address, headers=fragment).status_code == 200
    for address in verbs:
        assert asker.client.get(address).status_code in (404, 405)
    assert rows_of(house, desk.id) == before


def test_nothing_of_a_note_is_on_any_page(asker, owner, talk):
    for pages in (asker, owner):
        assert "No ticket fits" in pages.get(f"{talk.home}?whose=all&text={CANARY}").text
        for path in ("", "?whose=all", "/new"):
            assert CANARY not in pages.client.get(talk.home + path).get_data(as_text=True)
        for path in ("", "/thread", f"/files/{talk.file}"):
            answer = pages.client.get(talk.url + path)
            assert CANARY not in f"{answer.headers}{answer.get_data()}"


def test_a_suspended_workspace_can_still_ask(asker, house, talk, desk):
    with site.rows(house):
        db.session.get(Workspace, desk.id).suspended_at = factories.NOW
    page = ask(asker, talk)
    assert "Support has it" in page.text


def test_who_left_keeps_nothing(asker, house, talk, desk):
    with site.rows(house):
        mine = select(Membership).where(Membership.user_id == talk.person)
        member = db.session.scalars(mine.where(Membership.workspace_id == desk.id)).one()
        members.leave(member, by=factories.TESTER, now=datetime.now(UTC))
    for path in (talk.home, talk.url, f"{talk.url}/thread", f"{talk.url}/files/{talk.file}"):
        asker.get(path, 404)
    asker.post(f"{talk.url}/messages", 404, body="Still here")


def upload(*named):
    return [(io.BytesIO(content), name) for name, content in named]


def test_files_go_along_and_come_back_as_they_were(asker, talk):
    sent = upload(("log.txt", b"refused\n"), ("bild \u00c4.png", PNG))
    page = ask(asker, talk, body="", files=sent)
    links = {it.text: it.get("href") for it in page.all("a") if "/files/" in (it.get("href") or "")}
    assert set(links) == {"log.txt", "bild \u00c4.png"}
    answer = asker.client.get(links["log.txt"])
    assert answer.data == b"refused\n"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")


def test_too_many_or_too_large_files_leave_the_text_and_say_so(asker, house, talk, monkeypatch):
    page = asker.post(
        f"{talk.url}/messages", 422, body="See here", files=upload(*[("a", b"x")] * 11)
    )
    assert "at most 10 files" in page.text
    assert page.all("textarea")[0].text == "See here"
    assert "Choose your files again" in page.text
    monkeypatch.setattr(files, "LARGEST", 3)
    page = ask(asker, talk, 422, files=upload(("big", b"1234")))
    assert "attach smaller ones" in page.text
    assert ticket_of(house, talk.id).last_seq == 1


def claims(client, url, size):
    """A POST that says it has ``size`` bytes."""
    kind = "application/x-www-form-urlencoded"
    return client.post(url, content_type=kind, environ_overrides={"CONTENT_LENGTH": str(size)})


def test_a_request_beyond_all_bounds_says_what_to_do(asker, talk):
    answer = claims(asker.client, f"{talk.url}/messages", 65 * files.MEGABYTE)
    assert answer.status_code == 413
    assert "what you typed is still there" in answer.get_data(as_text=True)
    answer = claims(asker.client, f"{talk.url}/solve", 3 * files.MEGABYTE)
    assert answer.status_code == 413
    assert "Send less at once" in answer.get_data(as_text=True)


def test_room_for_files_is_given_to_sessions_alone(house, talk):
    address = f"{talk.url}/messages"
    assert claims(house.test_client(), address, 3 * files.MEGABYTE).status_code == 413


def test_a_file_the_storage_has_lost_is_said_to_be(asker, house, talk):
    with site.rows(house):
        row = db.session.get(MessageFile, talk.file)
        current.storage().delete(row.storage_key)
    assert "no longer in the storage" in asker.get(f"{talk.url}/files/{talk.file}", 404).text
