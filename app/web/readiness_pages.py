"""What the pages about a bot's readiness show: lines of the request page, and all behind them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app import current
from app.domain import first_position, judged, readiness, readiness_runs, records, stretches
from app.domain.going_live import Line, Standing
from app.models import Bot, ReadinessCheck
from app.web import backtest_pages
from app.web.formatting import decimals
from runner.protocol import Side, Verdict, from_plain

STEPS = backtest_pages.STEPS | {"parity": "Judging every candle again"}
SHOWN = 5
"""Differences that stand there with both verdicts."""
MEANINGS = {
    "slippage": (
        "Prices",
        "Fills at the same decision, worse or better than the backtest assumed.",
    ),
    "timing": ("Exits on another candle", "A stop or target that one of the two met earlier."),
    "fees": ("Fees", "Charged on paper less those of the backtest, for the same quantity."),
    "funding": (
        "Funding",
        "Paid or received on paper; this comparison loads none, so it may be all of a difference.",
    ),
    "size": ("Other sizes", "Quantities differ, as the equity they are sized by does."),
    "missing": ("Missing on paper", "Results of trades that only the backtest made."),
    "extra": ("Only on paper", "Results of trades that only paper made."),
}


def facts(bot: Bot) -> dict[str, Any]:
    """What the request page shows of it."""
    ready = readiness.of(bot, current.now())
    return {"readiness": [*readiness.lines(ready), _seen()], "check": ready.check}


def standing(bot: Bot) -> dict[str, Any]:
    """How far the newest check is."""
    check = readiness_runs.newest(bot)
    return {
        "bot": bot,
        "check": check,
        "words": backtest_pages.WORDS,
        "steps": STEPS,
        "settled": check is None or check.over,
        "now": current.now(),
    }


def told(bot: Bot) -> dict[str, Any]:
    """All that the page of its own shows."""
    now = current.now()
    ready = readiness.of(bot, now)
    done = ready.done
    lines = {line.name: line for line in readiness.lines(ready)}
    return standing(bot) | {
        "ready": ready,
        "lines": lines,
        "done": done,
        "differences": _differences(bot, done) if done else [],
        "places": _places(bot),
        "parts": _parts(done) if done else [],
        "rows": [_row(it) for it in (done.drift or {}).get("rows", ())] if done else [],
        "bounds": readiness,
    }


def _seen() -> Line:
    """Of whoever looks at the page."""
    title, at = "You have seen a position", first_position.has_seen(current.user())
    if at is not None:
        found = f"You followed a paper position from entry to result on {at:%Y-%m-%d}."
        return Line("seen", title, Standing.GOOD, found)
    found = "You have not followed a paper position from entry to result yet."
    cure = "Open the bot while it trades on paper: the guide on its page leads through one."
    return Line("seen", title, Standing.MISSING, found, cure)


def _differences(bot: Bot, done: ReadinessCheck) -> list[dict[str, Any]]:
    """The first candles on which the two differ, with what each of them said."""
    ids = [run.id for run in stretches.runs_of(bot)[1]]
    found = []
    for one in (done.parity or {})["differences"][:SHOWN]:
        at = datetime.fromtimestamp(one["at"], UTC)
        row = judged.at(bot, ids, one["symbol"], at)
        later = at + stretches.span_of(done.version.rules)
        said = [from_plain(Verdict, verdict) for verdict in one["verdicts"]]
        told = {"at": at, "bot": row, "before": later.isoformat(), "verdicts": said}
        found.append({**one, **told})
    return found


def _parts(done: ReadinessCheck) -> list[tuple[str, str, Decimal]]:
    """Name, meaning and amount of each part of the drift."""
    parts = readiness.parts_of(done.drift or {})
    return [(*MEANINGS[name], amount) for name, amount in parts.items()]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    numbers = ("paper", "backtest", "entry_bps", "exit_bps", "fees", "funding")
    found = {name: None if row[name] is None else Decimal(row[name]) for name in numbers}
    return {**row, **found, "at": datetime.fromisoformat(row["at"]), "side": Side(row["side"])}


def _places(bot: Bot) -> int:
    return decimals(records.closes(bot, 20), least=2)
