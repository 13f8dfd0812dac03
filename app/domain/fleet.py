"""The fleet: one short step of one bot, begun, done outside, finished.

``begin`` takes the bot's lease, asks the planner, changes rows and commits to at most one call
outside; the caller commits, lets the driver do the step, and hands the answer to ``finish``, which
writes only while its fence still holds. Both may run twice. What they decide by is the time on the
database's clock: a worker whose own clock is wrong neither steals a lease nor takes old for new.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from app.domain import (
    causes,
    clock,
    endings,
    leads,
    lifecycle,
    machines,
    operations,
    places,
    schedule,
    waits,
)
from app.domain.beginnings import BEGINNINGS
from app.domain.errands import Errand, Settings, Turn
from app.domain.lifecycle import Tempo, Today
from app.domain.planner import CALLS, Action, CallFacts, Facts, MachineFacts, Plan, plan
from app.extensions import change, db
from app.gateways.compute.driver import MachineState, Outcome, Result, StepKind
from app.models import (
    Bot,
    BotCompute,
    CloudOperation,
    Desired,
    Machine,
    MachineConsole,
    Phase,
)
from runner.protocol import PositionState

__all__ = ["Errand", "Settings", "begin", "due", "finish", "hinted", "poke", "situation", "wanted"]

LEASE = timedelta(seconds=30)
"""Longer than any step: a driver answers within 15 seconds or says that it does not know."""
HINT_AGAIN = timedelta(seconds=5)
"""After so long a bot that was hinted at and is still due is hinted at anew."""


def due(now: datetime, limit: int = 500) -> list[str]:
    """Ids of bots that somebody should look at: whose turn to start it is, then longest overdue.

    A place is kept for the first; others are mostly looked at to see that nothing has changed.
    """
    now = clock.database_now(now)
    query = (
        select(BotCompute.bot_id)
        .where(BotCompute.due_at <= now, BotCompute.lease_until <= now)
        .order_by(BotCompute.turn_at.is_(None), BotCompute.due_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def is_due(bot_id: str, now: datetime) -> bool:
    """Whether somebody should look at this bot at once."""
    due_now = BotCompute.bot_id == bot_id, BotCompute.due_at <= clock.moment(now)
    return db.session.scalar(select(BotCompute.bot_id).where(*due_now)) is not None


def hinted(bot_ids: list[str], now: datetime) -> None:
    """Push the next look back a little, so that a slow worker is not hinted twice a second.

    What a quick worker has decided in the meantime stands.
    """
    now = clock.database_now(now)
    later = now + HINT_AGAIN
    due_still = BotCompute.bot_id.in_(bot_ids), BotCompute.due_at <= now
    db.session.execute(update(BotCompute).where(*due_still).values(due_at=later))


def give_back(bot_ids: Sequence[str], now: datetime) -> None:
    """Bots that were hinted at and that nobody came to after all are due at once."""
    moment = clock.moment(now)
    hinted_at = BotCompute.due_at.between(moment, clock.database_now(now) + HINT_AGAIN)
    theirs = update(BotCompute).where(BotCompute.bot_id.in_(bot_ids), hinted_at)
    db.session.execute(theirs.values(due_at=moment).execution_options(synchronize_session=False))


def poke(bot_id: str, now: datetime) -> None:
    """Ask for an immediate look, also at a bot that is waiting before another try."""
    statement = update(BotCompute).where(BotCompute.bot_id == bot_id)
    moment = clock.moment(now)
    since = func.coalesce(BotCompute.wanted_at, moment)
    db.session.execute(statement.values(due_at=moment, retry_at=None, wanted_at=since))


def retry(bot: Bot, now: datetime) -> None:
    """Somebody says that what blocked a bot is mended: it tries at once, for its region if shut."""
    places.try_again(bot.region, clock.database_now(now))
    poke(bot.id, now)


def begin(bot_id: str, now: datetime, settings: Settings) -> Errand | None:
    """Take the lease and decide; ``None`` if another holds it or nothing is to be done outside."""
    compute = _lease(bot_id, now)
    if compute is None:
        return None
    now = clock.database_now(now)
    compute.lease_until = now + LEASE
    operations.close_abandoned(bot_id, now)
    bot, call = compute.bot, operations.under_way(bot_id)
    tempo = leads.of_bot(bot, settings.tempo)
    facts = _facts(bot, compute, call, now, tempo)
    _note_wish(bot, compute, facts.desired, now, tempo)
    decision = plan(facts, now, tempo)
    if call is not None and decision.action is not Action.FOLLOW_UP:
        operations.leave(call, now)
    if decision.action in CALLS and (until := places.slowed(bot.region, now)) is not None:
        decision = _without_calls(compute, facts, until, now, tempo)
    compute.due_at = decision.look_again
    errand = BEGINNINGS[decision.action](Turn(bot, compute, decision, now, settings))
    if errand is None:
        compute.lease_until = now
    return errand


def finish(errand: Errand, result: Result, now: datetime) -> bool:
    """Write down what became of the step, once.

    ``False`` if it was written down before, or somebody else has taken over since.
    """
    compute = db.session.scalar(
        select(BotCompute).where(BotCompute.bot_id == errand.bot_id).with_for_update()
    )
    if compute is None or compute.fence != errand.fence:
        return False
    now = clock.database_now(now)
    if _contradicted(errand, result):
        result = Result(Outcome.UNKNOWN, "its runner spoke while the cloud was asked")
    operations.close(errand.operation_id, result, now)
    compute.fence += 1
    compute.lease_until = now
    compute.due_at = now
    if result.outcome is Outcome.DONE or errand.step.kind is StepKind.READ_CONSOLE:
        endings.take(compute, errand.step, result, now)
    elif result.outcome is Outcome.PENDING:
        endings.under_way(compute, errand.step, result, now)
    else:
        causes.take(compute, errand.step, result, now)
    return True


def _note_wish(
    bot: Bot, compute: BotCompute, desired: Desired, now: datetime, tempo: Tempo
) -> None:
    """Keep since when a machine is wanted that is not there: what a late wake is measured by."""
    if desired is not Desired.RUN or compute.phase in (Phase.READY, Phase.DRAINING):
        compute.wanted_at = compute.turn_at = None
    elif compute.wanted_at is None:
        compute.wanted_at = _wanted_since(bot, compute, now, tempo)
    if desired is not Desired.RUN and compute.phase is Phase.ASLEEP:
        compute.problem, compute.cause, compute.attempt = "", "", 0


def _wanted_since(bot: Bot, compute: BotCompute, now: datetime, tempo: Tempo) -> datetime:
    """By its schedule's own moment, unless something else has happened to the bot since."""
    plan_of_bot = schedule.from_plain(bot.schedule)
    for window in lifecycle.awake_windows(plan_of_bot, now, tempo, today(bot)):
        if compute.phase_since <= window.opens <= now < window.closes:
            return window.opens
    return now


def _contradicted(errand: Errand, result: Result) -> bool:
    """Whether a machine said to be gone or dead has spoken since that was asked.

    A call thought lost may have made it in the meantime; whoever claims is alive. A deletion is
    different: nothing that spoke before it ended is alive after it.
    """
    if errand.step.kind is StepKind.DELETE_MACHINE:
        return False
    if result.machine not in (MachineState.ABSENT, MachineState.TERMINATED):
        return False
    machine = machines.current_machine(errand.bot_id)
    return machine is not None and machine.synced_at != errand.heard_at


def situation(
    bot: Bot,
    compute: BotCompute,
    machine: Machine | None,
    open_positions: int,
    now: datetime,
    tempo: Tempo,
) -> lifecycle.Situation:
    """What the user's reading of a bot's state is made of."""
    return lifecycle.Situation(
        wish=bot.wish,
        phase=compute.phase,
        paused=bot.paused,
        problem=compute.problem,
        synced_at=machine.synced_at if machine else None,
        position_state=machine.position_state if machine else PositionState.FLAT,
        open_positions=open_positions,
        wakes_at=wakes_at(bot.schedule, now, leads.of_bot(bot, tempo), today(bot))
        if compute.phase is Phase.ASLEEP
        else None,
        renewed=compute.renewal is not None,
        retry_at=compute.retry_at,
        stranded=lifecycle.waits_stranded(compute.wanted_at, compute.priority),
        pause_rule=bot.pause_rule,
        pause_reason=bot.pause_reason,
        stop_reason=bot.stop_reason,
        preflight_passed=(machine.preflight or {}).get("passed") if machine else None,
    )


def today(bot: Bot) -> Today:
    """What somebody wished for the bot's day."""
    return Today(bot.keep_awake_until, bot.asleep_until)


def wakes_at(stored: dict[str, Any], now: datetime, tempo: Tempo, wished: Today) -> datetime | None:
    """When an asleep bot's machine is next wanted, or since when, by its schedule and the wish."""
    windows = lifecycle.awake_windows(schedule.from_plain(stored), now, tempo, wished)
    return next((window.opens for window in windows if window.closes > now), None)


def wanted(bot: Bot, now: datetime, tempo: Tempo) -> tuple[Desired, str]:
    """What the planner works towards for this bot, and why: by the lead its region has learned."""
    return _wanted(bot, now, leads.of_bot(bot, tempo))


def _wanted(bot: Bot, now: datetime, tempo: Tempo) -> tuple[Desired, str]:
    """The same by the bot's own tempo."""
    plan_of_bot, left_behind = schedule.from_plain(bot.schedule), machines.stranded(bot.id)
    return lifecycle.desired(
        bot.wish, plan_of_bot, now, tempo, stranded=left_behind, today=today(bot)
    )


def _lease(bot_id: str, now: datetime) -> BotCompute | None:
    taken = change(
        update(BotCompute)
        .where(BotCompute.bot_id == bot_id, BotCompute.lease_until <= clock.moment(now))
        .values(fence=BotCompute.fence + 1)
    )
    if taken != 1:
        return None
    return db.session.get(BotCompute, bot_id, populate_existing=True)


def _facts(
    bot: Bot, compute: BotCompute, call: CloudOperation | None, now: datetime, tempo: Tempo
) -> Facts:
    machine = machines.current_machine(bot.id)
    return Facts(
        desired=_wanted(bot, now, tempo)[0],
        phase=compute.phase,
        phase_since=compute.phase_since,
        machine=_machine_facts(machine, compute.phase) if machine else None,
        flat_since=compute.flat_since,
        retry_at=compute.retry_at,
        next_change=lifecycle.next_look(schedule.from_plain(bot.schedule), now, tempo, today(bot)),
        call=CallFacts(StepKind(call.kind), call.started_at) if call else None,
        renewal=compute.renewal,
    )


def _without_calls(
    compute: BotCompute, facts: Facts, until: datetime, now: datetime, tempo: Tempo
) -> Plan:
    """What there is to do while the region must not be asked: as if its machine was just seen."""
    machine = facts.machine and replace(facts.machine, observed_at=now)
    decision = plan(replace(facts, machine=machine, call=None), now, tempo)
    if decision.action not in CALLS and decision.action is not Action.WAIT:
        return decision
    again = waits.stand_back(compute, until)
    if facts.renewal is not None and decision.action is Action.WAIT:
        again = min(again, decision.look_again)  # it begins, or is called off, without a call
    return Plan(Action.WAIT, "its region was asked too often", min(again, facts.next_change))


def _machine_facts(machine: Machine, phase: Phase) -> MachineFacts:
    booting = phase is Phase.BOOTING
    return MachineFacts(
        dead=machine.dead_at is not None,
        observed_at=machine.observed_at,
        synced_at=machine.synced_at,
        position_state=machine.position_state,
        open_orders=machine.open_orders,
        drained=machine.drained,
        console_read=booting and db.session.get(MachineConsole, machine.id) is not None,
    )
