"""Deleting an account: what stands in its way, what goes, what stays, on both databases."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import (
    accounts,
    bots,
    connections,
    leaving,
    mailed_links,
    notices,
    traces,
    workspaces,
)
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import front_desk, notes, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.domain.telegram import calls
from app.extensions import db
from app.gateways import vault
from app.models import (
    AddressHealth,
    Audience,
    AuditEvent,
    AuthorKind,
    DeskEvent,
    DiagnosticBundle,
    GuideProgress,
    InboundMail,
    LinkPurpose,
    LoginSession,
    Mail,
    Membership,
    Notice,
    OwnershipOffer,
    RecoveryCode,
    ReplyToken,
    Role,
    StatusSubscriber,
    SupportAccess,
    TelegramCall,
    TelegramLink,
    TelegramLinkToken,
    TelegramMessage,
    TicketMessage,
    TicketNote,
    TicketState,
    TokenPurpose,
    TotpFactor,
    User,
    Workspace,
)
from tests import factories
from tests.domain.support.scene import Scene, contact, count, replayed
from tests.factories import NOW
from tests.parallel import at_once

DEVICE = {"ip": "203.0.113.9", "user_agent": "Chrome/156.0 Linux"}


@pytest.fixture
def scene(app):
    return Scene()


def actor(scene):
    return Actor("user", scene.owner.email, scene.owner_id)


def leave(scene, typed=None):
    by = actor(scene)
    leaving.delete(scene.owner, typed=typed or scene.owner.email, by=by, now=NOW)
    db.session.flush()


def cures(scene):
    return {it.what: it.cure for it in leaving.obstacles(scene.owner, NOW)}


def everything_of(scene):
    """Whatever an account can leave behind, in every table."""
    person, key, later = scene.owner, scene.owner.email_key, NOW + timedelta(days=9)
    accounts.open_session(person, **DEVICE, by=actor(scene), now=NOW)
    mailed_links.issue(person, LinkPurpose.VERIFY, person.email, now=NOW)
    notices.tell([person.id], "Hello", key="hello", now=NOW)
    ticket = scene.waiting()
    said = Said("By mail", key="m", rfc_message_id="<1@home.example>", inbound_id="inm_1")
    message = tickets.post(ticket, said, voice=scene.user("email"), now=NOW)
    notes.add(ticket, "A note about them", voice=scene.desk(), now=NOW)
    about = {"ticket_id": ticket.id, "created_at": NOW}
    at_home = {"workspace_id": scene.workspace_id}
    db.session.add_all(
        [
            TotpFactor(user_id=person.id, sealed=b"x", created_at=NOW, confirmed_at=NOW),
            RecoveryCode(user_id=person.id, code_hash="0" * 64, created_at=NOW),
            GuideProgress(user_id=person.id, guide="first_position", hidden_at=NOW),
            TelegramLink(user_id=person.id, telegram_id=7, chat_id=7, name="Olga", created_at=NOW),
            TelegramMessage(chat_id=7, message_id=1, ticket_id=ticket.id, kind="a", created_at=NOW),
            TelegramLinkToken(
                token_hash="1" * 64, user_id=person.id, created_at=NOW, expires_at=later
            ),
            TelegramCall(
                **about,
                destination=person.id,
                audience=Audience.USER,
                recipient_id=person.id,
                kind="answer",
                values={"text": "x"},
                dedupe_key="call",
                try_at=NOW,
            ),
            ReplyToken(
                **about,
                token_hash="2" * 64,
                holder_id=person.id,
                purpose=TokenPurpose.PUBLIC,
                expires_at=later,
            ),
            DiagnosticBundle(
                **about,
                **at_home,
                bot_id="bot_1",
                body={},
                sha256="0" * 64,
                consented_by=person.id,
                expires_at=later,
            ),
            SupportAccess(
                **at_home,
                ticket_id=ticket.id,
                operator_id=scene.operator_id,
                reason="look",
                minutes=60,
                asked_at=NOW,
                answered_by=person.id,
                granted_at=NOW,
                expires_at=later,
            ),
            InboundMail(
                provider="raw",
                event_id="1",
                sha256="3" * 64,
                envelope_from=person.email.upper(),
                envelope_to="support@example.com",
                raw=b"raw",
                size=3,
                ticket_id=ticket.id,
                message_id=message.id,
                received_at=NOW,
                raw_until=later,
            ),
            AddressHealth(email_key=key, scored_at=NOW),
            StatusSubscriber(email=person.email, email_key=key, token_hash="4" * 64, asked_at=NOW),
        ]
    )
    db.session.flush()
    return ticket


GONE = (
    *(LoginSession, TotpFactor, RecoveryCode, TelegramLink, TelegramLinkToken, ReplyToken),
    *(TelegramMessage, GuideProgress),
    *(DiagnosticBundle, AddressHealth, StatusSubscriber),
)


def test_it_takes_every_proof_and_address_with_it(scene):
    ticket = everything_of(scene)
    name, address = scene.owner.name, scene.owner.email
    leave(scene)
    person = scene.owner
    assert (person.name, person.deleted_at, person.operator) == (traces.NAME, NOW, False)
    assert person.email == person.email_key == f"{person.id}@left.invalid"
    assert not person.verified
    assert [kind.__name__ for kind in GONE if count(kind)] == []
    assert count(Notice, user_id=person.id) == count(TelegramCall, recipient_id=person.id) == 0
    mail = db.session.scalars(select(InboundMail)).one()
    assert (mail.raw, mail.envelope_from, mail.ticket_id) == (None, "", ticket.id)
    assert db.session.scalars(select(SupportAccess)).one().ended_at == NOW
    assert not set(db.session.scalars(select(TicketMessage.rfc_message_id))) - {""}
    letters = db.session.scalars(select(Mail).where(Mail.to_email == address)).all()
    assert [it.letter for it in letters] == ["account_deleted"]
    found = told_anywhere(name, address, scene)
    assert found <= {"audit_event", "mail"}, found


def told_anywhere(name, address, scene):
    """Every table in which the name or the address of who left still stands."""
    found = set()
    for table in db.metadata.sorted_tables:
        rows = db.session.execute(select(table)).mappings().all()
        text = json.dumps([{k: str(v) for k, v in row.items()} for row in rows])
        if address in text.lower() or f'"{name}"' in text:
            found.add(table.name)
    return found


def test_what_was_said_stays_with_the_desk_and_its_notes_do_too(scene):
    ticket = everything_of(scene)
    before = [it.body for it in ticket.messages]
    events = count(AuditEvent, chain=scene.workspace_id)
    leave(scene)
    db.session.expire_all()
    assert [it.body for it in ticket.messages] == before
    assert count(TicketNote) == count(DeskEvent) == 1
    assert count(AuditEvent, chain=scene.workspace_id) > events
    assert (ticket.state, ticket.opened_by) == (TicketState.CLOSED, scene.owner_id)
    assert replayed(ticket)
    own = select(AuditEvent).where(AuditEvent.chain == scene.owner_id)
    last = db.session.scalars(own.order_by(AuditEvent.seq.desc())).first()
    assert last.action == "account.delete"
    told = json.dumps(last.changes)
    assert '"second factors"' in told
    assert scene.owner.email not in told


def mail_in(scene, number, **values):
    return InboundMail(
        provider="raw",
        event_id=number,
        sha256=number * 64,
        envelope_to="support@example.com",
        raw=b"raw",
        size=3,
        received_at=NOW,
        raw_until=NOW + timedelta(days=9),
        **values,
    )


def test_mail_of_theirs_goes_whatever_its_envelope_and_decision(scene):
    address = scene.owner.email
    why = f"The reply address was given to {address}, and somebody else wrote to it."
    mine = mail_in(scene, "5", envelope_from="bounce@list.example", sender=address)
    other = mail_in(scene, "6", envelope_from="m@else.example", sender="m@else.example", reason=why)
    db.session.add_all([mine, other])
    leave(scene)
    db.session.expire_all()
    assert (mine.raw, mine.sender) == (None, "")
    assert (other.raw, other.sender) == (b"raw", "m@else.example")
    assert told_anywhere("Olga", address, scene) <= {"audit_event", "mail"}


def test_what_they_asked_at_the_contact_door_stays_under_nobody_s_name(scene):
    address = scene.owner.email
    carol = contact()
    carol.name, carol.email, carol.email_key = "Olga", address, scene.owner.email_key
    voice = Voice(AuthorKind.CONTACT, actor(scene))
    by = {"voice": voice, "now": NOW}
    place = front_desk.workspace(by=actor(scene), now=NOW)
    ticket = tickets.open_ticket(place, carol, Wanted("Before"), Said("Hello"), **by)
    about = {"ticket_id": ticket.id, "contact_id": carol.id, "purpose": TokenPurpose.PUBLIC}
    times = {"created_at": NOW, "expires_at": NOW + timedelta(days=9)}
    db.session.add(ReplyToken(token_hash="7" * 64, **about, **times))
    leave(scene)
    assert (carol.name, carol.left, count(ReplyToken)) == (traces.NAME, True, 0)
    before = count(Mail)
    tickets.post(ticket, Said("Too late"), voice=scene.desk(), now=NOW)
    assert count(Mail) == before
    assert told_anywhere("Olga", address, scene) <= {"audit_event", "mail"}


def test_what_the_bot_said_in_their_chat_goes_too(scene):
    at = {"created_at": NOW, "confirmed_at": NOW}
    db.session.add(
        TelegramLink(user_id=scene.owner_id, telegram_id=7, chat_id=7, name="Olga", **at)
    )
    calls.say(7, "Added to T-1", "mine", NOW)
    calls.say(8, "Added to T-1", "another's", NOW)
    leave(scene)
    assert db.session.scalars(select(TelegramCall.destination)).all() == ["chat 8"]


def test_nobody_signs_in_with_it_and_the_address_is_free_again(scene):
    address = scene.owner.email
    leave(scene)
    again = accounts.sign_up(
        email=address, name="Olga", password=factories.PASSWORD, by=actor(scene), now=NOW
    )
    assert again.id != scene.owner_id
    with pytest.raises(Refused):
        workspaces.create_organisation("Late", scene.owner, by=actor(scene), now=NOW)


def test_a_queued_letter_to_it_is_not_sent_any_more(scene):
    scene.waiting()
    queued = db.session.scalars(select(Mail.letter).where(Mail.recipient_id == scene.owner_id))
    assert queued.all() == ["ticket_answered"]
    leave(scene)
    assert count(Mail, recipient_id=scene.owner_id) == 0


def test_the_only_owner_of_an_organisation_stays(scene):
    place = factories.organisation(scene.owner)
    assert "only active owner" in cures(scene)["Harbour Desk"]
    with pytest.raises(Refused, match="Harbour Desk"):
        leave(scene)
    heir = factories.joined(place, Role.OWNER)
    leave(scene)
    left = db.session.scalars(select(Membership.user_id).filter_by(workspace_id=place.id))
    assert left.all() == [heir.id]
    assert db.session.get(Workspace, place.id).deleted_at is None
    gone = select(AuditEvent).where(AuditEvent.workspace_id == place.id)
    assert count(AuditEvent, workspace_id=place.id, action="member.leave") == 1
    assert db.session.scalars(gone.order_by(AuditEvent.seq.desc())).first().action == "member.leave"


def test_a_bot_that_may_trade_or_a_key_keeps_it(scene):
    bot = factories.bot(scene.workspace, name="Tide")
    bots.start(bot, by=actor(scene), now=NOW)
    _, public = vault.generate()
    connection = factories.connection(scene.workspace, vault.Sealer(public))
    assert cures(scene) == {
        "Tide": "it is started, so stop it first",
        "Practice account": "it holds a key, so delete this connection",
    }
    with pytest.raises(Refused, match="stop it first"):
        leave(scene)
    bots.stop(bot, by=actor(scene), now=NOW)
    connections.delete(connection, by=actor(scene), now=NOW)
    leave(scene)
    home = scene.workspace
    assert (home.deleted_at, home.name) == (NOW, "Personal workspace")
    assert bot.wish == "gone"


def test_the_only_operator_stays(scene):
    alone = Scene.__new__(Scene)
    alone.owner_id = scene.operator_id
    alone.workspace_id = workspaces.memberships(scene.operator)[0].workspace_id
    with pytest.raises(Refused, match="only operator"):
        leave(alone)
    factories.user("Oscar").operator = True
    db.session.flush()
    leave(alone)
    assert scene.operator.operator is False


def test_the_address_is_typed_out(scene):
    with pytest.raises(Invalid, match="exactly"):
        leave(scene, "somebody@example.com")
    assert scene.owner.deleted_at is None


def test_an_organisation_s_ticket_stays_open_for_its_other_members(scene):
    place = factories.organisation()
    workspaces.add_member(place, scene.owner, Role.TRADER, by=actor(scene), now=NOW)
    voice = Voice(AuthorKind.USER, actor(scene), scene.owner_id)
    wanted, said = Wanted("Ours"), Said("Ours")
    ticket = tickets.open_ticket(place, scene.owner, wanted, said, voice=voice, now=NOW)
    leave(scene)
    assert (ticket.state, ticket.opened_by) == (TicketState.NEW, scene.owner_id)


def test_what_waited_in_their_name_is_void(scene):
    place = factories.organisation()
    (boss,) = place.memberships
    workspaces.add_member(place, scene.owner, Role.ADMIN, by=actor(scene), now=NOW)
    offer = OwnershipOffer(
        workspace_id=place.id,
        from_id=boss.user_id,
        to_id=scene.owner_id,
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )
    db.session.add(offer)
    db.session.flush()
    leave(scene)
    db.session.refresh(offer)
    assert offer.state == "cancelled"


def test_of_two_who_delete_at_once_one_does(app, scene):
    def act():
        person = db.session.get(User, scene.owner_id)
        yield
        leaving.delete(person, typed=person.email, by=actor(scene), now=NOW)

    refusals = at_once(app, act, act)
    assert sorted(type(it).__name__ for it in refusals) in (
        ["Conflict", "NoneType"],
        ["Invalid", "NoneType"],
    )
    assert count(AuditEvent, action="account.delete") == 1


def test_a_second_time_there_is_nothing_to_delete(scene):
    leave(scene)
    with pytest.raises(Conflict):
        leave(scene)
