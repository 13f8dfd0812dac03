import pytest
from sqlalchemy import select

from app.domain import audit_chain, strategies, workspaces
from app.domain.errors import Invalid, NotAllowed
from app.extensions import db
from app.models import AuditEvent, Membership, Role
from tests import factories
from tests.factories import NOW, TESTER


@pytest.fixture
def tim(app):
    return factories.user("Tim")


def belongs(person, role):
    workspace = factories.organisation()
    return workspaces.add_member(workspace, person, role, by=TESTER, now=NOW)


def copy(version, source, target, name="Mine"):
    return strategies.copy(version, name=name, source=source, target=target, by=TESTER, now=NOW)


def test_the_copy_is_its_own_and_tells_where_it_is_from(tim):
    source, target = belongs(tim, Role.TRADER), belongs(tim, Role.TRADER)
    origin = factories.strategy(source.workspace)
    version = origin.latest
    made = copy(version, source, target)
    db.session.commit()
    assert (made.workspace_id, made.latest.number) == (target.workspace_id, 1)
    assert made.latest.rules == version.rules
    assert made.copied_from == {
        "workspace": "Harbour Desk",
        "strategy": origin.name,
        "version": 1,
        "at": NOW.isoformat(),
        "by": "Tim",
    }
    changed = dict(version.rules, timeframe="1h")
    strategies.publish(origin, rules=changed, base=1, note="", author=None, by=TESTER, now=NOW)
    assert made.latest.rules != changed


def test_each_workspace_logs_it_once_and_the_target_learns_names_alone(tim):
    source, target = belongs(tim, Role.TRADER), belongs(tim, Role.TRADER)
    version = factories.strategy(source.workspace).latest
    made = copy(version, source, target)
    db.session.commit()
    for member, action, about in (
        (source, "strategy.copy_out", version.strategy_id),
        (target, "strategy.copy_in", made.id),
    ):
        query = select(AuditEvent).where(AuditEvent.chain == member.workspace_id)
        events = list(db.session.scalars(query.order_by(AuditEvent.seq)))
        assert audit_chain.first_break(events) is None
        (event,) = [it for it in events if it.action.startswith("strategy.copy")]
        assert (event.action, event.target_id) == (action, about)
    told = f"{event.changes} {event.target_id} {event.target_label} {event.reason}"
    assert source.workspace_id not in told
    assert version.strategy_id not in told
    assert version.id not in told
    assert version.strategy_id not in str(made.copied_from)


@pytest.mark.parametrize(
    ("here", "there", "missing"),
    [
        (Role.VIEWER, Role.OWNER, "strategy.view"),
        (Role.OWNER, Role.VIEWER, "strategy.manage"),
    ],
)
def test_it_needs_the_right_to_look_here_and_to_make_there(tim, here, there, missing):
    source, target = belongs(tim, here), belongs(tim, there)
    version = factories.strategy(source.workspace).latest
    with pytest.raises(NotAllowed, match=missing):
        copy(version, source, target)


def test_a_suspended_membership_on_either_side_is_none(tim):
    source, target = belongs(tim, Role.TRADER), belongs(tim, Role.TRADER)
    version = factories.strategy(source.workspace).latest
    for member in (source, target):
        member.suspended_at = NOW
        with pytest.raises(NotAllowed, match="suspended"):
            copy(version, source, target)
        member.suspended_at = None


def test_not_into_the_same_and_not_from_a_third(tim):
    source, target = belongs(tim, Role.TRADER), belongs(tim, Role.TRADER)
    version = factories.strategy(source.workspace).latest
    with pytest.raises(Invalid, match="another workspace"):
        copy(version, source, source)
    stranger = factories.strategy(factories.organisation()).latest
    with pytest.raises(NotAllowed):
        copy(stranger, source, target)


def test_a_membership_of_somebody_else_opens_nothing(tim):
    source = belongs(tim, Role.TRADER)
    theirs = db.session.scalar(
        select(Membership).where(Membership.workspace_id == factories.organisation().id)
    )
    with pytest.raises(NotAllowed):
        copy(factories.strategy(source.workspace).latest, source, theirs)
