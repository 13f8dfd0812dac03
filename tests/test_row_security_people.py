"""What crosses from one workspace into another or changes who is in one, under the row policies."""

import pytest
from sqlalchemy import select

from app import create_app, tenancy
from app.config import Config
from app.domain import closures, members, ownership, strategies, workspaces
from app.domain.errors import Invalid
from app.extensions import db
from app.models import Membership, Role, Strategy, User, Workspace
from tests import factories
from tests.factories import NOW, TESTER


@pytest.fixture
def fenced(fenced_url, keys, monkeypatch):
    monkeypatch.setattr("app.domain.clock.has_clock", lambda: False)
    settings = {"DATABASE_URL": fenced_url, "SEAL_PUBLIC_KEY": keys.public}
    built = create_app(Config.from_environment(settings, "worker"), "worker")
    with built.app_context():
        yield built
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def desk(fenced):
    """Ids: an owner and a trader in one organisation, who both own others."""
    owner, trader = factories.user("Olga"), factories.user("Tim")
    here, there = factories.organisation(owner), factories.organisation(trader)
    workspaces.add_member(here, trader, Role.TRADER, by=TESTER, now=NOW)
    version = factories.strategy(here).latest
    db.session.commit()
    made = {
        "owner": owner.id,
        "trader": trader.id,
        "here": here.id,
        "there": there.id,
        "strategy": version.strategy_id,
    }
    db.session.remove()
    return made


def opened(desk, person, place=None):
    """As a request of this person begins; their memberships by workspace."""
    tenancy.close()
    tenancy.recognise(desk[person])
    user = db.session.get(User, desk[person])
    mine = {it.workspace_id: it for it in workspaces.memberships(user)}
    if place:
        tenancy.enter(desk[place])
    return user, mine


def everything():
    db.session.commit()
    db.session.remove()
    tenancy.open_everything("a test looks")


def test_an_organisation_is_founded_while_none_is_open(desk):
    user, _ = opened(desk, "trader")
    made = workspaces.create_organisation("Night", user, slug="night", by=TESTER, now=NOW).id
    everything()
    assert db.session.get(Workspace, made).memberships[0].user_id == desk["trader"]


def test_a_taken_slug_is_seen_across_the_policies(desk):
    user, _ = opened(desk, "trader")
    with tenancy.everywhere("a test looks"):
        slug = db.session.scalar(select(Workspace.slug).where(Workspace.id == desk["here"]))
    with pytest.raises(Invalid, match=f"{slug} is taken. {slug}-3 is free"):
        workspaces.create_organisation("Night", user, slug=slug, by=TESTER, now=NOW)
    _, mine = opened(desk, "trader", "there")
    own = mine[desk["there"]].workspace
    with pytest.raises(Invalid, match=f"{slug} is taken"):
        workspaces.update_profile(own, name="X", slug=slug, zone="UTC", by=TESTER, now=NOW)


def test_a_strategy_crosses_into_the_other_workspace(desk):
    _, mine = opened(desk, "trader", "here")
    version = db.session.scalar(select(Strategy).where(Strategy.id == desk["strategy"])).latest
    source, target = mine[desk["here"]], mine[desk["there"]]
    made = strategies.copy(version, name="Mine", source=source, target=target, by=TESTER, now=NOW)
    made_id = made.id
    everything()
    assert db.session.get(Strategy, made_id).workspace_id == desk["there"]


def test_the_ownership_passes_and_its_giver_leaves(desk):
    _, mine = opened(desk, "owner", "here")
    chief = mine[desk["here"]]
    query = select(Membership).where(Membership.workspace_id == desk["here"])
    other = db.session.scalar(query.where(Membership.user_id == desk["trader"]))
    offered = ownership.offer(other, acting=chief, by=TESTER, now=NOW)
    ownership.accept(offered, acting=other, by=TESTER, now=NOW)
    members.leave(chief, by=TESTER, now=NOW)
    everything()
    assert [it.user_id for it in db.session.get(Workspace, desk["here"]).memberships] == [
        desk["trader"]
    ]


def test_a_workspace_is_renamed_and_deleted(desk):
    _, mine = opened(desk, "owner", "here")
    chief = mine[desk["here"]]
    place = chief.workspace
    workspaces.update_profile(place, name="Dusk", slug="dusk", zone="UTC", by=TESTER, now=NOW)
    closures.delete(place, typed_name="Dusk", acting=chief, by=TESTER, now=NOW)
    everything()
    assert db.session.get(Workspace, desk["here"]).deleted_at == NOW
