"""An organisation with one person in each role."""

from datetime import UTC, datetime

from sqlalchemy import select

from app.domain import workspaces
from app.extensions import db
from app.models import AuditEvent, Membership, Role
from tests import factories

PEOPLE = ("Olga", "Adam", "Mia", "Tim", "Vera")
RANKS = dict(zip(PEOPLE, reversed(Role), strict=True))


class Crew:
    """Members and addresses by name, and what the rows say."""

    def __init__(self, house):
        self.house, now = house, datetime.now(UTC)
        with house.app_context():
            people = {name: factories.user(name, now=now) for name in PEOPLE}
            workspace = factories.organisation(people["Olga"], now=now)
            for name in PEOPLE[1:]:
                person, role = people[name], RANKS[name]
                workspaces.add_member(workspace, person, role, by=factories.TESTER, now=now)
            db.session.commit()
            self.id, self.home = workspace.id, f"/w/{workspace.id}"
            self.members = {it.user.name: it.id for it in workspace.memberships}
            self.emails = {name: person.email for name, person in people.items()}
            db.session.remove()

    def at(self, name):
        return f"{self.home}/members/{self.members[name]}"

    def roles(self):
        with self.house.app_context():
            query = select(Membership).where(Membership.workspace_id == self.id)
            found = {it.user.name: it.role.value for it in db.session.scalars(query)}
            db.session.remove()
        return found

    def rows(self, kind, *conditions):
        with self.house.app_context():
            found = list(db.session.scalars(select(kind).where(*conditions)))
            db.session.remove()
        return found

    def events(self, action):
        return self.rows(AuditEvent, AuditEvent.chain == self.id, AuditEvent.action == action)


def sign_in(pages, crew, name):
    pages.become(crew.emails[name])
    pages.get(f"{crew.home}/members")
    return pages
