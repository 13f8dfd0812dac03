import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Mail, Membership, Notice, Role, User, Workspace
from tests.views.conftest import as_person
from tests.views.crew import PEOPLE, RANKS, sign_in


def test_addresses_are_for_managers_and_up(pages, crew):
    for name in PEOPLE:
        text = sign_in(pages, crew, name).page.text
        assert all(other in text for other in PEOPLE)
        shown = {other for other in PEOPLE if crew.emails[other] in text}
        assert shown == (set(PEOPLE) if name in ("Olga", "Adam", "Mia") else {name})
        body = pages.get(crew.at("Olga")).text
        assert (crew.emails["Olga"] in body) is (name in ("Olga", "Adam", "Mia"))


def test_a_role_is_changed_and_the_person_told(pages, crew):
    page = sign_in(pages, crew, "Adam")
    page.get(crew.at("Tim"))
    page.post(f"{crew.at('Tim')}/role", role="manager")
    assert crew.roles()["Tim"] == "manager"
    (event,) = crew.events("member.change_role")
    assert event.changes == [{"field": "role", "before": "trader", "after": "manager"}]
    (letter,) = crew.rows(Mail, Mail.to_email == crew.emails["Tim"])
    assert (letter.letter, letter.values["role"]) == ("member_role", "manager")
    tim = select(User.id).where(User.email == crew.emails["Tim"]).scalar_subquery()
    (notice,) = crew.rows(Notice, Notice.user_id == tim)
    assert "manager" in notice.title


def test_a_role_counts_from_the_very_next_request_on(pages, crew, house):
    other = type(pages)(house)
    sign_in(other, crew, "Tim").get(f"{crew.home}/strategies")
    owner = sign_in(pages, crew, "Olga")
    owner.get(crew.at("Tim"))
    owner.post(f"{crew.at('Tim')}/role", role="viewer")
    other.get(f"{crew.home}/strategies", 403)


@pytest.mark.parametrize("actor", ["Adam", "Mia"])
@pytest.mark.parametrize("verb", ["role", "suspend", "restore", "remove"])
def test_nobody_touches_a_role_that_is_not_below_the_own(pages, crew, actor, verb):
    page = sign_in(pages, crew, actor)
    above = [name for name in PEOPLE if list(Role).index(RANKS[name]) >= 2][: 1 + (actor == "Mia")]
    for name in above:
        answer = page.post(f"{crew.at(name)}/{verb}", 403, role="viewer")
        assert "does not include" in answer.text or "below your own" in answer.text
    assert crew.roles() == {name: role.value for name, role in RANKS.items()}
    assert len(crew.events("access.denied")) == len(above)


def test_an_admin_makes_no_admin_and_no_owner(pages, crew):
    page = sign_in(pages, crew, "Adam")
    for role in ("admin", "owner"):
        page.get(crew.at("Tim"))
        page.post(f"{crew.at('Tim')}/role", 403, role=role)
    assert crew.roles()["Tim"] == "trader"
    page.get(crew.at("Tim"))
    offered = [n for n in page.page.all("input") if n.get("name") == "role"]
    barred = {n.get("value") for n in offered if "disabled" in n.attributes}
    assert barred == {"admin", "owner"}


def test_nobody_changes_their_own_role_but_an_owner_who_is_not_the_last(pages, crew):
    page = sign_in(pages, crew, "Adam")
    page.post(f"{crew.at('Adam')}/role", 403, role="viewer")
    owner = sign_in(pages, crew, "Olga")
    owner.get(crew.at("Olga"))
    answer = owner.post(f"{crew.at('Olga')}/role", 422, role="admin")
    assert "only active owner" in answer.text
    owner.post(f"{crew.at('Adam')}/role", role="owner")
    owner.get(crew.at("Olga"))
    owner.post(f"{crew.at('Olga')}/role", role="admin")
    assert crew.roles()["Olga"] == "admin"


def test_the_page_of_a_member_offers_what_the_reader_may_do(pages, crew):
    def verbs(name):
        forms = pages.get(crew.at(name)).all("form")
        places = [form.get("action") for form in forms]
        return {place.rpartition("/")[2] for place in places if place.startswith(crew.at(name))}

    sign_in(pages, crew, "Olga")
    assert verbs("Tim") == {"role", "suspend", "remove"}
    assert "This is you" not in pages.page.text
    assert verbs("Olga") == {"role"}
    assert "Stepping down" in pages.page.text
    sign_in(pages, crew, "Mia")
    assert (verbs("Tim"), verbs("Adam")) == ({"suspend", "remove"}, set())
    assert verbs("Mia") == set()
    assert "This is you" in pages.page.text
    sign_in(pages, crew, "Vera")
    assert verbs("Tim") == set()


def test_a_suspended_member_is_shut_out_until_restored(pages, crew, house):
    manager = sign_in(pages, crew, "Mia")
    manager.get(crew.at("Tim"))
    manager.post(f"{crew.at('Tim')}/suspend")
    other = type(pages)(house)
    other.become(crew.emails["Tim"])
    assert "suspended" in other.get(f"{crew.home}/bots", 403).text
    assert other.client.get("/").location != f"{crew.home}/"
    assert not [b for b in other.page.all("button") if b.get("value") == crew.id]
    manager.get(crew.at("Tim"))
    manager.post(f"{crew.at('Tim')}/suspend", 409)
    manager.get(crew.at("Tim"))
    manager.post(f"{crew.at('Tim')}/restore")
    other.get(f"{crew.home}/bots")
    assert len(crew.events("member.suspend")) == len(crew.events("member.restore")) == 1


def test_who_is_removed_sees_nothing_and_keeps_the_account(pages, crew, house):
    manager = sign_in(pages, crew, "Mia")
    manager.get(crew.at("Tim"))
    assert "Tim" not in manager.post(f"{crew.at('Tim')}/remove").by_id("members").text
    other = type(pages)(house)
    other.become(crew.emails["Tim"])
    other.get(f"{crew.home}/bots", 404)
    other.get("/", 303)
    page = other.follow()
    assert "No bot yet" in page.text
    assert len(crew.events("member.remove")) == 1
    (letter,) = crew.rows(Mail, Mail.to_email == crew.emails["Tim"])
    assert letter.letter == "member_removed"


def test_leaving_opens_the_personal_workspace(pages, crew):
    viewer = sign_in(pages, crew, "Vera")
    viewer.get(f"{crew.home}/leave")
    page = viewer.post(f"{crew.home}/leave")
    assert "You have left" in page.text
    assert viewer.at != f"{crew.home}/"
    assert "Vera" not in crew.roles()
    viewer.get(f"{crew.home}/members", 404)


def test_the_last_owner_is_told_why_they_cannot_leave(pages, crew):
    owner = sign_in(pages, crew, "Olga")
    owner.get(f"{crew.home}/leave")
    assert "only active owner" in owner.post(f"{crew.home}/leave", 422).text
    assert crew.roles()["Olga"] == "owner"


def test_a_personal_workspace_has_one_member_for_ever(pages, crew):
    pages.become(crew.emails["Tim"])
    with crew.house.app_context():
        query = select(Workspace).join(Membership).join(User)
        personal = next(
            it
            for it in db.session.scalars(query.where(User.email == crew.emails["Tim"]))
            if it.personal
        )
        home, member = f"/w/{personal.id}", personal.memberships[0].id
        db.session.remove()
    page = pages.get(f"{home}/members")
    assert "nobody else comes in" in page.text
    pages.get(f"{home}/leave")
    assert "one member for ever" in pages.post(f"{home}/leave", 422).text
    pages.get(f"{home}/members/{member}")
    pages.post(f"{home}/members/{member}/role", 422, role="viewer")
    pages.get(f"{home}/ownership")
    pages.get(f"{home}/settings/delete")
    pages.post(f"{home}/settings/delete", 422, name="Tim's workspace")


def test_a_member_of_another_workspace_is_not_there(pages, crew, desk):
    owner = as_person(pages, desk, "owner")
    stranger = crew.members["Tim"]
    owner.get(f"{desk.home}/members/{stranger}", 404)
    for verb in ("role", "suspend", "restore", "remove"):
        owner.post(f"{desk.home}/members/{stranger}/{verb}", 404, role="viewer")
    owner.get(f"{desk.home}/ownership")
    owner.post(f"{desk.home}/ownership", 422, member=stranger)
    assert crew.roles()["Tim"] == "trader"
