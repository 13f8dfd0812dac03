from sqlalchemy import func, select

from app.domain import workspaces
from app.extensions import db
from app.models import Membership, Role, User, Workspace
from tests import factories
from tests.factories import PASSWORD


def people():
    count = db.session.scalar(select(func.count()).select_from(User))
    db.session.rollback()
    return count


def test_an_operator_is_created_once(house):
    args = ("create-operator", "ops@example.com", "--password", PASSWORD)
    assert "Created operator" in house.run(*args).output
    assert db.session.scalar(select(User.operator)) is True
    again = house.run(*args)
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: ")
    assert "\n" not in again.stderr.strip()
    assert people() == 1


def test_the_demo_is_planted_once_and_only_where_it_is_on(house, build):
    refused = house.run("seed-demo")
    assert (refused.exit_code, people()) == (1, 0)
    assert "set DEMO=1" in refused.stderr
    demo = build(house.environ["DATABASE_URL"], DEMO="1")
    assert "is planted" in demo.run("seed-demo").output
    assert "there already" in demo.run("seed-demo").output
    assert people() == 6
    query = select(Membership.role).join(Membership.workspace).where(Workspace.kind != "personal")
    assert sorted(db.session.scalars(query)) == sorted(Role)


def test_a_person_is_suspended_and_comes_back_but_never_the_last_owner(house):
    owner, member = factories.user("Olga"), factories.user("Tim")
    desk = factories.organisation(owner)
    workspaces.add_member(desk, member, Role.TRADER, by=factories.TESTER, now=factories.NOW)
    db.session.commit()
    olga, tim, slug = owner.email, member.email, desk.slug
    refused = house.run("suspend-user", olga, "--reason", "abuse")
    assert (refused.exit_code, "only active owner" in refused.stderr) == (1, True)
    assert house.run("make-owner", slug, tim).exit_code == 0
    assert house.run("suspend-user", olga, "--reason", "abuse").exit_code == 0
    assert "may sign in again" in house.run("resume-user", olga).output
    for args in (("suspend-user", "nobody@example.com", "--reason", "x"), ("make-owner", "x", tim)):
        assert house.run(*args).stderr.startswith("Error: ")
