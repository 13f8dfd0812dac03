"""Previews of rules that are being written: bounded, cached, and the newest wins.

A preview is the runner's own backtest of the last thirty days, in short. It changes nothing and
is no backtest of anybody: it stands in no list, has no event, and is dropped after a day.
"""

import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from app.domain import outbox
from app.domain.errors import Invalid, Refused
from app.domain.venues import VENUES
from app.extensions import db
from app.models import Preview, PreviewState, User, Workspace
from runner.strategy import TIMEFRAMES

QUEUE, JOB = "previews", "run_preview"
DAYS = 30
MOST_CANDLES = 45_000
"""Of one-minute candles all thirty days; of one-second candles half a day."""
STEP = 3600
"""Seconds between two ends: within an hour the same rules are the same preview."""
MOST_WAITING = 3
"""Of one workspace, queued and running."""
MOST_KEPT = 60
KEPT = timedelta(days=1)
SILENT = timedelta(seconds=20)
"""After so long without a word a worker has lost it, or there is none."""
BALANCE = 10_000
_WAITING = (PreviewState.QUEUED, PreviewState.RUNNING)


def plan(rules: dict[str, Any], exchange: str, symbol: str, now: datetime) -> dict[str, Any]:
    """The request for rules that are valid. Raises ``Invalid`` naming the field."""
    venue = VENUES.get(exchange)
    if venue is None:
        raise Invalid("Choose one of the exchanges.", "exchange")
    if symbol not in venue.symbols:
        raise Invalid(f"Choose a symbol that {venue.title} trades.", "symbol")
    if rules["market_type"] != "linear":
        raise Invalid("Only strategies for linear markets can be previewed so far.", "exchange")
    if fault := venue.frame_fault(rules["timeframe"]):
        raise Invalid(fault, "exchange")
    span = TIMEFRAMES[rules["timeframe"]]
    step = max(span, STEP)
    until = int(now.timestamp()) // step * step
    since = until - min(DAYS * 86_400, MOST_CANDLES * span)
    return {
        "mode": "preview",
        "rules": rules,
        "exchange": exchange,
        "symbols": [symbol],
        "since": datetime.fromtimestamp(since, UTC).isoformat(),
        "until": datetime.fromtimestamp(until, UTC).isoformat(),
        "balance": str(BALANCE),
        "quote": venue.quote,
    }


def request(
    workspace: Workspace, asked: dict[str, Any], *, person: User, now: datetime, again: bool = False
) -> Preview:
    """The preview of a plan: the one there is, else a new one in the queue.

    What the same person waited for till now is dropped, and ended if it runs: the newest wins.

    Args:
        workspace: whose it is.
        asked: what ``plan`` gave.
        person: who looks at it.
        now: the moment, UTC.
        again: one that failed, or that nobody was heard of, is asked for once more.

    Raises:
        Refused: too many of the workspace wait.
    """
    # Two requests of one workspace at the same moment count each other.
    db.session.execute(select(Workspace.id).where(Workspace.id == workspace.id).with_for_update())
    mine, digest = Preview.workspace_id == workspace.id, digest_of(asked)
    found = known(workspace, asked)
    superseded = delete(Preview).where(
        mine,
        Preview.asked_by == person.id,
        Preview.state.in_(_WAITING),
        Preview.digest != digest,
    )
    db.session.execute(superseded)
    if found is not None:
        if again and (found.state is PreviewState.FAILED or stalled(found, now)):
            _queue(found, now)
        return found
    waiting = select(func.count()).where(mine, Preview.state.in_(_WAITING))
    if (db.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise Refused(
            f"{MOST_WAITING} previews of this workspace are being worked out. Wait a moment, then "
            "press Update preview."
        )
    made = Preview(workspace_id=workspace.id, digest=digest, asked=asked, asked_by=person.id)
    made.asked_at = now
    db.session.add(made)
    _queue(made, now)
    _drop_oldest(workspace)
    return made


def find(workspace: Workspace, preview_id: str) -> Preview | None:
    """One preview of this workspace."""
    query = select(Preview).where(Preview.workspace_id == workspace.id, Preview.id == preview_id)
    return db.session.scalar(query)


def known(workspace: Workspace, asked: dict[str, Any]) -> Preview | None:
    """The preview of a plan if there is one; nothing is begun."""
    digest = digest_of(asked)
    query = select(Preview).where(Preview.workspace_id == workspace.id, Preview.digest == digest)
    return db.session.scalar(query)


def told(preview: Preview) -> dict[str, Any] | None:
    """What the runner said; ``None`` where it said nothing yet."""
    if preview.answer is None:
        return None
    found: dict[str, Any] = json.loads(zlib.decompress(preview.answer))["preview"]
    return found


def stalled(preview: Preview, now: datetime) -> bool:
    """Whether nobody was heard of for long: the worker is away, or there is none."""
    return not preview.over and preview.heard_at <= now - SILENT


def forget(now: datetime) -> None:
    """Drop what was asked for a day ago. For the timetable."""
    db.session.execute(delete(Preview).where(Preview.asked_at < now - KEPT))


def digest_of(asked: dict[str, Any]) -> str:
    """The same for the same request, however its keys are ordered."""
    told_ = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told_.encode()).hexdigest()


def _queue(preview: Preview, now: datetime) -> None:
    preview.state, preview.holder, preview.step = PreviewState.QUEUED, "", ""
    preview.fault, preview.heard_at = None, now
    db.session.flush()
    outbox.put(QUEUE, JOB, now=now, workspace_id=preview.workspace_id, preview_id=preview.id)


def _drop_oldest(workspace: Workspace) -> None:
    """Those beyond what is kept, the oldest first."""
    old = (
        select(Preview.id)
        .where(Preview.workspace_id == workspace.id)
        .order_by(Preview.asked_at.desc(), Preview.id)
        .offset(MOST_KEPT)
    )
    ids = list(db.session.scalars(old))
    if ids:
        db.session.execute(delete(Preview).where(Preview.id.in_(ids)))
