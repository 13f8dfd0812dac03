"""Sweeps: what exists in the cloud against what the rows say.

Once a minute a job takes the lead of sweeping, commits, asks the driver for all that exists, and
concludes here. A listing proves what it shows and not what it lacks: what it lacks makes the
planner look by itself, and what no row accounts for is deleted by ``finds``, late and little.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app.domain import (
    audit,
    clock,
    finds,
    leadership,
    places,
    sweep_absences,
    sweep_books,
    sweep_rules,
)
from app.domain.audit import TIMETABLE, Change
from app.domain.fleet_alarms import clear_alarm, raise_alarm
from app.domain.sweep_rules import Books, Judgement, Patience, Whose
from app.extensions import db
from app.gateways.compute.driver import SeenAddress, SeenDisk, SeenMachine, Survey
from app.models import AlarmKind, CloudFind, FindKind, FindState, SweepRun

LEASE = timedelta(minutes=3)
STALE = timedelta(minutes=2)
"""A listing that took longer to come says too little of now."""

SILENT = timedelta(minutes=10)
KEEP, KEEP_GONE = timedelta(days=7), timedelta(days=90)

PATIENCE = Patience()
_LEAD = "sweep"
_Seen = SeenMachine | SeenAddress | SeenDisk


@dataclass(frozen=True)
class Look:
    """A look at everything that was begun: by whom and when."""

    holder: str
    at: datetime


@dataclass(frozen=True)
class _Sight:
    """One thing that is nobody's, as this sweep sees it."""

    find: CloudFind
    judgement: Judgement
    born: datetime | None


_AGES = {
    FindKind.MACHINE: "machine",
    FindKind.ADDRESS: "address",
    FindKind.DISK: "disk",
}


def begin(holder: str, now: datetime) -> Look | None:
    """Take the lead; ``None`` while another sweep is under way."""
    if not leadership.take(_LEAD, holder, now, LEASE):
        return None
    return Look(holder, clock.database_now(now))


def conclude(
    look: Look, survey: Survey, now: datetime, patience: Patience = PATIENCE
) -> SweepRun | None:
    """Write down what was seen, and what follows; ``None`` if a later sweep has concluded."""
    if not leadership.take(_LEAD, look.holder, now, LEASE):
        return None
    last = db.session.scalar(select(SweepRun).order_by(SweepRun.at.desc()).limit(1))
    leadership.resign(_LEAD, look.holder)
    if last is not None and last.at > look.at:
        return None
    now = clock.database_now(now)
    late = now - look.at > STALE
    run = SweepRun(
        at=now,
        complete=survey.complete and not late,
        machines=len(survey.machines),
        addresses=len(survey.addresses),
        disks=len(survey.disks),
    )
    db.session.add(run)
    for fact in survey.regions:
        places.learn(fact, now)
    if not run.complete:
        run.refused = "the listing came too late" if late else "the listing is incomplete"
        run.detail = {"problem": survey.problem, "unreachable": list(survey.unreachable)}
        _ring_if_silent(run, now)
        return run
    clear_alarm("cloud silent", now)
    _settle(run, survey, now, patience)
    run.detail = {"absent": sweep_absences.conclude(survey, look.at, _before(last), now)}
    return run


def recent(limit: int = 20) -> list[SweepRun]:
    """The last sweeps, newest first."""
    return list(db.session.scalars(select(SweepRun).order_by(SweepRun.at.desc()).limit(limit)))


def forget(now: datetime) -> None:
    """Drop old sweeps, and finds that are long gone."""
    db.session.execute(delete(SweepRun).where(SweepRun.at < now - KEEP))
    db.session.execute(delete(CloudFind).where(CloudFind.gone_at < now - KEEP_GONE))


def _before(last: SweepRun | None) -> frozenset[str]:
    """Addresses that the sweep before this one missed, if it was complete."""
    return frozenset(last.detail.get("absent", ())) if last is not None else frozenset()


def _settle(run: SweepRun, survey: Survey, now: datetime, patience: Patience) -> None:
    """Note what is nobody's, and let go of what may go, or of nothing."""
    books = sweep_books.read([it.name for it in _all(survey)], now)
    sights = list(_sights(survey, books, now, patience))
    ripe = [it for it in sights if _is_ripe(it, patience)]
    going = [it.find for it in ripe if not (it.judgement.hold or it.judgement.busy)]
    for sight in ripe:
        if sight.judgement.hold:
            finds.hold(sight.find, sight.judgement.why)
    existing = run.machines + run.addresses + run.disks
    mistrust = sweep_rules.mistrust(survey, books)
    run.refused = mistrust or sweep_rules.too_many(len(going), finds.lately(now), existing)
    if run.refused:
        _refuse(run, going, now, stop=bool(mistrust))
    else:
        for find in going:
            finds.let_go(find, now)
    db.session.flush()
    _tell(run, now)


def _all(survey: Survey) -> Iterable[_Seen]:
    yield from survey.machines
    yield from survey.addresses
    yield from survey.disks


def _sights(survey: Survey, books: Books, now: datetime, patience: Patience) -> Iterable[_Sight]:
    """Each thing that is nobody's, its row brought up to date; what is not seen any more closed."""
    known = {(it.kind, it.name, it.region, it.zone): it for it in finds.standing()}
    for seen in _all(survey):
        kind, found = _judged(seen, books, now, patience)
        key = (kind, seen.name, seen.region, getattr(seen, "zone", ""))
        find = known.pop(key, None)
        if find is not None and found.whose is Whose.OURS:
            finds.close(find, "a row accounts for it", now)
        elif found.whose is Whose.NOBODY:
            yield _Sight(_sighted(find, key, seen, found, now), found, seen.created_at)
    for find in known.values():
        finds.close(find, "it is no longer there", now)


def _judged(
    seen: _Seen, books: Books, now: datetime, patience: Patience
) -> tuple[FindKind, Judgement]:
    if isinstance(seen, SeenMachine):
        return FindKind.MACHINE, sweep_rules.of_machine(seen, books, now, patience)
    if isinstance(seen, SeenAddress):
        return FindKind.ADDRESS, sweep_rules.of_address(seen, books, now, patience)
    return FindKind.DISK, sweep_rules.of_disk(seen, books, now, patience)


def _sighted(
    find: CloudFind | None,
    key: tuple[FindKind, str, str, str],
    seen: _Seen,
    found: Judgement,
    now: datetime,
) -> CloudFind:
    kind, name, region, zone = key
    if find is None:
        find = CloudFind(kind=kind, name=name, region=region, zone=zone, state=FindState.SEEN)
        find.first_seen, find.sightings, find.detail, find.attempt = now, 0, "", 0
        db.session.add(find)
    find.last_seen, find.why = now, found.why
    find.sightings += 1
    find.ip = getattr(seen, "ip", None)
    return find


def _is_ripe(sight: _Sight, patience: Patience) -> bool:
    find = sight.find
    if find.state is not FindState.SEEN:
        return False
    age = getattr(patience, _AGES[find.kind])
    return sweep_rules.ripe(find.first_seen, find.last_seen, find.sightings, sight.born, age)


def _refuse(run: SweepRun, going: list[CloudFind], now: datetime, *, stop: bool) -> None:
    """Hold everything back, also what earlier sweeps let go where the rows are not trusted."""
    under_way = [
        it
        for it in finds.standing()
        if stop and it.state is FindState.DELETING and it.decided_by is None and not it.operation
    ]
    for find in (*going, *under_way):
        finds.hold(find, run.refused)
    if going or under_way:
        audit.record(
            "fleet.sweep_refuse",
            by=TIMETABLE,
            now=now,
            target_id=run.id,
            target_label="sweep",
            changes=[Change("held", 0, len(going) + len(under_way))],
            reason=run.refused,
        )


def _tell(run: SweepRun, now: datetime) -> None:
    """Ring for what is nobody's, and for what a person has to decide."""
    there = [it for it in finds.standing() if it.state is not FindState.KEPT]
    held = [it for it in there if it.state is FindState.HELD]
    run.finds = len(there)
    sure = [it for it in there if it.state is not FindState.SEEN]
    if sure:
        names = ", ".join(f"{it.kind} {it.name}" for it in sure[:5])
        more = f" and {len(sure) - 5} more" if len(sure) > 5 else ""
        message = f"No row accounts for: {names}{more}."
        raise_alarm(AlarmKind.FOUND, "finds", message, now)
    else:
        clear_alarm("finds", now)
    if run.refused or held:
        why = run.refused or f"{len(held)} finds were held back"
        message = f"Nothing is deleted by itself: {why}. Keep or delete each by hand."
        raise_alarm(AlarmKind.SWEEP_REFUSED, "sweep", message, now)
    else:
        clear_alarm("sweep", now)


def _ring_if_silent(run: SweepRun, now: datetime) -> None:
    """One listing that fails is nothing; none for a while is."""
    heard = select(SweepRun.at).where(SweepRun.complete.is_(True)).order_by(SweepRun.at.desc())
    first = select(SweepRun.at).order_by(SweepRun.at)
    since = db.session.scalar(heard.limit(1)) or db.session.scalar(first.limit(1)) or now
    if now - since < SILENT:
        return
    said = run.detail["problem"] or f"no answer from {', '.join(run.detail['unreachable'])}"
    message = f"No complete listing since {since:%Y-%m-%d %H:%M} UTC: {said}"
    raise_alarm(AlarmKind.CLOUD_SILENT, "cloud silent", message, now)
