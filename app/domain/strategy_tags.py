"""Tags of strategies: put on a strategy and not on a version, for they say what it is for."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from app.domain import audit
from app.domain.audit import Actor, Change
from app.extensions import db
from app.models import Strategy, StrategyTag, Workspace


def used(workspace: Workspace) -> list[str]:
    """Every tag of the workspace's strategies, the archived ones' too, by name."""
    query = select(StrategyTag.name).where(StrategyTag.workspace_id == workspace.id)
    return list(db.session.scalars(query.distinct().order_by(StrategyTag.name)))


def put(strategy: Strategy, names: Sequence[str], *, by: Actor, now: datetime) -> None:
    """Put these in place of what was there; nothing changed is no event.

    ``names`` are such as ``tags.read`` gives.
    """
    db.session.execute(select(Strategy.id).where(Strategy.id == strategy.id).with_for_update())
    db.session.refresh(strategy, ["tags"])
    before = strategy.tag_names
    if before == sorted(names):
        return
    lay(strategy, names)
    change = Change("tags", ", ".join(before) or None, ", ".join(strategy.tag_names) or None)
    audit.record(
        "strategy.tag",
        by=by,
        now=now,
        workspace_id=strategy.workspace_id,
        target_id=strategy.id,
        target_label=strategy.name,
        changes=[change],
    )


def lay(strategy: Strategy, names: Sequence[str]) -> None:
    """Write the rows; whoever makes a strategy tells of it in an event of its own."""
    db.session.execute(delete(StrategyTag).where(StrategyTag.strategy_id == strategy.id))
    owner = {"workspace_id": strategy.workspace_id, "strategy_id": strategy.id}
    db.session.add_all(StrategyTag(**owner, name=name) for name in sorted(set(names)))
    db.session.flush()
    db.session.refresh(strategy, ["tags"])
