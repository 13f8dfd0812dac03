from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import audit, members, owners, ownership, suspensions, workspaces
from app.domain.errors import Conflict, NotAllowed, Refused
from app.extensions import db
from app.models import AuditEvent, Mail, Membership, OfferState, Role, TotpFactor
from tests import factories
from tests.factories import NOW, TESTER

WEEK = timedelta(days=7)


class Desk:
    def __init__(self):
        self.owner = factories.user("Olga")
        self.workspace = factories.organisation(self.owner)
        for name, role in (("Tim", Role.TRADER), ("Vera", Role.VIEWER)):
            setattr(self, name.lower(), factories.joined(self.workspace, role, name))
        db.session.commit()

    def member(self, person):
        query = select(Membership).where(
            Membership.workspace_id == self.workspace.id, Membership.user_id == person.id
        )
        return db.session.scalar(query)

    def offer(self, to=None, now=NOW):
        to = self.member(to or self.tim)
        return ownership.offer(to, acting=self.member(self.owner), by=TESTER, now=now)

    def accept(self, offer, now=NOW):
        ownership.accept(offer, acting=self.member(self.tim), by=TESTER, now=now)

    def roles(self):
        db.session.expire_all()
        return {it.user.name: it.role.value for it in self.workspace.memberships}

    def events(self, action):
        query = select(AuditEvent).where(
            AuditEvent.chain == self.workspace.id, AuditEvent.action == action
        )
        return list(db.session.scalars(query))


@pytest.fixture
def desk(app):
    return Desk()


def test_only_the_two_rows_of_this_workspace_change(desk):
    elsewhere = factories.organisation(desk.owner)
    workspaces.add_member(elsewhere, desk.tim, Role.TRADER, by=TESTER, now=NOW)
    desk.accept(desk.offer())
    assert desk.roles() == {"Olga": "admin", "Tim": "owner", "Vera": "viewer"}
    assert {it.user.name: it.role.value for it in elsewhere.memberships} == {
        "Olga": "owner",
        "Tim": "trader",
    }
    told = select(Mail.to_email).where(Mail.letter == "ownership_answered")
    assert sorted(db.session.scalars(told)) == sorted([desk.owner.email, desk.tim.email])


def test_an_offer_lives_for_seven_days(desk):
    offer = desk.offer()
    with pytest.raises(Conflict, match="expired"):
        desk.accept(offer, NOW + WEEK)
    assert desk.roles()["Tim"] == "trader"
    assert not ownership.expire_one(NOW + WEEK - timedelta(seconds=1))
    assert ownership.expire_one(NOW + WEEK)
    assert not ownership.expire_one(NOW + WEEK)
    assert offer.state is OfferState.EXPIRED
    (event,) = desk.events("ownership.expire")
    assert event.actor_kind == "timetable"
    desk.offer(now=NOW + WEEK)


def test_an_expired_offer_does_not_stand_in_the_way_of_the_next(desk):
    old = desk.offer()
    new = desk.offer(desk.vera, NOW + WEEK)
    assert (old.state, new.state) == (OfferState.EXPIRED, OfferState.PENDING)


VERBS = {"accept": ownership.accept, "decline": ownership.decline, "cancel": ownership.cancel}


@pytest.mark.parametrize("end", [*VERBS, "expire"])
def test_what_is_answered_stays_answered(desk, end):
    offer, later = desk.offer(), NOW
    who = {"accept": desk.tim, "decline": desk.tim, "cancel": desk.owner}
    if end == "expire":
        later = NOW + WEEK
        ownership.expire_one(later)
    else:
        VERBS[end](offer, acting=desk.member(who[end]), by=TESTER, now=NOW)
    db.session.commit()
    state, roles = offer.state, desk.roles()
    who["cancel"] = desk.tim if end == "accept" else desk.owner  # owners alone may cancel
    for then, verb in VERBS.items():
        with pytest.raises(Conflict, match="nothing has changed"):
            verb(offer, acting=desk.member(who[then]), by=TESTER, now=later)
        db.session.rollback()
    assert (offer.state, desk.roles()) == (state, roles)


def unfit(desk, how):
    person, member = desk.tim, desk.member(desk.tim)
    if how == "unverified":
        person.email_verified_at = None
    elif how == "account suspended":
        person.suspended_at = NOW
    elif how == "membership suspended":
        member.suspended_at = NOW
    else:
        desk.workspace.factor_from = NOW
    db.session.commit()


UNFIT = ("unverified", "account suspended", "membership suspended", "no second factor")


@pytest.mark.parametrize("how", UNFIT)
def test_who_cannot_act_is_offered_nothing_takes_nothing_and_is_made_nothing(desk, how):
    waiting = desk.offer()
    db.session.commit()
    unfit(desk, how)
    with pytest.raises(Refused):
        desk.accept(waiting)
    db.session.rollback()
    waiting.state = OfferState.CANCELLED
    db.session.commit()
    with pytest.raises(Refused):
        desk.offer()
    db.session.rollback()
    chief = desk.member(desk.owner)
    with pytest.raises(Refused):
        members.change_role(desk.member(desk.tim), Role.OWNER, acting=chief, by=TESTER, now=NOW)
    db.session.rollback()
    with pytest.raises(Refused):
        ownership.appoint(desk.member(desk.tim), by=audit.COMMAND_LINE, now=NOW)
    db.session.rollback()
    assert desk.roles()["Tim"] == "trader"


def test_a_demanded_second_factor_that_is_there_is_enough(desk):
    unfit(desk, "no second factor")
    db.session.add(TotpFactor(user_id=desk.tim.id, sealed=b"", created_at=NOW, confirmed_at=NOW))
    desk.accept(desk.offer())
    assert desk.roles()["Tim"] == "owner"


@pytest.mark.parametrize("how", UNFIT[:3])
def test_an_owner_who_cannot_act_does_not_count(desk, how):
    chief = desk.member(desk.owner)
    members.change_role(desk.member(desk.tim), Role.OWNER, acting=chief, by=TESTER, now=NOW)
    assert [it.name for it in owners.active(desk.workspace)] == ["Olga", "Tim"]
    unfit(desk, how)
    assert [it.name for it in owners.active(desk.workspace)] == ["Olga"]
    with pytest.raises(Refused, match="only active owner"):
        members.leave(chief, by=TESTER, now=NOW)


def test_an_offer_of_who_is_no_owner_any_more_is_worth_nothing(desk):
    offer = desk.offer()
    chief = desk.member(desk.owner)
    members.change_role(desk.member(desk.vera), Role.OWNER, acting=chief, by=TESTER, now=NOW)
    members.change_role(chief, Role.VIEWER, acting=chief, by=TESTER, now=NOW)
    assert offer.state is OfferState.CANCELLED
    with pytest.raises(Conflict):
        desk.accept(offer)


def test_an_offer_of_a_suspended_owner_waits_for_their_return(desk):
    chief = desk.member(desk.owner)
    members.change_role(desk.member(desk.vera), Role.OWNER, acting=chief, by=TESTER, now=NOW)
    offer = desk.offer()
    members.suspend(chief, acting=desk.member(desk.vera), by=TESTER, now=NOW)
    db.session.commit()
    with pytest.raises(Refused, match="no active owner"):
        desk.accept(offer)
    db.session.rollback()
    with pytest.raises(NotAllowed):
        ownership.cancel(offer, acting=chief, by=TESTER, now=NOW)


def test_the_only_active_owner_is_not_suspended_even_by_the_operator(desk):
    with pytest.raises(Refused, match="only active owner of Harbour Desk"):
        suspensions.suspend_user(desk.owner, by=audit.COMMAND_LINE, now=NOW)
    db.session.rollback()
    ownership.appoint(desk.member(desk.tim), by=audit.COMMAND_LINE, now=NOW)
    suspensions.suspend_user(desk.owner, by=audit.COMMAND_LINE, now=NOW, reason="abuse")
    assert [it.name for it in owners.active(desk.workspace)] == ["Tim"]
    assert len(desk.events("ownership.appoint")) == 1
