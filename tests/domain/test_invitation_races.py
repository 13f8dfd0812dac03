"""Two people at once at one invitation, in transactions of their own on both databases."""

import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from app.domain import invitations, invited, workspaces
from app.domain.errors import Conflict, Refused
from app.extensions import db
from app.models import AuditEvent, Invitation, InvitationState, Membership, Role, User
from tests.domain.test_invitations import LATER, Desk, to, token_of, verified
from tests.factories import TESTER

ROUNDS = 4


class Scene:
    """One invitation, and acts on it as they run in a thread: from ids, never from rows."""

    def __init__(self):
        desk, guest = Desk(), verified("Gus")
        sent = desk.invite(guest.email)
        self.workspace, self.boss, self.guest = desk.workspace.id, desk.boss.id, guest.id
        self.invitation = sent.invitation.id
        self.handed = token_of(sent.link)
        db.session.commit()

    def accept(self):
        person = db.session.get(User, self.guest)
        invited.accept(invited.find(self.handed), person, by=TESTER, now=LATER)

    def decline(self):
        person = db.session.get(User, self.guest)
        invited.decline(invited.find(self.handed), person, by=TESTER, now=LATER)

    def revoke(self):
        found, member = db.session.get(Invitation, self.invitation), self._member()
        invitations.revoke(found, member=member, by=TESTER, now=LATER)

    def resend(self):
        found, sender = db.session.get(Invitation, self.invitation), self._member()
        invitations.resend(found, sender=sender, link_to=to, by=TESTER, now=LATER)

    def invite_again(self):
        member = self._member()
        values = {"email": "twice@example.com", "role": Role.VIEWER, "inviter": member}
        invitations.create(member.workspace, **values, link_to=to, by=TESTER, now=LATER)

    def demote(self):
        """What takes the right to invite from the inviter, under the same lock."""
        member = self._member()
        workspaces.lock(member.workspace)
        db.session.refresh(member)
        member.role = Role.TRADER

    def _member(self):
        return db.session.get(Membership, self.boss)


def at_once(app, *acts):
    """Run each in a thread and transaction of its own; the names of those that went through."""
    barrier, done, unexpected = threading.Barrier(len(acts)), [], []

    def run(act):
        with app.app_context():
            try:
                barrier.wait(timeout=30)
                act()
                db.session.commit()
                done.append(act.__name__)
            except (Conflict, Refused):
                db.session.rollback()
            except Exception as error:  # noqa: BLE001 -- a thread's failure is the test's
                unexpected.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
    return done


def members(scene):
    query = select(func.count(Membership.id)).where(
        Membership.workspace_id == scene.workspace, Membership.user_id == scene.guest
    )
    return db.session.scalar(query)


def ended(scene):
    query = select(AuditEvent.action).where(
        AuditEvent.workspace_id == scene.workspace, AuditEvent.target_id == scene.invitation
    )
    return Counter(db.session.scalars(query))


@pytest.mark.parametrize("other", ["accept", "decline", "revoke"])
def test_of_two_answers_at_once_one_counts(app, other):
    for _ in range(ROUNDS):
        scene = Scene()
        done = at_once(app, scene.accept, getattr(scene, other))
        assert len(done) == 1
        db.session.expire_all()
        state = db.session.get(Invitation, scene.invitation).state
        assert (state is InvitationState.ACCEPTED) is (done == ["accept"])
        assert members(scene) == (1 if done == ["accept"] else 0)
        assert ended(scene) == Counter(["invitation.create", f"invitation.{done[0]}"])
        db.session.rollback()


def test_a_link_replaced_at_the_moment_it_is_used_lets_nobody_in_twice(app):
    for _ in range(ROUNDS):
        scene = Scene()
        done = at_once(app, scene.accept, scene.resend)
        assert len(done) == 1
        db.session.expire_all()
        invitation = db.session.get(Invitation, scene.invitation)
        assert invitation.sent == (2 if done == ["resend"] else 1)
        assert members(scene) == (1 if done == ["accept"] else 0)
        db.session.rollback()


def test_two_invitations_of_one_address_at_once_leave_one(app):
    for _ in range(ROUNDS):
        scene = Scene()
        assert at_once(app, scene.invite_again, scene.invite_again) == ["invite_again"]
        query = select(func.count(Invitation.id)).where(
            Invitation.workspace_id == scene.workspace, Invitation.email_key == "twice@example.com"
        )
        assert db.session.scalar(query) == 1
        db.session.rollback()


def test_who_loses_the_right_while_inviting_invites_nobody(app):
    for _ in range(ROUNDS):
        scene = Scene()
        done = at_once(app, scene.demote, scene.invite_again)
        assert "demote" in done
        events = select(AuditEvent.action).where(
            AuditEvent.workspace_id == scene.workspace, AuditEvent.action == "invitation.create"
        )
        assert len(db.session.scalars(events).all()) == len(done)
        db.session.rollback()
