from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import (
    audit,
    audit_chain,
    bots,
    closures,
    members,
    ownership,
    suspensions,
    workspaces,
)
from app.domain.errors import Conflict, Invalid, NotAllowed, Refused
from app.extensions import db
from app.models import (
    Approval,
    ApprovalKind,
    ApprovalState,
    AuditEvent,
    Connection,
    Invitation,
    InvitationState,
    Membership,
    OfferState,
    Role,
    Wish,
    Workspace,
)
from tests import factories
from tests.domain.test_ownership import Desk
from tests.factories import NOW, TESTER

LATER = timedelta(days=7)


@pytest.fixture
def desk(app):
    return Desk()


def invitation(workspace, person, email):
    row = Invitation(
        workspace_id=workspace.id,
        email=email,
        email_key=email,
        role=Role.VIEWER,
        invited_by=person.id,
        created_at=NOW,
        expires_at=NOW + LATER,
    )
    db.session.add(row)
    return row


def approval(workspace, person):
    row = Approval(
        workspace_id=workspace.id,
        kind=ApprovalKind.RAISE_CEILINGS,
        digest="0" * 64,
        wanted={},
        changes=[],
        requested_by=person.id,
        created_at=NOW,
        expires_at=NOW + LATER,
    )
    db.session.add(row)
    return row


@pytest.mark.parametrize("how", ["remove", "leave"])
def test_who_goes_leaves_nothing_waiting_in_their_name(desk, how):
    elsewhere = factories.organisation(desk.tim)
    mine = invitation(desk.workspace, desk.tim, "a@example.com")
    others = invitation(desk.workspace, desk.owner, "b@example.com")
    away = invitation(elsewhere, desk.tim, "a@example.com")
    asked, kept = approval(desk.workspace, desk.tim), approval(desk.workspace, desk.owner)
    offered = desk.offer()
    bot = factories.bot(desk.workspace)
    bots.start(bot, by=TESTER, now=NOW)
    db.session.commit()
    member = desk.member(desk.tim)
    if how == "leave":
        members.leave(member, by=TESTER, now=NOW)
    else:
        members.remove(member, acting=desk.member(desk.owner), by=TESTER, now=NOW)
    db.session.commit()
    assert "Tim" not in desk.roles()
    assert mine.state is InvitationState.REVOKED
    assert {others.state, away.state} == {InvitationState.PENDING}
    assert (asked.state, kept.state) == (ApprovalState.CANCELLED, ApprovalState.PENDING)
    assert offered.state is OfferState.CANCELLED
    assert bot.wish is Wish.FOLLOW
    assert len(elsewhere.memberships) == 1
    (event,) = desk.events(f"member.{how}")
    assert {it["field"] for it in event.changes} == {
        "role",
        "pending invitations",
        "pending offers of ownership",
        "pending approvals",
    }


def test_what_held_when_the_page_was_opened_is_asked_again(desk):
    chief, tim = desk.member(desk.owner), desk.member(desk.tim)
    members.change_role(desk.member(desk.vera), Role.OWNER, acting=chief, by=TESTER, now=NOW)
    vera = desk.member(desk.vera)
    members.change_role(chief, Role.MANAGER, acting=vera, by=TESTER, now=NOW)
    with pytest.raises(NotAllowed, match=r"member\.change_role"):
        members.change_role(tim, Role.ADMIN, acting=chief, by=TESTER, now=NOW)
    with pytest.raises(NotAllowed, match="below your own"):
        members.remove(vera, acting=chief, by=TESTER, now=NOW)
    members.suspend(chief, acting=vera, by=TESTER, now=NOW)
    with pytest.raises(NotAllowed, match="suspended"):
        members.remove(tim, acting=chief, by=TESTER, now=NOW)


def test_a_repeated_click_changes_nothing_twice(desk):
    chief, tim = desk.member(desk.owner), desk.member(desk.tim)
    for _ in range(2):
        members.change_role(tim, Role.VIEWER, acting=chief, by=TESTER, now=NOW)
    members.suspend(tim, acting=chief, by=TESTER, now=NOW)
    with pytest.raises(Conflict, match="first"):
        members.suspend(tim, acting=chief, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="yourself"):
        members.remove(chief, acting=chief, by=TESTER, now=NOW)
    assert len(desk.events("member.change_role")) == len(desk.events("member.suspend")) == 1


def test_an_account_s_suspension_ends_its_sessions_and_is_audited(desk):
    token = factories.accounts.open_session(
        desk.tim, ip="127.0.0.1", user_agent="x", by=TESTER, now=NOW
    )
    suspensions.suspend_user(desk.tim, by=audit.COMMAND_LINE, now=NOW, reason="abuse")
    db.session.commit()
    assert factories.accounts.find_session(token, NOW) is None
    with pytest.raises(Conflict, match="already"):
        suspensions.suspend_user(desk.tim, by=audit.COMMAND_LINE, now=NOW)
    suspensions.resume_user(desk.tim, by=audit.COMMAND_LINE, now=NOW)
    with pytest.raises(Conflict, match="not suspended"):
        suspensions.resume_user(desk.tim, by=audit.COMMAND_LINE, now=NOW)
    query = select(AuditEvent.action).where(AuditEvent.chain == desk.tim.id)
    assert {"account.suspend", "account.resume"} <= set(db.session.scalars(query))


def test_a_workspace_goes_with_its_bots_keys_and_links(desk, keys):
    from app.gateways.vault import Sealer

    bot = factories.bot(desk.workspace)
    key = factories.connection(desk.workspace, Sealer(keys.public))
    asked = approval(desk.workspace, desk.tim)
    sent = invitation(desk.workspace, desk.owner, "c@example.com")
    bots.start(bot, by=TESTER, now=NOW)
    chief = desk.member(desk.owner)
    name = desk.workspace.name

    def delete(acting=chief, typed=name):
        closures.delete(desk.workspace, typed_name=typed, acting=acting, by=TESTER, now=NOW)

    with pytest.raises(Refused, match="stop it first"):
        delete()
    bots.stop(bot, by=TESTER, now=NOW)
    with pytest.raises(NotAllowed):
        delete(desk.member(desk.tim))
    with pytest.raises(Invalid, match="exactly"):
        delete(typed="harbour desk")
    slug = desk.workspace.slug
    delete()
    db.session.commit()
    assert bot.wish is Wish.GONE
    assert db.session.get(Connection, key.id).sealed == b""
    assert (asked.state, sent.state) == (ApprovalState.CANCELLED, InvitationState.REVOKED)
    assert workspaces.memberships(desk.tim)[-1].workspace.personal
    assert db.session.scalar(select(Workspace.slug).where(Workspace.slug == slug)) is None
    with pytest.raises(Conflict, match="was deleted"):
        delete()
    events = desk.events("workspace.delete")
    assert len(events) == 1
    query = select(AuditEvent).where(AuditEvent.chain == desk.workspace.id)
    assert audit_chain.first_break(db.session.scalars(query.order_by(AuditEvent.seq))) is None


def test_nothing_is_offered_in_a_personal_workspace(desk):
    own = db.session.scalar(
        select(Membership)
        .join(Workspace)
        .where(Membership.user_id == desk.tim.id, Workspace.kind == "personal")
    )
    with pytest.raises(Refused, match="one member for ever"):
        ownership.offer(own, acting=own, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="one member for ever"):
        members.leave(own, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="personal"):
        closures.delete(own.workspace, typed_name="", acting=own, by=TESTER, now=NOW)
