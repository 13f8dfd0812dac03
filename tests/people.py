"""The actors of every test about who may do what, and the workspaces they knock at."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

from sqlalchemy import select

from app import current
from app.domain import accounts, workspaces
from app.extensions import db
from app.models import Membership, Role
from tests import estate, factories
from tests.factories import TESTER

ROLES = tuple(role.value for role in reversed(Role))
DEVICE = {"ip": "127.0.0.1", "user_agent": "Chrome/156.0 Linux"}


@dataclass(frozen=True)
class Actor:
    """Somebody who knocks: ``place`` is the workspace, ``role`` what they hold in it."""

    name: str
    place: str = "desk"
    person: str = ""
    role: Role | None = None


ACTORS = (
    Actor("anonymous"),
    Actor("stranger", person="stranger"),
    Actor("owner of another workspace", person="neighbour"),
    Actor("operator", person="operator"),
    Actor("suspended member", person="suspended", role=Role.OWNER),
    *(Actor(role, person=role, role=Role(role)) for role in ROLES),
    Actor("owner of a suspended workspace", "frozen", "owner", Role.OWNER),
    Actor("owner of a deleted workspace", "gone", "owner", Role.OWNER),
)


@dataclass
class Village:
    """The people, by what they are; the workspaces, by what became of them."""

    people: dict
    tokens: dict = field(default_factory=dict)
    sessions: dict = field(default_factory=dict)
    homes: dict = field(default_factory=dict)
    places: dict = field(default_factory=dict)


def settle(marker="", places=("desk", "frozen", "gone")):
    """Make them all, inside an application context, and workspaces of the same people."""
    now = datetime.now(UTC)
    names = (*ROLES, "suspended", "stranger", "neighbour", "operator")
    made = {name: factories.user(f"{marker}{name.title()}", now=now) for name in names}
    made["operator"].operator = True
    village = Village({name: SimpleNamespace(id=p.id, email=p.email) for name, p in made.items()})
    for place in places:
        village.places[place] = _place(made, now, marker)
    _end(village, now)
    village.places["next door"] = SimpleNamespace(
        workspace=factories.organisation(made["neighbour"], now=now).id
    )
    for name, person in made.items():
        village.tokens[name] = accounts.open_session(person, **DEVICE, by=TESTER, now=now)
    db.session.flush()
    for name, person in made.items():
        village.homes[name] = workspaces.memberships(person)[0].workspace_id
        village.sessions[name] = accounts.live_sessions(person, now)[0].id
    db.session.commit()
    return village


def staffed(owner, others, now):
    """An organisation with its people, by role."""
    workspace = factories.organisation(owner, now=now)
    for role, person in others.items():
        workspaces.add_member(workspace, person, Role(role), by=TESTER, now=now)
    return workspace


def _place(made, now, marker):
    crew = {role: made[role] for role in ROLES}
    workspace = staffed(crew["owner"], {r: p for r, p in crew.items() if r != "owner"}, now)
    db.session.add(
        Membership(
            workspace_id=workspace.id,
            user_id=made["suspended"].id,
            role=Role.OWNER,
            suspended_at=now,
            created_at=now,
        )
    )
    db.session.flush()
    place = estate.furnish(workspace, crew, now, current.sealer(), marker)
    for name in (place.stored, place.beside):
        current.storage().write(name, f"{marker}content".encode())
    query = select(Membership.id).where(Membership.user_id == made["viewer"].id)
    place.member = db.session.scalar(query.where(Membership.workspace_id == workspace.id))
    return place


def _end(village, now):
    for name, place in village.places.items():
        workspace = place.rows.bot.workspace
        workspace.suspended_at = now if name == "frozen" else None
        workspace.deleted_at = now if name == "gone" else None
        del place.rows
