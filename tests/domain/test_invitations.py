"""Every act on an invitation in every state, and all that accepting checks again."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import invitation_book, invitations, invited, letters, workspaces
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.domain.invited import Standing
from app.extensions import db
from app.models import (
    AuditEvent,
    Invitation,
    InvitationLink,
    InvitationState,
    Mail,
    Membership,
    Notice,
    Role,
    TotpFactor,
)
from tests import factories
from tests.factories import NOW, TESTER

LATER = NOW + timedelta(hours=1)
TOO_LATE = NOW + timedelta(days=7, seconds=1)
STATES = list(InvitationState)


def to(token):
    return f"https://plutarc.example/invitations/{token}"


def token_of(link):
    return link.rpartition("/")[2]


class Desk:
    """An organisation with its owner, and what an inviter does there."""

    def __init__(self):
        self.owner = factories.user("Olga")
        self.workspace = factories.organisation(self.owner)
        self.boss = self.member(self.owner)

    def member(self, person):
        query = select(Membership).where(
            Membership.workspace_id == self.workspace.id, Membership.user_id == person.id
        )
        return db.session.scalar(query)

    def joined(self, role):
        return self.member(factories.joined(self.workspace, role, name=role.title()))

    def invite(self, email, role=Role.TRADER, inviter=None, now=NOW):
        inviter = inviter or self.boss
        place = inviter.workspace
        values = {"email": email, "role": role, "inviter": inviter}
        return invitations.create(place, **values, link_to=to, by=TESTER, now=now)

    def resend(self, invitation, sender=None, now=LATER):
        sender = sender or self.boss
        return invitations.resend(invitation, sender=sender, link_to=to, by=TESTER, now=now)

    def revoke(self, invitation, member=None, now=LATER):
        invitations.revoke(invitation, member=member or self.boss, by=TESTER, now=now)


@pytest.fixture
def desk(app):
    return Desk()


def verified(name):
    person = factories.user(name)
    person.email_verified_at = NOW
    return person


@pytest.fixture
def guest(app):
    return verified("Gus")


def links(sent):
    """The mailed link and the one to hand over."""
    mailed = newest_mail("invitation", sent.invitation.email).values["link"]
    return invited.find(token_of(mailed)), invited.find(token_of(sent.link))


def newest_mail(letter, email):
    query = select(Mail).where(Mail.letter == letter, Mail.to_email == email)
    return db.session.scalars(query.order_by(Mail.created_at.desc())).first()


def accept(link, person, now=LATER):
    return invited.accept(link, person, by=Actor("user", person.email, person.id), now=now)


def decline(link, person, now=LATER):
    invited.decline(link, person, by=TESTER, now=now)


def events(desk, action):
    query = select(AuditEvent).where(
        AuditEvent.workspace_id == desk.workspace.id, AuditEvent.action == action
    )
    return list(db.session.scalars(query))


def brought_to(desk, guest, state):
    """An invitation of the guest in a state, with both of its links."""
    sent = desk.invite(guest.email)
    mailed, handed = links(sent)
    match state:
        case InvitationState.ACCEPTED:
            accept(mailed, guest)
        case InvitationState.DECLINED:
            decline(mailed, guest)
        case InvitationState.REVOKED:
            desk.revoke(sent.invitation)
        case InvitationState.EXPIRED:
            assert invitation_book.expire(sent.invitation.id, TOO_LATE)
    assert sent.invitation.state is state
    return sent.invitation, mailed, handed


ACTS = {
    "accept": (lambda desk, guest, it, link: accept(link, guest), InvitationState.ACCEPTED),
    "decline": (lambda desk, guest, it, link: decline(link, guest), InvitationState.DECLINED),
    "revoke": (lambda desk, guest, it, link: desk.revoke(it), InvitationState.REVOKED),
    "resend": (lambda desk, guest, it, link: desk.resend(it), InvitationState.PENDING),
}


def told(invitation):
    db.session.refresh(invitation)
    return (invitation.state, invitation.sent, invitation.answered_at, invitation.expires_at)


@pytest.mark.parametrize("state", STATES)
def test_each_act_in_each_state(app, state):
    for act, (verb, after) in ACTS.items():
        desk, guest = Desk(), verified("Gus")
        invitation, mailed, _ = brought_to(desk, guest, state)
        before, happened = told(invitation), len(events(desk, f"invitation.{act}"))
        if state is InvitationState.PENDING:
            verb(desk, guest, invitation, mailed)
            assert invitation.state is after
            assert len(events(desk, f"invitation.{act}")) == 1
        else:
            with pytest.raises(Conflict):
                verb(desk, guest, invitation, mailed)
            assert told(invitation) == before
            assert len(events(desk, f"invitation.{act}")) == happened


def test_running_out_ends_pending_ones_alone_and_only_in_time(app):
    for state in STATES:
        invitation, _, _ = brought_to(Desk(), verified("Gus"), state)
        assert not invitation_book.expire(invitation.id, NOW + timedelta(days=6))
        ended = invitation_book.expire(invitation.id, TOO_LATE)
        assert ended is (state is InvitationState.PENDING)
        assert invitation.state is (InvitationState.EXPIRED if ended else state)


def test_what_ran_out_is_over_before_anybody_wrote_so(desk, guest):
    sent = desk.invite(guest.email)
    mailed, _ = links(sent)
    for verb in (
        lambda: accept(mailed, guest, TOO_LATE),
        lambda: decline(mailed, guest, TOO_LATE),
        lambda: desk.revoke(sent.invitation, now=TOO_LATE),
        lambda: desk.resend(sent.invitation, now=TOO_LATE),
    ):
        with pytest.raises(Conflict, match=r"run out|expired"):
            verb()


def test_accepting_joins_with_the_role_and_leaves_one_event(desk, guest):
    sent = desk.invite(guest.email, Role.MANAGER)
    member = accept(links(sent)[0], guest)
    assert (member.role, member.workspace_id) == (Role.MANAGER, desk.workspace.id)
    (event,) = events(desk, "invitation.accept")
    assert event.actor_id == guest.id
    assert {change["field"]: change["after"] for change in event.changes} == {
        "state": "accepted",
        "role": "manager",
    }
    assert not events(desk, "member.add")


def test_the_inviter_is_told_of_the_answer(desk, guest):
    sent = desk.invite(guest.email)
    decline(links(sent)[0], guest)
    letter = newest_mail("invitation_answered", desk.owner.email)
    assert (letter.to_email, letter.values["answer"]) == (desk.owner.email, "declined")
    notice = db.session.scalar(select(Notice).where(Notice.user_id == desk.owner.id))
    assert "declined" in notice.title
    assert desk.workspace.id in notice.path


HOUSE = letters.House("plutarc", "https://plutarc.example")


def written(letter):
    return letters.render(letter.letter, letter.values, name=letter.to_name, house=HOUSE)


def test_letters_say_who_invites_whom_to_what(desk, guest):
    sent = desk.invite(guest.email)
    letter = newest_mail("invitation", guest.email)
    found = written(letter)
    assert found.subject == "Olga invites you to Harbour Desk"
    for text in (found.text, found.html):
        assert letter.values["link"] in text
        assert "trader" in text
    decline(links(sent)[0], guest)
    found = written(newest_mail("invitation_answered", desk.owner.email))
    assert found.subject == f"{guest.email} declined your invitation to Harbour Desk"


def test_only_hashes_of_tokens_are_kept_and_tokens_are_long(desk, guest):
    sent = desk.invite(guest.email)
    mailed = newest_mail("invitation", guest.email).values["link"]
    tokens = {token_of(sent.link), token_of(mailed)}
    assert len(tokens) == 2
    assert all(len(token) == 43 for token in tokens)  # 32 random bytes
    kept = {row.token_hash for row in db.session.scalars(select(InvitationLink))}
    assert kept == {invitation_book.digest(token) for token in tokens}
    assert sent.link not in repr(sent)
    for event in db.session.scalars(select(AuditEvent)):
        assert not any(token in str(vars(event)) for token in tokens)


def test_a_link_for_the_mailbox_shows_who_reads_it_and_one_to_hand_over_does_not(desk):
    newcomer = factories.user("Nora")
    newcomer.email_verified_at = None
    mailed, handed = links(desk.invite(newcomer.email))
    assert invited.standing(handed, newcomer, LATER) is Standing.UNPROVEN
    with pytest.raises(Conflict, match="mailbox"):
        accept(handed, newcomer)
    assert mailed.invitation.state is InvitationState.PENDING
    accept(mailed, newcomer)
    assert newcomer.email_verified_at == LATER
    query = select(AuditEvent.action).where(AuditEvent.chain == newcomer.id)
    assert "account.verify" in set(db.session.scalars(query))


def test_a_link_to_hand_over_serves_an_address_that_was_confirmed(desk, guest):
    _, handed = links(desk.invite(guest.email))
    assert accept(handed, guest).role is Role.TRADER


def test_another_account_reads_both_addresses_masked_and_takes_nothing(desk, guest):
    mailed, handed = links(desk.invite("somebody.else@example.com"))
    for link in (mailed, handed):
        assert invited.standing(link, guest, LATER) is Standing.WRONG_ACCOUNT
        for verb in (accept, decline):
            with pytest.raises(Conflict, match="another address"):
                verb(link, guest)
    assert mailed.invitation.state is InvitationState.PENDING
    assert desk.member(guest) is None


def test_masked_addresses_tell_only_their_owner():
    assert invited.masked("ada.lovelace@example.com") == "a…e@example.com"
    assert invited.masked("ann@example.com") == "a…@example.com"
    assert invited.masked("x@example.com") == "x…@example.com"
    assert invited.masked('"a@b"@example.com') == '"…"@example.com'


def test_addresses_are_compared_as_people_mean_them(desk, guest):
    sent = desk.invite(f"  {guest.email.replace('gus', 'GUS').replace('example', 'EXAMPLE')} ")
    assert accept(links(sent)[0], guest)


def test_nobody_declines_by_a_link_to_hand_over_without_signing_in(desk, guest):
    mailed, handed = links(desk.invite(guest.email))
    with pytest.raises(Conflict):
        decline(handed, None)
    decline(mailed, None)
    assert mailed.invitation.answered_by is None


def test_sending_again_replaces_both_links_and_keeps_the_role(desk, guest):
    sent = desk.invite(guest.email)
    old = links(sent)
    again = desk.resend(sent.invitation)
    for link in old:
        assert invited.standing(link, guest, LATER) is Standing.REPLACED
        with pytest.raises(Conflict, match="replaced by a newer one"):
            accept(link, guest)
    assert again.invitation.expires_at == LATER + invitations.LIFE
    fresh = invited.find(token_of(again.link))
    assert accept(fresh, guest).role is Role.TRADER
    assert invited.standing(old[0], guest, LATER) is Standing.ACCEPTED


def test_it_is_sent_again_five_times_at_most(desk, guest):
    invitation = desk.invite(guest.email).invitation
    for _ in range(5):
        desk.resend(invitation)
    with pytest.raises(Refused, match="sent 6 times"):
        desk.resend(invitation)


def test_who_sends_again_answers_for_it(desk, guest):
    admin = desk.joined(Role.ADMIN)
    invitation = desk.invite(guest.email, inviter=admin).invitation
    again = desk.resend(invitation)
    admin.role = Role.VIEWER
    assert accept(invited.find(token_of(again.link)), guest)


def test_one_open_invitation_for_each_address(desk, guest):
    first = desk.invite(guest.email).invitation
    with pytest.raises(Conflict, match="open invitation as trader"):
        desk.invite(guest.email.upper(), Role.VIEWER)
    desk.revoke(first)
    assert desk.invite(guest.email, Role.VIEWER, now=LATER)
    elsewhere = Desk()
    assert elsewhere.invite(guest.email)


def test_what_ran_out_makes_room(desk, guest):
    first = desk.invite(guest.email).invitation
    second = desk.invite(guest.email, now=TOO_LATE).invitation
    assert (first.state, second.state) == (InvitationState.EXPIRED, InvitationState.PENDING)
    assert [event.actor_kind for event in events(desk, "invitation.expire")] == ["scheduler"]


def test_inviting_a_member_changes_nothing_and_says_so(desk):
    trader = desk.joined(Role.TRADER)
    with pytest.raises(Invalid, match="is a member already") as refusal:
        desk.invite(trader.user.email.upper(), Role.ADMIN)
    assert refusal.value.field == "email"
    assert trader.role is Role.TRADER
    assert db.session.scalar(select(Invitation.id)) is None


def test_known_and_unknown_addresses_are_the_same_to_the_inviter(desk, guest):
    known, unknown = desk.invite(guest.email), desk.invite("nobody-there@example.com")
    kept = ("role", "state", "sent", "expires_at", "invited_by", "answered_at")
    for name in kept:
        assert getattr(known.invitation, name) == getattr(unknown.invitation, name)
    for sent in (known, unknown):
        handed = invited.find(token_of(sent.link))
        assert invited.standing(handed, None, NOW) is Standing.STRANGER


def test_twenty_a_day_and_no_more_in_any_workspace(desk):
    for number in range(19):
        desk.invite(f"guest{number}@example.com", now=NOW + timedelta(minutes=number))
    other = factories.organisation(desk.owner)
    elsewhere = db.session.scalar(select(Membership).where(Membership.workspace_id == other.id))
    desk.invite("guest19@example.com", inviter=elsewhere, now=LATER)
    with pytest.raises(TooMany) as refusal:
        desk.invite("guest20@example.com", now=LATER)
    assert refusal.value.wait == 23 * 3600
    assert desk.invite("guest20@example.com", now=NOW + timedelta(days=1))


def test_roles_at_or_above_ones_own_are_not_handed_out(desk):
    handed_out = {
        Role.VIEWER: [],
        Role.TRADER: [],
        Role.MANAGER: [Role.VIEWER, Role.TRADER],
        Role.ADMIN: [Role.VIEWER, Role.TRADER, Role.MANAGER],
        Role.OWNER: list(Role),
    }
    for mine, given in handed_out.items():
        inviter = desk.boss if mine is Role.OWNER else desk.joined(mine)
        for theirs in Role:
            email = f"{theirs}.by.{mine}@example.com"
            if theirs in given:
                assert desk.invite(email, theirs, inviter=inviter)
            else:
                with pytest.raises(Refused):
                    desk.invite(email, theirs, inviter=inviter)


def test_a_manager_touches_no_invitation_of_a_higher_role(desk, guest):
    manager = desk.joined(Role.MANAGER)
    invitation = desk.invite(guest.email, Role.ADMIN).invitation
    with pytest.raises(Refused, match="roles below your own"):
        desk.resend(invitation, sender=manager)
    with pytest.raises(Refused, match="roles below your own"):
        desk.revoke(invitation, member=manager)
    assert (invitation.state, invitation.sent) == (InvitationState.PENDING, 1)


def test_a_workspace_can_keep_managers_from_inviting(desk, guest):
    manager = desk.joined(Role.MANAGER)
    sent = desk.invite(guest.email, inviter=manager)
    desk.workspace.managers_invite = False
    for verb in (
        lambda: desk.invite("other@example.com", inviter=manager),
        lambda: desk.resend(sent.invitation, sender=manager),
    ):
        with pytest.raises(Refused, match="managers do not invite"):
            verb()
    assert invited.standing(links(sent)[0], guest, LATER) is Standing.UNCOVERED
    desk.revoke(sent.invitation, member=manager)


def test_a_personal_workspace_takes_nobody_in(app, guest):
    own = guest.memberships[0]
    with pytest.raises(Refused, match="one member"):
        invitations.create(
            own.workspace,
            email="other@example.com",
            role=Role.VIEWER,
            inviter=own,
            link_to=to,
            by=TESTER,
            now=NOW,
        )


def suspend(row):
    row.suspended_at = NOW


HINDRANCES = {
    "inviter demoted": (lambda d, m: setattr(m, "role", Role.TRADER), Standing.UNCOVERED),
    "role now too high": (lambda d, m: setattr(m, "role", Role.MANAGER), Standing.UNCOVERED),
    "inviter gone": (lambda d, m: db.session.delete(m), Standing.UNCOVERED),
    "inviter suspended here": (lambda d, m: suspend(m), Standing.UNCOVERED),
    "inviter suspended": (lambda d, m: suspend(m.user), Standing.UNCOVERED),
    "workspace suspended": (lambda d, m: suspend(d.workspace), Standing.SUSPENDED),
    "workspace deleted": (
        lambda d, m: setattr(d.workspace, "deleted_at", NOW),
        Standing.CLOSED,
    ),
    "second factor": (lambda d, m: setattr(d.workspace, "factor_from", NOW), Standing.FACTOR),
}


def test_accepting_checks_everything_again(app):
    for hindrance, (befall, standing) in HINDRANCES.items():
        desk, guest = Desk(), verified("Gus")
        admin = desk.joined(Role.ADMIN)
        mailed, _ = links(desk.invite(guest.email, Role.MANAGER, inviter=admin))
        befall(desk, admin)
        db.session.flush()
        assert invited.standing(mailed, guest, LATER) is standing, hindrance
        told = "was deleted" if standing is Standing.CLOSED else re.escape(invited.WORDS[standing])
        with pytest.raises(Conflict, match=told):
            accept(mailed, guest)
        assert desk.member(guest) is None
        assert mailed.invitation.state is InvitationState.PENDING


def test_a_second_factor_is_asked_for_from_its_date_on_and_counts_once_confirmed(desk, guest):
    mailed, _ = links(desk.invite(guest.email))
    desk.workspace.factor_from = LATER + timedelta(days=1)
    assert invited.standing(mailed, guest, LATER) is Standing.READY
    desk.workspace.factor_from = LATER
    factor = TotpFactor(user_id=guest.id, sealed=b"sealed", created_at=NOW)
    db.session.add(factor)
    db.session.flush()
    assert invited.standing(mailed, guest, LATER) is Standing.FACTOR
    factor.confirmed_at = NOW
    db.session.flush()
    assert accept(mailed, guest)


def test_who_came_in_another_way_keeps_the_role(desk, guest):
    mailed, _ = links(desk.invite(guest.email, Role.ADMIN))
    workspaces.add_member(desk.workspace, guest, Role.VIEWER, by=TESTER, now=NOW)
    with pytest.raises(Conflict, match="Your role stays as it is"):
        accept(mailed, guest)
    assert desk.member(guest).role is Role.VIEWER


def test_the_list_shows_open_ones_first_and_those_of_this_workspace_alone(desk, guest):
    ended = desk.invite("ended@example.com", now=LATER).invitation
    desk.revoke(ended)
    open_one = desk.invite(guest.email).invitation
    elsewhere = Desk()
    elsewhere.invite("foreign@example.com")
    assert invitation_book.in_workspace(desk.workspace) == [open_one, ended]
    assert invitation_book.find(elsewhere.workspace, open_one.id) is None


def test_what_is_due_is_found_by_the_sweep(desk, guest):
    invitation = desk.invite(guest.email).invitation
    assert invitation_book.due(LATER) == []
    assert invitation_book.due(TOO_LATE) == [invitation.id]
    assert not invitation_book.expire("inv_unknown", TOO_LATE)
