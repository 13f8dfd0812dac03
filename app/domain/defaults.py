"""What a workspace's forms for new bots are filled with; whoever makes one may type otherwise."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain import audit, bot_rules, workspaces
from app.domain.audit import Actor
from app.domain.errors import Invalid
from app.domain.schedule import schedule
from app.domain.venues import PRACTICE
from app.models import Workspace
from runner.protocol import Limits, Mode, from_plain, to_plain


@dataclass(frozen=True)
class Defaults:
    """Balance and limits in quote currency; an empty zone is that of the workspace.

    The limits that need no amount begin with a value that no sound bot comes near.
    """

    mode: Mode = Mode.PAPER
    exchange: str = PRACTICE.id
    symbol: str = PRACTICE.symbols[0]
    starting_balance: Decimal = Decimal(10_000)
    limits: Limits = field(
        default_factory=lambda: Limits(price_collar_percent=Decimal(2), max_error_streak=5)
    )
    zone: str = ""


def of(workspace: Workspace) -> Defaults:
    """As they are now."""
    return from_plain(Defaults, workspace.defaults or {})


def change(workspace: Workspace, wanted: Defaults, *, by: Actor, now: datetime) -> None:
    """Set them. Raises ``Invalid`` naming the field."""
    workspaces.lock(workspace)
    _check(wanted)
    changes = audit.changes_between(_flat(of(workspace)), _flat(wanted))
    if not changes:
        return
    workspace.defaults = to_plain(wanted)
    audit.record(
        "workspace.defaults",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=changes,
    )


def _check(wanted: Defaults) -> None:
    venue = bot_rules.venue_named(wanted.exchange)
    if wanted.mode not in venue.modes:
        raise Invalid(f"New bots at {venue.title} begin in {' or '.join(venue.modes)}.", "mode")
    if wanted.symbol not in venue.symbols:
        raise Invalid(f"{venue.title} does not trade {wanted.symbol}.", "symbol")
    bot_rules.clean_balance(wanted.starting_balance)
    if wanted.zone:
        schedule(wanted.zone, [])


def _flat(wanted: Defaults) -> dict[str, Any]:
    """One value a field, for the diff of the audit log."""
    plain: dict[str, Any] = to_plain(wanted)
    own = plain.pop("limits")
    return plain | {f"limits.{name}": value for name, value in own.items()}
