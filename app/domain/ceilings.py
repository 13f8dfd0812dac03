"""A workspace's ceilings: what its bots may be, and how much all of them together may risk."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select

from app.domain import audit, book, limits, runs, workspaces
from app.domain.audit import Actor
from app.domain.book import Sheet
from app.domain.errors import Invalid, Refused
from app.domain.venues import VENUES
from app.extensions import db
from app.models import Bot, Machine, Wish, Workspace
from runner.protocol import Limits, Mode, from_plain, to_plain

WHERE = "Whoever may manage risk can change the ceilings under Settings, Limits."


@dataclass(frozen=True)
class Ceilings:
    """``None`` leaves a thing unbounded. Amounts in quote currency, over all bots together."""

    modes: tuple[Mode, ...] | None = None
    exchanges: tuple[str, ...] | None = None
    symbols: tuple[str, ...] | None = None
    max_notional: Decimal | None = None
    max_daily_loss: Decimal | None = None
    max_gross: Decimal | None = None
    max_net: Decimal | None = None
    max_per_asset: Decimal | None = None


@dataclass(frozen=True)
class Total:
    """One ceiling over all bots together, and the limit of its own that each bot then needs."""

    ceiling: str
    title: str
    verb: str
    own: str


TOTALS = (
    Total("max_notional", "Largest holding of all bots", "hold", "max_position_notional"),
    Total("max_daily_loss", "Daily loss of all bots", "lose in a day", "max_daily_loss"),
)
BOOK = {
    "max_gross": "Gross exposure of all bots",
    "max_net": "Net exposure of all bots",
    "max_per_asset": "Exposure to one asset",
}
"""What the book of each mode may come to (``domain/book.py``), whatever the bots' own limits."""
AMOUNTS = {total.ceiling: total.title for total in TOTALS} | BOOK
Shares = dict[str, Decimal | None]
LISTS = {"modes": "Modes", "exchanges": "Exchanges", "symbols": "Symbols"}


def of(workspace: Workspace) -> Ceilings:
    """The ceilings of a workspace."""
    return from_plain(Ceilings, workspace.ceilings or {})


def raised(before: Ceilings, after: Ceilings) -> list[str]:
    """The ceilings that let more through than before, by name."""
    wider = [name for name in LISTS if _wider(getattr(before, name), getattr(after, name))]
    return wider + [
        name for name in AMOUNTS if limits.looser(getattr(before, name), getattr(after, name))
    ]


def checked(wanted: Ceilings) -> Ceilings:
    """``wanted`` in one spelling: lists sorted, a list of all that there is as it stands.

    Raises ``Invalid`` naming the field.
    """
    known: dict[str, set[str]] = {
        "modes": set(Mode),
        "exchanges": set(VENUES),
        "symbols": {symbol for venue in VENUES.values() for symbol in venue.symbols},
    }
    chosen: dict[str, Any] = {}
    for name, there_is in known.items():
        listed = getattr(wanted, name)
        if listed is not None and (not listed or set(listed) - there_is):
            raise Invalid("Choose at least one, or leave it open to all.", name)
        chosen[name] = None if listed is None else tuple(sorted(set(listed)))
    for name in AMOUNTS:
        amount = getattr(wanted, name)
        if amount is not None and (not amount.is_finite() or amount <= 0):
            raise Invalid("Write a number above zero, or leave it empty for no ceiling.", name)
        chosen[name] = amount
    return Ceilings(**chosen)


def change(workspace: Workspace, wanted: Ceilings, *, by: Actor, now: datetime) -> None:
    """Give a workspace other ceilings.

    Whether raising them needs a second person is decided before (``domain/approvals.py``).

    Raises:
        Invalid: a value does not do.
        Refused: a bot that may trade does not fit; the text lists what to do first.
    """
    workspaces.lock(workspace)
    wanted, before = checked(wanted), of(workspace)
    if wanted == before:
        return
    trading = _trading(workspace, now)
    lower = _narrowed(before, wanted)
    faults = [fault for bot in trading for fault in _misplaced(lower, bot)]
    faults += [fault for total in TOTALS for fault in _over(lower, total, trading)]
    faults += [it for sheet in book.of(workspace, now) for it in beyond(lower, sheet)]
    if faults:
        raise Refused("These ceilings are below what trades now. " + " ".join(faults))
    workspace.ceilings = to_plain(wanted)
    audit.record(
        "workspace.ceilings",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=audit.changes_between(_plain(before), _plain(wanted)),
    )


def _narrowed(before: Ceilings, wanted: Ceilings) -> Ceilings:
    """Those that let less through than before: what stays or is raised forbids nothing anew."""
    return Ceilings(**{name: getattr(wanted, name) for name in raised(wanted, before)})


def shares(bot: Bot) -> Shares:
    """What a bot may take of each total under its own limits; ``None`` is without bound."""
    return {total.ceiling: _share(total, bot) for total in TOTALS}


def enforce(
    bot: Bot, now: datetime, *, joining: bool = False, before: Shares | None = None
) -> None:
    """Refuse a bot that its workspace's ceilings leave no room for.

    Call it with the workspace locked and the bot as it is about to be: two bots that fit one by
    one but not together cannot both pass. A lowered limit counts at once, although its machine
    hears of it with its next report.

    Args:
        bot: as it would be.
        now: the moment, UTC.
        joining: it is about to start or to enter again; otherwise only a bot that may trade counts
            in the sums, and what the book came to keeps nothing.
        before: its ``shares`` until now, where nothing else of it changes; a total of which it
            takes no more than before is not asked again.

    Raises ``Refused`` naming the ceiling and what to do.
    """
    bounds = of(bot.workspace)
    if bounds == Ceilings():
        return
    faults = _misplaced(bounds, bot)
    trading = _trading(bot.workspace, now)
    if joining or bot in trading:
        together = trading if bot in trading else [*trading, bot]
        grown = [
            total
            for total in TOTALS
            if before is None or limits.looser(before[total.ceiling], _share(total, bot))
        ]
        faults += [fault for total in grown for fault in _over(bounds, total, together)]
    if joining:
        faults += passed(bot.workspace, now).get(bot.mode, [])
    if faults:
        raise Refused(" ".join([*faults, WHERE]))


def passed(workspace: Workspace, now: datetime) -> dict[Mode, list[str]]:
    """What the book has passed of the ceilings now, in words, for each mode; none where all is
    well.
    """
    bounds = of(workspace)
    names = (*BOOK, "max_daily_loss")
    if all(getattr(bounds, name) is None for name in names):
        return {}
    found: dict[Mode, list[str]] = {}
    for sheet in book.of(workspace, now):
        faults = beyond(bounds, sheet)
        if faults:
            found.setdefault(sheet.mode, []).extend(faults)
    return found


def beyond(bounds: Ceilings, sheet: Sheet) -> list[str]:
    """What one sheet of the book has passed, in words. Pure."""
    largest = max(sheet.assets, key=lambda asset: asset.gross, default=None)
    measured = [
        ("max_gross", sheet.gross, "Gross exposure"),
        ("max_net", abs(sheet.net), "Net exposure"),
    ]
    if largest is not None:
        measured.append(("max_per_asset", largest.gross, f"Exposure to {largest.name}"))
    said = [
        f"{what} of all {sheet.mode} bots is {value:.2f} {sheet.quote}, above the ceiling {top:f}."
        for name, value, what in measured
        if (top := getattr(bounds, name)) is not None and value > top
    ]
    most = bounds.max_daily_loss
    if most is not None and sheet.lost >= most:
        said.append(
            f"All {sheet.mode} bots lost {sheet.lost:.2f} {sheet.quote} today; the ceiling is "
            f"{most:f}."
        )
    return said


def in_use(workspace: Workspace, now: datetime) -> Shares:
    """How much of each total the bots that may trade take; ``None``: one of them has no limit."""
    trading = _trading(workspace, now)
    return {total.ceiling: _sum(total, trading) for total in TOTALS}


def _trading(workspace: Workspace, now: datetime) -> list[Bot]:
    """Bots that follow their schedule, and those that are stopped but may still hold something."""
    ours = (Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None))
    left = select(Machine.bot_id).where(
        Machine.workspace_id == workspace.id,
        Machine.claimed_at.is_not(None),
        or_(Machine.gone_at.is_(None), Machine.proven_flat.is_(False)),
    )
    may = or_(Bot.wish == Wish.FOLLOW, Bot.id.in_(left))
    found = db.session.scalars(select(Bot).where(*ours, may).order_by(Bot.name, Bot.id))
    return [bot for bot in found if bot.wish is Wish.FOLLOW or not runs.is_flat(bot, now)]


def _misplaced(bounds: Ceilings, bot: Bot) -> list[str]:
    """What a bot is that no bot of the workspace may be."""
    found: dict[str, list[str]] = {
        "modes": [bot.mode],
        "exchanges": [bot.exchange],
        "symbols": bot.symbols,
    }
    faults = []
    for name, values in found.items():
        allowed = getattr(bounds, name)
        outside = [] if allowed is None else sorted(set(values) - set(allowed))
        if outside:
            faults.append(
                f"{LISTS[name]} allowed here are {', '.join(allowed)}; "
                f"“{bot.name}” has {', '.join(outside)}."
            )
    return faults


def _over(bounds: Ceilings, total: Total, trading: list[Bot]) -> list[str]:
    """Where a total is passed, or cannot be told because a bot has no limit of its own."""
    ceiling = getattr(bounds, total.ceiling)
    if ceiling is None:
        return []
    bare = [f"“{bot.name}”" for bot in trading if _share(total, bot) is None]
    if bare:
        return [
            (
                f"All bots together may {total.verb} {ceiling:f}, so each needs a limit of its "
                f"own: set “{limits.TITLES[total.own]}” of {', '.join(bare)}."
            )
        ]
    taken = _sum(total, trading)
    if taken is None or taken <= ceiling:
        return []
    shares = ", ".join(f"“{bot.name}” {_share(total, bot):f}" for bot in trading)
    return [
        (
            f"All bots together may {total.verb} {ceiling:f}, and these would come to {taken:f} "
            f"({shares}). Lower a limit or stop a bot first."
        )
    ]


def _sum(total: Total, trading: list[Bot]) -> Decimal | None:
    shares = [_share(total, bot) for bot in trading]
    known = [share for share in shares if share is not None]
    return sum(known, Decimal(0)) if len(known) == len(shares) else None


def _share(total: Total, bot: Bot) -> Decimal | None:
    """What one bot may take of a total under its own limits."""
    own = from_plain(Limits, bot.limits)
    if total.ceiling == "max_daily_loss":
        return own.max_daily_loss
    return limits.largest_holding(own, len(bot.symbols))


def _wider(before: tuple[Any, ...] | None, after: tuple[Any, ...] | None) -> bool:
    return before is not None and (after is None or bool(set(after) - set(before)))


def _plain(bounds: Ceilings) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(bounds)
    return plain
