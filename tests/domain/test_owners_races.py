"""Never without an active owner, whatever happens at once; on both databases, in real threads."""

import pytest

from app.domain import members, owners, ownership, suspensions, workspaces
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import db
from app.models import Membership, OwnershipOffer, Role, User, Workspace
from tests import factories
from tests.factories import NOW, TESTER
from tests.parallel import at_once

ROUNDS = 2


class Desk:
    """An organisation of two owners and a trader."""

    def __init__(self):
        self.workspace = factories.organisation(factories.user("Ann"))
        people = {"bea": Role.OWNER, "tom": Role.TRADER}
        for name, role in people.items():
            factories.joined(self.workspace, role, name.title())
        found = {it.user.name.lower(): it.id for it in self.workspace.memberships}
        self.ids, self.id = found, self.workspace.id

    def member(self, name):
        found = db.session.get(Membership, self.ids[name])
        if found is None:
            raise Conflict("gone before it was looked for")
        return found, found.user, found.workspace

    def leave(self, name):
        def act():
            member, *_ = self.member(name)
            yield
            members.leave(member, by=TESTER, now=NOW)

        return act

    def demote(self, name, acting):
        def act():
            (member, *_), (other, *_) = self.member(name), self.member(acting)
            yield
            members.change_role(member, Role.VIEWER, acting=other, by=TESTER, now=NOW)

        return act

    def remove(self, name, acting):
        def act():
            (member, *_), (other, *_) = self.member(name), self.member(acting)
            yield
            members.remove(member, acting=other, by=TESTER, now=NOW)

        return act

    def suspend(self, name, acting):
        def act():
            (member, *_), (other, *_) = self.member(name), self.member(acting)
            yield
            members.suspend(member, acting=other, by=TESTER, now=NOW)

        return act

    def offer(self, name):
        to, acting = self.member("tom")[0], self.member(name)[0]
        self.offered = ownership.offer(to, acting=acting, by=TESTER, now=NOW).id
        db.session.commit()

    def take(self):
        def act():
            found = db.session.get(OwnershipOffer, self.offered)
            taker, *_ = self.member("tom")
            yield
            ownership.accept(found, acting=taker, by=TESTER, now=NOW)

        return act

    def shut_out(self, name):
        def act():
            user = self.member(name)[1]
            yield
            suspensions.suspend_user(user, by=TESTER, now=NOW)

        return act

    def owners(self):
        db.session.expire_all()
        return [it.name for it in owners.active(db.session.get(Workspace, self.id))]

    def close(self):
        db.session.commit()
        db.session.remove()


@pytest.fixture
def desk(app):
    made = Desk()
    db.session.commit()
    return made


def both_owners(desk, what):
    return {
        "leave/leave": (desk.leave("ann"), desk.leave("bea")),
        "demote/demote": (desk.demote("ann", "bea"), desk.demote("bea", "ann")),
        "step down/step down": (desk.demote("ann", "ann"), desk.demote("bea", "bea")),
        "remove/leave": (desk.remove("ann", "bea"), desk.leave("bea")),
        "remove/remove": (desk.remove("ann", "bea"), desk.remove("bea", "ann")),
        "suspend/leave": (desk.suspend("ann", "bea"), desk.leave("bea")),
        "account/account": (desk.shut_out("ann"), desk.shut_out("bea")),
        "account/leave": (desk.shut_out("ann"), desk.leave("bea")),
    }[what]


@pytest.mark.parametrize(
    "what",
    [
        "leave/leave",
        "demote/demote",
        "step down/step down",
        "remove/leave",
        "remove/remove",
        "suspend/leave",
        "account/account",
        "account/leave",
    ],
)
def test_of_two_who_would_leave_nobody_exactly_one_succeeds(app, what):
    for _ in range(ROUNDS):
        desk = Desk()
        desk.close()
        outcomes = at_once(app, *both_owners(desk, what))
        assert len(desk.owners()) == 1
        assert [it is None for it in outcomes].count(True) == 1


def test_a_transfer_and_the_leaving_of_its_giver_never_leave_nobody(app):
    for _ in range(ROUNDS):
        desk = Desk()
        desk.close()
        at_once(app, desk.leave("bea"))
        desk.offer("ann")
        taken, gone = at_once(app, desk.take(), desk.leave("ann"))
        assert desk.owners() == ["Tom"]
        assert taken is None
        # Who left first was refused as the only owner; who left second was an admin by then.
        assert gone is None or isinstance(gone, Refused)


def test_a_transfer_and_its_giver_s_removal_agree_on_an_order(app):
    for _ in range(ROUNDS):
        desk = Desk()
        desk.offer("ann")
        taken, _ = at_once(app, desk.take(), desk.remove("ann", "bea"))
        assert "Bea" in desk.owners()
        assert ("Tom" in desk.owners()) is (taken is None)
        assert taken is None or isinstance(taken, Conflict)


def test_an_offer_is_taken_once(app):
    desk = Desk()
    desk.offer("ann")
    outcomes = at_once(app, desk.take(), desk.take())
    assert sorted(type(it).__name__ for it in outcomes) == ["Conflict", "NoneType"]
    assert desk.owners() == ["Bea", "Tom"]


def test_who_is_suspended_in_the_moment_of_founding_owns_nothing_alone(app):
    for _ in range(ROUNDS):
        person = factories.user("Zoe").id
        db.session.commit()

        def found(person=person):
            user = db.session.get(User, person)
            yield
            factories.organisation(user)

        def shut(person=person):
            user = db.session.get(User, person)
            yield
            suspensions.suspend_user(user, by=TESTER, now=NOW)

        outcomes = at_once(app, found, shut)
        assert [it is None for it in outcomes].count(True) == 1
        assert all(it is None or isinstance(it, Refused | Conflict) for it in outcomes)


def test_a_slug_wanted_twice_at_once_is_given_once(app):
    ids = [factories.user(name).id for name in ("Ann", "Bea")]
    db.session.commit()

    def founding(user_id):
        def act():
            user = db.session.get(User, user_id)
            yield
            workspaces.create_organisation("Tide", user, slug="tide-desk", by=TESTER, now=NOW)

        return act

    outcomes = at_once(app, *map(founding, ids))
    assert outcomes.count(None) == 1
    (refusal,) = [it for it in outcomes if it is not None]
    assert (type(refusal), refusal.field) == (Invalid, "slug")
    assert str(refusal) == "tide-desk is taken. tide-desk-2 is free."
