"""Certifications made here: asked for on a connection's page, carried out by a worker's process.

The process fetches the key from the gate (``door``); what it saw is signed with this installation's
own key. It stands for everybody to read as soon as it says anything of the exchange.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.domain import audit, bot_rules, connections, long_runs, outbox
from app.domain.audit import Actor
from app.domain.certification import reports, testers
from app.domain.errors import Invalid, Refused
from app.domain.machines import token_digest
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome, fault_of
from app.gateways.locker import Locked, Locker
from app.models import (
    BacktestState,
    CertificationRun,
    Connection,
    Environment,
    User,
    Workspace,
)
from app.models.backtest import WAITING
from runner.certify import envelope
from runner.protocol import Mode

QUEUE, JOB = "backtests", "run_certification"
MOST_A_DAY = 20
LISTED = 20
SPEAKS = ("key", "balance")
"""Steps about the account; without them a report says more of the account than of the exchange."""
PLATFORM = Actor("certification", "certification", source="worker")


@dataclass(frozen=True)
class Errand:
    """One that this worker holds; ``token`` lets its process fetch the key, once."""

    run_id: str
    holder: str
    token: str

    @property
    def claim(self) -> dict[str, str]:
        """What the process shows at the gate."""
        return {"run": self.run_id, "token": self.token}


def check(connection: Connection) -> None:
    """Whether it can be certified. Raises ``Refused``."""
    if connection.environment is not Environment.TESTNET:
        raise Refused(
            "A certification sends orders, and never with real money. Use a testnet connection."
        )
    if connection.inactive_at is not None:
        raise Refused(f"{connection.label} is switched off. Switch it on first.")
    venue = bot_rules.venue_of(connection)
    if Mode.TESTNET not in venue.modes or not venue.symbols:
        raise Refused(f"{venue.title} has no test environment.")
    connections.require_idle(connection)


def request(
    connection: Connection, *, symbol: str, author: User | None, by: Actor, now: datetime
) -> CertificationRun:
    """Queue one.

    Raises:
        Refused: real money, a key that is off or that a bot trades with, or too many.
        Invalid: the exchange does not trade the symbol.
    """
    workspace = connections.hold(connection)
    check(connection)
    if symbol not in bot_rules.venue_of(connection).symbols:
        raise Invalid("Choose one of the symbols.", "symbol")
    _make_room(workspace, connection, now)
    made = CertificationRun(
        workspace_id=workspace.id,
        connection_id=connection.id,
        symbol=symbol,
        state=BacktestState.QUEUED,
        heard_at=now,
        created_by=author.id if author else None,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    _queue(made, now)
    _record("connection.certify", made, by, now)
    return made


def cancel(run: CertificationRun, *, by: Actor, now: datetime) -> None:
    """End it; its process cleans up first. Twice is once, and what is over stays as it is."""
    if long_runs.cancel(run, now):
        run.token_hash = ""
        _record("connection.certify_cancel", run, by, now)


def find(workspace: Workspace, run_id: str) -> CertificationRun | None:
    """One of this workspace."""
    query = select(CertificationRun).where(
        CertificationRun.workspace_id == workspace.id, CertificationRun.id == run_id
    )
    found: CertificationRun | None = db.session.scalar(query)
    return found


def of(connection: Connection) -> list[CertificationRun]:
    """The latest of a connection."""
    query = select(CertificationRun).where(
        CertificationRun.workspace_id == connection.workspace_id,
        CertificationRun.connection_id == connection.id,
    )
    query = query.order_by(CertificationRun.created_at.desc(), CertificationRun.id)
    return list(db.session.scalars(query.limit(LISTED)))


# -- at work ---------------------------------------------------------------------------------------


def begin(run_id: str, now: datetime) -> Errand | None:
    """Take one that waits; ``None`` if there is nothing to take."""
    holder = long_runs.take(CertificationRun, run_id, now)
    if holder is None:
        return None
    found = db.session.get_one(CertificationRun, run_id, populate_existing=True)
    token = secrets.token_urlsafe(32)
    found.token_hash, found.lines = token_digest(token), []
    return Errand(run_id, holder, token)


def beat(errand: Errand, lines: list[dict[str, Any]], of: int, now: datetime) -> bool:
    """Note the steps taken so far; whether it is still wanted, and still held."""
    step = lines[-1]["title"] if lines else "starting"
    progress = (str(step), len(lines), of)
    return long_runs.beat(
        CertificationRun, errand.run_id, errand.holder, progress, now, lines=lines
    )


def finish(errand: Errand, outcome: Outcome, *, name: str, locker: Locker, now: datetime) -> bool:
    """Sign what was seen and write it down; ``False`` if somebody else holds it by now.

    ``name``: the installation's, for its own key.
    """
    values: dict[str, Any] = {"log": outcome.log, "token_hash": ""}
    if outcome.end is End.DONE:
        values |= _signed(json.loads(outcome.answer)["report"], name, locker, now)
        if outcome.fault:
            values |= {"state": BacktestState.FAILED, "fault": dict(outcome.fault)}
    else:
        cancelled = outcome.end is End.CANCELLED
        values["state"] = BacktestState.CANCELLED if cancelled else BacktestState.FAILED
        values["fault"] = dict(outcome.fault) or None
    return long_runs.finish(CertificationRun, errand.run_id, errand.holder, values, now)


def sweep(now: datetime, limit: int = 200) -> int:
    """See to those nobody was heard of for a minute; returns how many. For the timetable."""
    return long_runs.sweep(CertificationRun, _queue, now, limit)


# -- inside ----------------------------------------------------------------------------------------


def _signed(report: dict[str, Any], name: str, locker: Locker, now: datetime) -> dict[str, Any]:
    """The columns of one that has a report, which is made public if it speaks of the exchange."""
    state = BacktestState.CANCELLED if report["stopped"] else BacktestState.DONE
    try:
        _tester, key = testers.own(name, locker=locker, by=PLATFORM, now=now)
    except Locked:
        fault = fault_of("certification", "", testers.LOCKED)
        return {"state": BacktestState.FAILED, "lines": report["steps"], "fault": fault}
    content = envelope.canonical(envelope.signed(report, key))
    found: dict[str, Any] = {"state": state, "lines": report["steps"], "report": content}
    if _speaks(report):
        try:
            kept, _new = reports.accept(content, author=None, by=PLATFORM, now=now)
            found["certification_id"] = kept.id
        except Invalid as error:
            found["fault"] = fault_of("certification", "", f"it is not made public: {error}")
    return found


def _speaks(report: dict[str, Any]) -> bool:
    good = {line["step"] for line in report["steps"] if line["verdict"] == "passed"}
    return not report["stopped"] and good.issuperset(SPEAKS)


def _make_room(workspace: Workspace, connection: Connection, now: datetime) -> None:
    """One of a connection at a time, and not too many a day. Raises ``Refused``."""
    mine = select(func.count()).where(CertificationRun.workspace_id == workspace.id)
    same = CertificationRun.connection_id == connection.id
    if db.session.scalar(mine.where(same, CertificationRun.state.in_(WAITING))):
        raise Refused("It is being certified already; wait for that, or end it.")
    lately = mine.where(CertificationRun.created_at > now - timedelta(days=1))
    if (db.session.scalar(lately) or 0) >= MOST_A_DAY:
        raise Refused(f"{MOST_A_DAY} were started in a day; go on tomorrow.")


def _queue(run: CertificationRun, now: datetime) -> None:
    outbox.put(QUEUE, JOB, now=now, workspace_id=run.workspace_id, run_id=run.id)


def _record(action: str, run: CertificationRun, by: Actor, now: datetime) -> None:
    told = {"run": run.id, "symbol": run.symbol}
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=run.workspace_id,
        target_id=run.connection_id,
        target_label=run.connection.label,
        changes=audit.changes_between({}, told),
    )
