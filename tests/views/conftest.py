"""One workspace with its people and bots, behind real pages."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from app.domain import workspaces
from app.extensions import db
from app.models import Role, StrategyVersion, User, Workspace
from tests import factories, site, telling
from tests.audit_watch import Watch
from tests.pages import Pages
from tests.views.crew import Crew

ROLES = ("owner", "trader", "viewer", "manager")


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """An application that all tests of a worker share; each finds it as it was built."""
    return site.build(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="session")
def watch(house):
    """Sees every change of an audited row that a request commits."""
    return Watch(house)


@pytest.fixture(autouse=True)
def every_change_leaves_an_event(watch):
    """Holds for every route that any of these tests presses."""
    yield
    faults, watch.faults = watch.faults, []
    assert not faults, "\n".join(faults)


@pytest.fixture(autouse=True)
def as_it_was():
    """What a test writes is gone after it, in every application that several tests share."""
    with site.as_it_was():
        yield


@pytest.fixture(scope="session")
def people(house):
    """Ids and addresses of an owner, a trader, a viewer and a manager."""
    with house.app_context():
        made = {role: factories.user(role.title()) for role in ROLES}
        db.session.commit()
        found = {role: (person.id, person.email) for role, person in made.items()}
        db.session.remove()
    return found


@pytest.fixture
def desk(house, people):
    """An organisation of its own with two bots: one awake in a position, one stopped."""
    now = datetime.now(UTC)
    with house.app_context():
        owner = db.session.get(User, people["owner"][0])
        workspace = factories.organisation(owner, now=now)
        for role in ROLES[1:]:
            person = db.session.get(User, people[role][0])
            workspaces.add_member(workspace, person, Role(role), by=factories.TESTER, now=now)
        version = factories.strategy(workspace, now=now).latest
        trading = factories.bot(workspace, now=now, version=version, name="Tide")
        resting = factories.bot(workspace, now=now, version=version, name="Moon")
        machine = telling.awake(trading, now)
        telling.holding(trading, machine, now)
        db.session.commit()
        home = f"/w/{workspace.id}"
        made = SimpleNamespace(
            id=workspace.id,
            home=home,
            bot=f"{home}/bots/{trading.id}",
            resting=f"{home}/bots/{resting.id}",
            strategy=f"{home}/strategies/{version.strategy_id}",
            version=version.id,
            ip=machine.ip,
            emails={role: email for role, (_, email) in people.items()},
        )
        db.session.remove()
    return made


@pytest.fixture
def story(house, desk):
    """The same desk with a third bot, whose machine has told of a whole session."""
    now = datetime.now(UTC)
    with house.app_context():
        workspace = db.session.get(Workspace, desk.id)
        version = db.session.get(StrategyVersion, desk.version)
        bot = factories.bot(workspace, now=now, version=version, name="Spring")
        machine = telling.awake(bot, now)
        telling.session(bot, machine, now, candles=120, trades=2)
        db.session.commit()
        told = {"bot": f"{desk.home}/bots/{bot.id}", "ip": machine.ip}
        db.session.remove()
    return SimpleNamespace(**(vars(desk) | told))


@pytest.fixture
def crew(house):
    return Crew(house)


@pytest.fixture
def pages(house):
    return Pages(house)


@pytest.fixture
def owner(pages, desk):
    return as_person(pages, desk, "owner")


@pytest.fixture
def viewer(pages, desk):
    return as_person(pages, desk, "viewer")


@pytest.fixture
def trader(pages, desk):
    return as_person(pages, desk, "trader")


def as_person(pages, desk, role):
    pages.become(desk.emails[role])
    return pages
