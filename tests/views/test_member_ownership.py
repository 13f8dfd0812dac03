from sqlalchemy import select

from app.extensions import db
from app.models import LoginSession, Mail, OfferState, OwnershipOffer, User, Workspace
from tests import factories
from tests.pages import Pages
from tests.views.crew import sign_in

ROUTE = "{}/ownership"


def other_browser(crew, name):
    return sign_in(Pages(crew.house), crew, name)


def offer_to(pages, crew, name):
    owner = sign_in(pages, crew, "Olga")
    owner.get(ROUTE.format(crew.home))
    owner.post(ROUTE.format(crew.home), member=crew.members[name])
    (found,) = [it for it in waiting(crew) if it.state is OfferState.PENDING]
    return owner, f"{crew.home}/ownership/{found.id}"


def waiting(crew):
    return crew.rows(OwnershipOffer, OwnershipOffer.workspace_id == crew.id)


def test_it_passes_on_when_the_other_one_accepts(pages, crew):
    before = crew.roles()
    _, offer = offer_to(pages, crew, "Tim")
    assert crew.roles() == before
    taker = other_browser(crew, "Tim")
    assert "Olga offers you the ownership" in taker.get(f"{crew.home}/members").text
    page = taker.post(f"{offer}/accept")
    assert "You are an owner now" in page.text
    assert crew.roles() == before | {"Tim": "owner", "Olga": "admin"}
    letters = crew.rows(Mail, Mail.letter == "ownership_answered", Mail.workspace_id == crew.id)
    assert {it.to_email for it in letters} == {crew.emails["Tim"], crew.emails["Olga"]}
    assert len(crew.events("ownership.accept")) == 1
    taker.post(f"{offer}/accept", 409)
    assert crew.roles()["Olga"] == "admin"


def test_taking_it_asks_again_who_it_is(pages, crew):
    _, offer = offer_to(pages, crew, "Tim")
    taker = other_browser(crew, "Tim")
    with crew.house.app_context():
        who = select(User.id).where(User.email == crew.emails["Tim"]).scalar_subquery()
        for row in db.session.scalars(select(LoginSession).where(LoginSession.user_id == who)):
            row.confirmed_at = None
        db.session.commit()
        db.session.remove()
    assert "Confirm it is you" in taker.post(f"{offer}/accept", 403).text
    assert crew.roles()["Tim"] == "trader"
    taker.post(f"{offer}/accept", confirm_password=factories.PASSWORD)
    assert crew.roles()["Tim"] == "owner"


def test_nobody_else_answers_and_nobody_else_sees_it(pages, crew):
    owner, offer = offer_to(pages, crew, "Tim")
    for verb in ("accept", "decline"):
        assert "Only Tim" in owner.post(f"{offer}/{verb}", 403).text
    viewer = other_browser(crew, "Vera")
    assert "ownership to Tim" not in viewer.get(f"{crew.home}/members").text
    for verb in ("accept", "decline", "cancel"):
        viewer.post(f"{offer}/{verb}", 404)
    taker = other_browser(crew, "Tim")
    taker.post(f"{offer}/cancel", 403)
    assert waiting(crew)[0].state is OfferState.PENDING


def test_it_is_declined_or_cancelled_and_then_over(pages, crew):
    owner, offer = offer_to(pages, crew, "Tim")
    taker = other_browser(crew, "Tim")
    taker.post(f"{offer}/decline")
    owner.get(f"{crew.home}/ownership")
    owner.post(f"{offer}/cancel", 409)
    owner, offer = offer_to(pages, crew, "Mia")
    owner.post(f"{offer}/cancel")
    other_browser(crew, "Mia").post(f"{offer}/accept", 409)
    assert crew.roles()["Olga"] == "owner"
    assert {it.state.value for it in waiting(crew)} == {"declined", "cancelled"}


def test_one_offer_at_a_time_and_owners_alone_make_one(pages, crew):
    owner, _ = offer_to(pages, crew, "Tim")
    owner.get(f"{crew.home}/ownership")
    page = owner.post(f"{crew.home}/ownership", 422, member=crew.members["Mia"])
    assert "cancel it first" in page.text
    admin = other_browser(crew, "Adam")
    assert not admin.get(f"{crew.home}/ownership").all("select")
    admin.post(f"{crew.home}/ownership", 403, member=crew.members["Mia"])
    assert len(waiting(crew)) == 1


def test_in_a_suspended_workspace_nobody_takes_it_over(pages, crew):
    _, offer = offer_to(pages, crew, "Tim")
    taker, before = other_browser(crew, "Tim"), crew.roles()
    with crew.house.app_context():
        db.session.get(Workspace, crew.id).suspended_at = factories.NOW
        db.session.commit()
        db.session.remove()
    assert "is suspended, so" in taker.post(f"{offer}/accept", 403).text
    assert crew.roles() == before
    assert waiting(crew)[0].state is OfferState.PENDING
