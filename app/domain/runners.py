"""What the gate answers: a runner claims its generation, then reports and is told what to do."""

import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import (
    addresses,
    briefing,
    clock,
    commands,
    fleet,
    holds,
    ingest,
    machines,
    metering,
    runs,
    schedule,
)
from app.domain.errors import Gone, Misplaced, NotAllowed
from app.domain.lifecycle import Tempo
from app.domain.signals import delivery
from app.extensions import db
from app.gateways.vault import Opener
from app.models import (
    AddressEventKind,
    Bot,
    BotCompute,
    Desired,
    Machine,
    Phase,
    Resource,
    Run,
)
from runner.protocol import (
    Claim,
    ClaimAnswer,
    CommandKind,
    Lease,
    PositionState,
    Sync,
    SyncAnswer,
    Window,
)

LEASE = timedelta(seconds=60)
_MAY_CLAIM = frozenset({Phase.CREATING, Phase.BOOTING, Phase.READY, Phase.DRAINING})


def claim(
    message: Claim,
    *,
    address: str,
    opener: Opener,
    endpoints: dict[str, str],
    tempo: Tempo,
    now: datetime,
    streams: bool = False,
) -> ClaimAnswer:
    """Give a runner the right to trade, its configuration, and its keys.

    A later boot of the same generation revokes the claim of the earlier one.

    Raises:
        Gone: a newer generation exists, or this one is being taken down.
        NotAllowed: unknown bot, or wrong token.
        Misplaced: a call from another address than the bot's own; that it came is kept.
    """
    compute = db.session.scalar(
        select(BotCompute).where(BotCompute.bot_id == message.bot).with_for_update()
    )
    if compute is None:
        raise NotAllowed
    now = clock.database_now(now)
    machine = _generation(compute, message, address, now)
    if compute.phase not in _MAY_CLAIM or machine.dead_at is not None:
        raise Gone("this generation is being taken down")
    bot = compute.bot
    run = _run(bot, machine, message, now)
    claim_id = _take(compute, machine, message, now)
    machine.run_id = run.id
    commands.forget(bot.id, now)
    resting = fleet.wanted(bot, now, tempo)[0] is not Desired.RUN
    if resting and compute.phase is Phase.READY:
        machines.move(compute, Phase.DRAINING, now)
    draining = compute.phase is Phase.DRAINING
    if draining:
        commands.send(bot, CommandKind.DRAIN, now)
    plan = schedule.from_plain(bot.schedule)
    return ClaimAnswer(
        claim_id=claim_id,
        server_time=now,
        address=machine.ip,
        configuration=briefing.configuration(
            bot, run, endpoints, draining=draining, streams=streams
        ),
        windows=_windows(bot, now),
        end_policy=plan.end_policy,
        quiet_minutes=plan.quiet_minutes,
        lease=Lease(now + LEASE),
        credentials=briefing.credentials(run, opener),
        live_key=briefing.live_key(bot, run, opener),
        restored=briefing.restored(run),
        next_seq=machine.ack_seq + 1,
        unsettled=ingest.unsettled(run),
        hold=holds.current() or "",
        told=_told(message),
    )


def _told(message: Claim) -> int:
    """The last event stored of the generation whose events are on the claiming machine's disk."""
    query = select(Machine.ack_seq).where(
        Machine.bot_id == message.bot, Machine.generation == message.holds
    )
    return db.session.scalar(query) or 0


def sync(message: Sync, *, now: datetime) -> SyncAnswer:
    """Take in what a runner reports and answer what is wanted of it.

    Raises:
        Gone: this claim has been revoked, or a newer generation exists.
        NotAllowed: nobody ever made this claim.
    """
    compute, machine = _locked(message.claim_id.partition(".")[0])
    now = clock.database_now(now)
    if machine.claim_hash is None:
        raise NotAllowed
    if machine.gone_at is not None or not _same(machine.claim_hash, message.claim_id):
        raise Gone("a newer runner has taken over")
    bot = db.session.get_one(Bot, machine.bot_id)
    ingest.take(bot, machine, message.batch, now)
    _note_state(compute, machine, message, now)
    _ask_to_reload(bot, machine, now)
    plan = schedule.from_plain(bot.schedule)
    return SyncAnswer(
        ack_seq=machine.ack_seq,
        server_time=now,
        lease=Lease(now + LEASE),
        commands=commands.pending(bot.id),
        windows=_windows(bot, now),
        end_policy=plan.end_policy,
        quiet_minutes=plan.quiet_minutes,
        hold=holds.current() or "",
        signals=delivery.pending(bot, machine, now),
    )


def _locked(machine_id: str) -> tuple[BotCompute, Machine]:
    """The machine and its bot's row, locked in the planner's order: nobody waits in a circle."""
    bot_id = db.session.scalar(select(Machine.bot_id).where(Machine.id == machine_id))
    if bot_id is None:
        raise NotAllowed
    compute = db.session.get_one(BotCompute, bot_id, with_for_update=True)
    return compute, db.session.get_one(Machine, machine_id, with_for_update=True)


def _generation(compute: BotCompute, message: Claim, address: str, now: datetime) -> Machine:
    """The machine that claims, by its token, from its bot's own address."""
    machine = db.session.scalar(
        select(Machine).where(
            Machine.bot_id == message.bot, Machine.generation == message.generation
        )
    )
    if machine is None or not _same(machine.token_hash, message.token):
        raise NotAllowed
    if machine.generation != compute.generation or machine.gone_at is not None:
        raise Gone("a newer generation exists")
    addresses.seen(machine, AddressEventKind.SEEN_BY_GATE, address, now)
    if machine.ip != address:
        raise Misplaced
    return machine


def _same(digest: str, secret: str) -> bool:
    return hmac.compare_digest(digest, machines.token_digest(secret))


def _take(compute: BotCompute, machine: Machine, message: Claim, now: datetime) -> str:
    """Make this boot the one that may trade, and the bot ready."""
    claim_id = f"{machine.id}.{secrets.token_urlsafe(32)}"
    machine.claim_hash = machines.token_digest(claim_id)
    machine.position_state, machine.drained = PositionState.UNKNOWN, False
    machine.report_sent_at = None
    compute.flat_since = None
    machine.boot_id, machine.runner_version = message.boot_id, message.runner_version[:20]
    machine.claimed_at = machine.claimed_at or now
    machine.synced_at = now
    if machine.running_at is None:
        machine.running_at = now
        addresses.attached(machine, now)
        metering.start(compute, Resource.MACHINE, machine.region, now)
    machine.inserted_at = machine.inserted_at or now
    if compute.phase is Phase.CREATING:
        machines.move(compute, Phase.BOOTING, now)
    if compute.phase is Phase.BOOTING:
        machines.move(compute, Phase.READY, now)
        compute.due_at, compute.wanted_at = now, None
    return claim_id


def _run(bot: Bot, machine: Machine, message: Claim, now: datetime) -> Run:
    """The run this claim goes on with.

    A bot that was given another mode, version, symbol or account begins a new run; but while it
    may still hold something of the old one, the old run goes on until it is flat.
    """
    run = runs.current(bot.id)
    if run is not None and (runs.fits(run, bot) or not _flat_before(bot, machine, message, now)):
        return run
    return runs.begin(bot, now)


def _flat_before(bot: Bot, machine: Machine, message: Claim, now: datetime) -> bool:
    """Whether nothing of the old run can be left.

    A runner that boots anew cannot vouch for what it did after its last report; one that claims
    again in the same life does so only when it is flat, and must have said so just now.
    """
    if machine.claimed_at is None:
        return not machines.stranded(bot.id, before=machine.generation)
    return machine.boot_id == message.boot_id and runs.reported_flat(machine, now)


def _windows(bot: Bot, now: datetime) -> tuple[Window, ...]:
    """What the runner gates its entries by: the real windows, not those widened for waking."""
    plan = schedule.from_plain(bot.schedule)
    found = schedule.wished(
        plan,
        now,
        now + schedule.HORIZON,
        keep_awake_until=bot.keep_awake_until,
        asleep_until=bot.asleep_until,
    )
    return tuple(found)


def _ask_to_reload(bot: Bot, machine: Machine, now: datetime) -> None:
    """Once it is flat, a runner that still carries on an old run is told to take up the new one."""
    run = db.session.get_one(Run, machine.run_id)
    if not runs.fits(run, bot) and runs.reported_flat(machine, now):
        commands.send(bot, CommandKind.RELOAD, now)


def _note_state(compute: BotCompute, machine: Machine, message: Sync, now: datetime) -> None:
    """Keep what the planner decides by, and since when the bot has been flat without a break.

    A report that was overtaken on its way by a later one of the same claim says nothing new.
    """
    if machine.report_sent_at is not None and message.sent_at < machine.report_sent_at:
        return
    machine.report_sent_at = message.sent_at
    machine.synced_at = now
    machine.position_state = message.position_state
    machine.open_orders = message.open_orders
    machine.drained = message.drained
    machine.health = message.health
    flat = message.position_state is PositionState.FLAT and message.open_orders == 0
    if not flat:
        compute.flat_since = None
    elif compute.flat_since is None:
        compute.flat_since = now
    if compute.phase is Phase.DRAINING and message.drained:
        compute.due_at = min(compute.due_at, now)
