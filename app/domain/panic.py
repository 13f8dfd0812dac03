"""The kill switch: pause, cancel entries, flatten, many bots at once. It waits for nobody."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from app.domain import audit, audit_urgent, bots, commands, machines, workspaces
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import db
from app.models import (
    Bot,
    BotCommand,
    BotCompute,
    Kill,
    KillAct,
    KillBot,
    KillScope,
    PauseRule,
    User,
    Wish,
    Workspace,
)
from app.models.base import new_id
from runner.protocol import CommandKind

REASON = 200
SHOWN = 5


@dataclass(frozen=True)
class Order:
    """What is asked for. ``chosen``: ids of bots; all that there are, where ``None``.

    ``press`` is the word of one page: whatever arrives twice with it, the same act for the same
    bots, was pressed once.
    """

    act: KillAct
    chosen: Sequence[str] | None = None
    reason: str = ""
    press: str = ""

    @property
    def word(self) -> str:
        """What this very press is known by."""
        if not self.press:
            return new_id("prs")
        chosen = "all" if self.chosen is None else " ".join(sorted(set(self.chosen)))
        return hashlib.sha256(f"{self.press} {self.act} {chosen}".encode()).hexdigest()


@dataclass(frozen=True)
class Resumed:
    """Which bots may enter again, and why others may not."""

    bots: list[Bot]
    refused: list[tuple[Bot, str]]


def candidates(workspace: Workspace) -> list[Bot]:
    """Bots that may trade or hold something: those that follow their schedule or have a machine."""
    found = bots.in_workspace(workspace)
    return [bot for bot in found if bot.wish is Wish.FOLLOW or _may_hold(bot)]


def press(
    workspace: Workspace, order: Order, *, author: User | None, by: Actor, now: datetime
) -> Kill:
    """Pause each bot, and as asked cancel its resting entries and close its position at market.

    One bot that somebody else changed at the same moment does not keep the others waiting. Each
    change has its event, all tied together with one that names the bots; a log that cannot be
    written keeps nobody from it. Ids that lead to no candidate are passed over.

    Raises ``Invalid`` where none of the chosen is a candidate.
    """
    there = candidates(workspace)
    chosen = there if order.chosen is None else [bot for bot in there if bot.id in order.chosen]
    if order.chosen is not None and not chosen and _known(workspace, order) is None:
        raise Invalid("None of those may hold anything any more. Tick others, or all.", "bots")
    kill, fresh = _begun(workspace, order, author, now)
    if not fresh:
        return kill
    kill.scope = _scope(order, chosen)
    hold(chosen)
    by = replace(by, correlation_id=kill.id)
    held, paused, told = _held_by_kills(chosen), [], []
    for bot in chosen:
        if _pause(bot, kill, by, now):
            paused.append(bot)
        sent = _tell(bot, order.act, by, now) if _may_hold(bot) else None
        told += [bot] if sent else []
        db.session.add(
            KillBot(
                workspace_id=workspace.id,
                kill_id=kill.id,
                bot_id=bot.id,
                paused=bot in paused or bot.id in held,
                command_id=sent.id if sent else None,
            )
        )
    audit_urgent.record(
        "position.panic_close",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        reason=kill.reason,
        changes=[
            audit.Change("act", None, kill.act),
            audit.Change("scope", None, kill.scope),
            audit.Change("paused", None, [bot.name for bot in paused]),
            audit.Change(_DOING[kill.act], None, [bot.name for bot in told]),
        ],
    )
    return kill


_DOING = {KillAct.PAUSE: "telling", KillAct.CANCEL: "cancelling", KillAct.FLATTEN: "flattening"}


def find(workspace: Workspace, kill_id: str) -> Kill | None:
    """One press of the switch in this workspace."""
    mine = Kill.workspace_id == workspace.id, Kill.id == kill_id
    return db.session.scalar(select(Kill).where(*mine))


def recent(workspace: Workspace) -> list[Kill]:
    """The latest few."""
    query = select(Kill).where(Kill.workspace_id == workspace.id)
    return list(db.session.scalars(query.order_by(Kill.at.desc(), Kill.id).limit(SHOWN)))


def presser(kill: Kill) -> str:
    """The name of whoever pressed it."""
    person = db.session.get(User, kill.pressed_by) if kill.pressed_by else None
    return person.name if person else "Somebody"


def to_resume(kill: Kill) -> list[Bot]:
    """The bots that are paused by it still; one that was resumed and paused anew is not."""
    later = exists().where(
        BotCommand.bot_id == KillBot.bot_id,
        BotCommand.kind == CommandKind.RESUME,
        BotCommand.created_at >= kill.at,
    )
    query = select(Bot).join(KillBot, KillBot.bot_id == Bot.id)
    mine = KillBot.kill_id == kill.id, KillBot.paused.is_(True), ~later
    there = Bot.paused.is_(True), Bot.deleted_at.is_(None)
    return list(db.session.scalars(query.where(*mine, *there).order_by(Bot.name, Bot.id)))


def resume(kill: Kill, *, by: Actor, now: datetime) -> Resumed:
    """Let the bots that it paused enter again; one that may not keeps no other one from it."""
    by = replace(by, correlation_id=kill.id)
    workspaces.lock(db.session.get_one(Workspace, kill.workspace_id))
    hold(to_resume(kill))
    outcome = Resumed([], [])
    for bot in to_resume(kill):
        try:
            with db.session.begin_nested():
                bots.resume(bot, by=by, now=now)
            outcome.bots.append(bot)
        except (Refused, Conflict, Invalid) as error:
            outcome.refused.append((bot, str(error)))
    return outcome


def _begun(
    workspace: Workspace, order: Order, author: User | None, now: datetime
) -> tuple[Kill, bool]:
    """The row of this press, and whether this is the first time that it arrives."""
    fresh = Kill(
        id=new_id("kil"),
        workspace_id=workspace.id,
        act=order.act,
        scope=KillScope.SELECTION,
        reason=" ".join(order.reason.split())[:REASON],
        press=_word(workspace, order),
        pressed_by=author.id if author else None,
        at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(fresh)
    except IntegrityError:
        known = _known(workspace, order)
        assert known is not None
        return known, False
    return fresh, True


def _known(workspace: Workspace, order: Order) -> Kill | None:
    return db.session.scalar(select(Kill).where(Kill.press == _word(workspace, order)))


def _word(workspace: Workspace, order: Order) -> str:
    return f"{workspace.id} {order.word}"


def _scope(order: Order, chosen: list[Bot]) -> KillScope:
    if order.chosen is None:
        return KillScope.WORKSPACE
    return KillScope.BOT if len(chosen) == 1 else KillScope.SELECTION


def _tell(bot: Bot, act: KillAct, by: Actor, now: datetime) -> BotCommand:
    """Tell its machine; the order whose end shows that all of it arrived."""
    told = commands.send(bot, CommandKind.PAUSE_ENTRIES, now)
    if act is KillAct.PAUSE:
        return told
    told = commands.send(bot, CommandKind.CANCEL_ENTRIES, now)
    return told if act is KillAct.CANCEL else bots.close_position(bot, by=by, now=now)


def _held_by_kills(chosen: list[Bot]) -> set[str]:
    """Bots that an earlier press paused and nobody resumed since."""
    later = exists().where(
        BotCommand.bot_id == KillBot.bot_id,
        BotCommand.kind == CommandKind.RESUME,
        BotCommand.created_at >= Kill.at,
    )
    query = select(KillBot.bot_id).join(Kill, Kill.id == KillBot.kill_id)
    mine = KillBot.bot_id.in_([bot.id for bot in chosen]), KillBot.paused.is_(True), ~later
    return set(db.session.scalars(query.where(*mine)))


def hold(chosen: Sequence[Bot]) -> None:
    """Lock all rows in the order of every other verb, before the first event locks the log.

    Whoever acts on many bots in one transaction comes through here first, then looks again at
    what each of them is.
    """
    ids = [bot.id for bot in chosen]
    for row in (Bot.id, BotCompute.bot_id):
        query = select(row).where(row.in_(ids)).order_by(row)
        db.session.execute(query.with_for_update(key_share=True))
    for bot in chosen:
        db.session.refresh(bot, ["paused", "wish"])


def _pause(bot: Bot, kill: Kill, by: Actor, now: datetime) -> bool:
    if bot.paused:
        return False
    try:
        bots.pause(bot, by=by, now=now, rule=PauseRule.KILL, reason=kill.reason)
    except Conflict:
        return False
    return True


def _may_hold(bot: Bot) -> bool:
    """Whether a machine is there, or went without proving that it was flat."""
    return machines.current_machine(bot.id) is not None or machines.stranded(bot.id)
