"""Letters about tickets, handed to a real SMTP server: what they say, how they travel, when not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

import pytest
from sqlalchemy import select, update

from app.desk_settings import Inbound
from app.domain import mail
from app.domain.mail_text import MARKER, visible_reply
from app.domain.support import (
    access,
    letters_out,
    moves,
    notes,
    reply_tokens,
    return_paths,
    tickets,
)
from app.domain.support.events import Voice
from app.domain.support.said import NewFile, Said, Wanted
from app.extensions import db
from app.jobs import effect
from app.mail_settings import read_server
from app.models import (
    AddressHealth,
    AuthorKind,
    Channel,
    Contact,
    Mail,
    MailState,
    Membership,
    TicketHandling,
    TicketState,
    TokenPurpose,
)
from tests import factories
from tests.factories import TESTER
from tests.fakes.mail_server import MailServer

KEY, HOME = "k" * 40, "reply.desk.test"
CANARY = "heron-at-dusk"


@pytest.fixture
def server():
    made = MailServer()
    yield made
    made.close()


@pytest.fixture
def config(app, server):
    """The application, told of the server and of a domain for answers."""
    told = replace(
        app.extensions["plutarc"],
        mail_server=read_server(f"smtp://127.0.0.1:{server.port}"),
        mail_from="desk@desk.test",
        base_url="https://desk.test",
        inbound=Inbound(HOME, KEY),
    )
    app.extensions["plutarc"] = told
    return told


class Desk:
    """An owner with a ticket, an operator, and their voices."""

    def __init__(self):
        now = datetime.now(UTC)
        self.owner, self.nina = factories.user("Olga", now), factories.user("Nina", now)
        self.nina.operator = True
        self.place = factories.organisation(self.owner, now)
        self.place.zone = "Europe/Lisbon"
        db.session.flush()
        self.mine = Voice(AuthorKind.USER, TESTER, self.owner.id)
        self.theirs = Voice(AuthorKind.OPERATOR, TESTER, self.nina.id)
        said = Said("It stopped at noon & <b>burns</b>.\nWhat now?")
        self.ticket = self.open("Bot stopped\r\nBcc: x", said)
        db.session.commit()

    def open(self, subject, said):
        return tickets.open_ticket(
            self.place, self.owner, Wanted(subject), said, voice=self.mine, now=datetime.now(UTC)
        )

    def write(self, body, voice=None, **said):
        message = tickets.post(
            self.ticket, Said(body, **said), voice=voice or self.theirs, now=datetime.now(UTC)
        )
        db.session.commit()
        return message

    def note(self, body):
        made = notes.add(self.ticket, body, voice=self.theirs, now=datetime.now(UTC))
        db.session.commit()
        return made

    def warn(self):
        now = datetime.now(UTC)
        self.ticket.warned_at = now
        self.ticket.close_due_at = datetime(2026, 7, 1, 11, 30, tzinfo=UTC)
        letters_out.warning(self.ticket, now)
        db.session.commit()


@pytest.fixture
def desk(app):
    return Desk()


def rows(kind=None):
    query = select(Mail).order_by(Mail.created_at, Mail.id)
    return list(db.session.scalars(query.where(Mail.letter == kind) if kind else query))


def send(server, kind=None):
    """Try every letter of a kind now; what the server got of it."""
    before = len(server.post.letters)
    ids = [it.id for it in rows(kind)]
    past = datetime.now(UTC) - timedelta(seconds=1)
    db.session.execute(update(Mail).where(Mail.id.in_(ids)).values(try_at=past))
    db.session.commit()
    for mail_id in ids:
        effect.send(mail_id)
    return server.post.letters[before:]


def text_of(got):
    return got.message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def html_of(got):
    return got.message.get_body(("html",)).get_content()


def token_of(got):
    return reply_tokens.address_token(parseaddr(got.message["Reply-To"])[1], HOME)


def test_a_new_ticket_reaches_every_operator(config, desk, server):
    (got,) = send(server)
    assert got.recipients == [desk.nina.email]
    assert got.message["Subject"] == f"[{desk.ticket.ref}] Bot stopped Bcc: x"
    assert got.message["Auto-Submitted"] == "auto-generated"
    assert got.message["X-Auto-Response-Suppress"] == "All"
    assert "It stopped at noon & <b>burns</b>.\nWhat now?" in text_of(got)
    assert "&amp; &lt;b&gt;burns&lt;/b&gt;" in html_of(got)
    assert f"https://desk.test/operator/tickets/{desk.ticket.id}" in text_of(got)
    token = reply_tokens.find(token_of(got), datetime.now(UTC))
    assert (token.holder_id, token.purpose) == (desk.nina.id, TokenPurpose.PUBLIC)
    assert rows()[0].workspace_id is None


def test_an_answer_is_a_persons_word_with_the_new_message_alone(config, desk, server):
    send(server)
    desk.write("First answer.")
    desk.write("Second answer.")
    first, second = send(server, "ticket_answered")
    assert first.recipients == [desk.owner.email]
    assert first.message["Auto-Submitted"] is None
    assert "First answer." in text_of(first)
    assert "First answer." not in text_of(second)
    assert "It stopped at noon" not in text_of(second)
    assert f"https://desk.test/w/{desk.place.id}/tickets/{desk.ticket.id}" in text_of(second)
    assert "<img" not in html_of(second)
    assert reply_tokens.find(token_of(second), datetime.now(UTC)).holder_id == desk.owner.id
    assert "List-Unsubscribe" not in second.message


def test_it_comes_back_to_an_address_that_names_it(config, desk, server):
    (got,) = send(server)
    assert return_paths.read(got.sender, KEY, HOME) == rows()[0].id
    assert got.message["From"].addresses[0].addr_spec == "desk@desk.test"


def test_letters_of_a_ticket_hang_together(config, desk, server):
    send(server)
    desk.write("First answer.")
    (first,) = send(server, "ticket_answered")
    told = "<" + "long" * 25 + "@mail.example.org>"
    desk.write("Thanks", desk.mine, rfc_message_id=told)
    desk.write("You are welcome.")
    _, second = rows("ticket_answered")
    effect.send(second.id)
    got = server.post.letters[-1]
    ids = got.message["References"].split()
    root = first.message["References"]
    assert first.message["In-Reply-To"] == root
    assert ids == [root, first.message["Message-ID"], told]
    assert got.message["In-Reply-To"] == told
    assert got.message["Message-ID"].startswith("<t.")
    assert f"\r\n {told}\r\n".encode() in got.raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert root not in {it.message_id for it in rows()}
    operators = send(server, "ticket_message")[0]
    assert operators.message["References"].split()[0] != root


def test_an_id_that_would_break_a_header_is_not_repeated(config, desk, server):
    for bad in ("<a b@c>", "<a@b>\r\nBcc: eve@example.org", "no brackets", "<ü@b>", "<" * 250):
        desk.write("Hm", desk.mine, rfc_message_id=bad)
    desk.write("Answer.")
    (got,) = send(server, "ticket_answered")
    assert len(got.message["References"].split()) == 1
    assert "Bcc" not in got.message


def test_files_are_named_and_not_sent(config, desk, server):
    file = NewFile("trace.log", "text/plain", "text/plain", 3, "0" * 64, "store-1")
    desk.write("See the file.", files=(file,))
    (got,) = send(server, "ticket_answered")
    assert "File: trace.log" in text_of(got)
    assert [part.get_content_type() for part in got.message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


def test_without_a_domain_nobody_is_told_to_answer_by_mail(app, config, desk, server):
    app.extensions["plutarc"] = replace(config, inbound=Inbound())
    desk.write("Answer.")
    (got,) = send(server, "ticket_answered")
    assert "Reply-To" not in got.message
    assert got.sender == "desk@desk.test"
    assert MARKER not in text_of(got) + html_of(got)
    assert "Answer on the page of the ticket" in text_of(got)


def test_what_is_quoted_of_our_letter_is_not_read_as_an_answer(config, desk, server):
    desk.write("Please restart it.")
    (got,) = send(server, "ticket_answered")
    quoted = "\n".join(f"> {line}" for line in text_of(got).splitlines())
    assert visible_reply(f"It works now.\n\n{quoted}") == "It works now."
    assert visible_reply(f"It works now.\n\n{text_of(got)}") == "It works now."


def test_a_note_is_told_to_whom_it_names_and_its_answer_stays_one(config, desk, server):
    otto = factories.user("Otto", datetime.now(UTC))
    otto.operator = True
    db.session.commit()
    desk.note(f"@{otto.email_key.partition('@')[0]} look: {CANARY}")
    (got,) = send(server, "note_mention")
    assert got.recipients == [otto.email]
    assert CANARY in text_of(got)
    token = reply_tokens.find(token_of(got), datetime.now(UTC))
    assert (token.purpose, token.holder_id) == (TokenPurpose.INTERNAL, otto.id)
    desk.write("Answer.")
    desk.warn()
    public = [it for it in send(server) if it.recipients != [otto.email]]
    assert len(public) == 3
    for one in public:
        assert CANARY not in one.message.as_string() + text_of(one) + html_of(one)
    roots = {it.message["References"].split()[0] for it in server.post.letters}
    assert got.message["References"].split()[0] in roots
    assert reply_tokens.find(token_of(public[0]), datetime.now(UTC)).purpose is TokenPurpose.PUBLIC


def test_a_note_written_about_in_a_users_letter_is_refused_by_the_database(config, desk):
    letter = rows()[0]
    letter.note_id, letter.audience = desk.note("x").id, "user"
    with pytest.raises(Exception, match="notes_stay_inside"):
        db.session.flush()
    db.session.rollback()


def test_whoever_looks_after_a_ticket_hears_of_it_alone(config, desk, server):
    otto = factories.user("Otto", datetime.now(UTC))
    otto.operator = True
    desk.write("Ping", desk.mine)
    assert len(rows("ticket_message")) == 2
    db.session.add(TicketHandling(ticket_id=desk.ticket.id, assignee_id=otto.id))
    db.session.flush()
    desk.write("Pong", desk.mine)
    assert [it.to_email for it in rows("ticket_message")[2:]] == [otto.email]


def test_what_a_machine_wrote_rings_nobody(config, desk):
    desk.write("I am on holiday.", desk.mine, automatic=True)
    assert rows("ticket_message") == []


def test_a_contact_gets_answers_and_has_no_page(config, desk, server):
    now = datetime.now(UTC)
    carla = Contact(
        email="carla@example.org",
        email_key="carla@example.org",
        name="Carla",
        verified_at=now,
        created_at=now,
    )
    db.session.add(carla)
    db.session.flush()
    voice = Voice(AuthorKind.CONTACT, TESTER, channel=Channel.CONTACT)
    desk.ticket = tickets.open_ticket(
        desk.place, carla, Wanted("Prices"), Said("How much?"), voice=voice, now=now
    )
    desk.write("Nothing.")
    (got,) = send(server, "ticket_answered")
    assert got.recipients == ["carla@example.org"]
    assert "Answer to this letter to go on." in text_of(got)
    assert "/w/" not in text_of(got) + html_of(got)
    assert reply_tokens.find(token_of(got), now).contact_id == carla.id


def test_a_warning_says_what_happens_and_when_in_their_zone(config, desk, server):
    desk.write("Did it help?")
    desk.warn()
    (got,) = send(server, "ticket_warning")
    assert "closes on Wednesday, 1 July 2026, 12:30 (Europe/Lisbon)" in text_of(got)
    assert "Did it help?" in text_of(got)
    assert got.message["Auto-Submitted"] == "auto-generated"
    assert html_of(got).count(f"/w/{desk.place.id}/tickets/{desk.ticket.id}") == 2


def test_the_end_of_a_ticket_is_told_if_the_desk_ended_it(config, desk, server):
    moves.close(desk.ticket, "We heard nothing.", voice=desk.theirs, now=datetime.now(UTC))
    db.session.commit()
    (got,) = send(server, "ticket_closed")
    assert "was closed. We heard nothing." in text_of(got)
    assert "reopen it" in text_of(got)
    moves.reopen(desk.ticket, voice=desk.mine, now=datetime.now(UTC))
    moves.resolve(desk.ticket, voice=desk.mine, now=datetime.now(UTC))
    assert len(rows("ticket_closed")) == 1


def asked_to_look(desk):
    now = datetime.now(UTC)
    made = access.ask(desk.ticket, desk.nina, 30, "to see its <orders>", voice=desk.theirs, now=now)
    db.session.commit()
    return made


def test_a_question_for_access_is_put_to_the_owner(config, desk, server):
    asked_to_look(desk)
    (got,) = send(server, "ticket_access")
    assert got.recipients == [desk.owner.email]
    assert f"{desk.nina.name} from support asks to look into the workspace" in text_of(got)
    assert "to see its <orders>" in text_of(got)
    assert "&lt;orders&gt;" in html_of(got)
    assert f"/w/{desk.place.id}/tickets/{desk.ticket.id}" in text_of(got)
    assert got.message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("answer", ["refused_at", "granted_at", "ended_at"])
def test_an_answered_question_for_access_is_not_sent(config, desk, server, answer):
    setattr(asked_to_look(desk), answer, datetime.now(UTC))
    db.session.commit()
    assert send(server, "ticket_access") == []
    assert rows("ticket_access")[0].state is MailState.CANCELLED


def test_a_merged_ticket_is_told_where_it_goes_on(config, desk, server):
    other = desk.open("The same", Said("Again."))
    moves.merge(desk.ticket, other, voice=desk.theirs, now=datetime.now(UTC))
    db.session.commit()
    (got,) = send(server, "ticket_closed")
    assert f"was merged. It goes on in {other.ref}." in text_of(got)
    assert "You find it here" in text_of(got)


def test_the_same_event_is_one_letter(config, desk):
    message = desk.write("Answer.")
    assert (
        letters_out.answered(desk.ticket, message, datetime.now(UTC)) is rows("ticket_answered")[0]
    )
    assert len(rows("ticket_answered")) == 1


def redacted(desk):
    desk.ticket.messages[-1].redacted_at = datetime.now(UTC)


def left(desk):
    db.session.delete(
        db.session.scalar(
            select(Membership).where(
                Membership.user_id == desk.owner.id, Membership.workspace_id == desk.place.id
            )
        )
    )


def suspended(desk):
    desk.owner.suspended_at = datetime.now(UTC)


def unproven(desk):
    desk.owner.email_verified_at = None


def bounced(desk):
    now = datetime.now(UTC)
    db.session.add(AddressHealth(email_key=desk.owner.email_key, scored_at=now, disabled_at=now))


@pytest.mark.parametrize("fault", [redacted, left, suspended, unproven, bounced])
def test_an_answer_that_may_not_be_read_any_more_does_not_go(config, desk, server, fault):
    desk.write("Answer.")
    fault(desk)
    db.session.commit()
    assert send(server, "ticket_answered") == []
    (letter,) = rows("ticket_answered")
    assert letter.state is MailState.CANCELLED
    assert letter.error
    assert not effect.send(letter.id)


def test_who_is_no_operator_any_more_gets_nothing(config, desk, server):
    desk.nina.operator = False
    db.session.commit()
    assert send(server) == []
    assert "no operator" in rows()[0].error


def answered(desk):
    desk.write("I am here", desk.mine)


def held(desk):
    moves.hold(desk.ticket, voice=desk.theirs, now=datetime.now(UTC))


def warned_anew(desk):
    desk.ticket.warned_at += timedelta(seconds=5)


@pytest.mark.parametrize("change", [answered, held, warned_anew])
def test_a_warning_that_is_void_does_not_go(config, desk, server, change):
    desk.write("Did it help?")
    desk.warn()
    change(desk)
    db.session.commit()
    assert send(server, "ticket_warning") == []
    assert rows("ticket_warning")[0].state is MailState.CANCELLED


def test_it_goes_to_the_address_they_have_now(config, desk, server):
    desk.write("Answer.")
    desk.owner.email = desk.owner.email_key = "olga@new.example.org"
    db.session.commit()
    (got,) = send(server, "ticket_answered")
    assert got.recipients == ["olga@new.example.org"]


def test_whose_address_was_never_proven_gets_no_letters(config, desk):
    desk.owner.email_verified_at = None
    desk.write("Answer.")
    desk.warn()
    assert rows("ticket_answered") == rows("ticket_warning") == []


def test_an_unknown_outcome_is_shown_and_repeated_as_the_same_letter(config, desk, server):
    server.post.hang_up = 1
    send(server)
    (letter,) = rows()
    assert letter.state is MailState.UNKNOWN
    send(server)
    first, second = server.post.letters
    assert letter.state is MailState.SENT
    for header in ("Message-ID", "References", "Reply-To", "Subject"):
        assert first.message[header] == second.message[header]
    assert first.sender == second.sender


def test_headers_a_letter_brings_travel_with_it(config, app, server):
    letter = mail.post("mail_check", to="bo@example.org", now=datetime.now(UTC), console="x")
    letter.envelope = {"headers": {"List-Id": "status.desk.test"}}
    db.session.commit()
    effect.send(letter.id)
    assert server.post.letters[0].message["List-Id"] == "status.desk.test"


def test_an_answer_after_the_ticket_was_solved_says_so(config, desk, server):
    tickets.post(
        desk.ticket,
        Said("Done."),
        voice=desk.theirs,
        now=datetime.now(UTC),
        then=TicketState.RESOLVED,
    )
    db.session.commit()
    (got,) = send(server, "ticket_answered")
    assert "marked as solved" in text_of(got)
    assert rows("ticket_closed") == []
