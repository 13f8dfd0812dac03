"""What an older runner's words say about its conclusion, for it told no code."""

from dataclasses import replace

from app.domain.decisions.judged import Judged
from runner.metrics.funnel import Reason, plain
from runner.protocol import Verdict

_SIDES = {"enter_long": 1, "enter_short": -1}
_BEGINNINGS = (
    ("this candle's numbers cannot be true", Reason.NOT_TRUE),
    ("candles before this one are missing or wrong", Reason.BROKEN),
    ("signals are warming up", Reason.WARMING_UP),
    ("no exit fired", Reason.HOLDS),
)
_MISSING = "candles are missing before this one"
_OTHER_SIDE = "the strategy only trades "
_CONDITIONS = ("filter", "guard", "gate")


def understood(row: Judged) -> Judged:
    """The same with code, side and blocker, as far as its words tell."""
    if row.action == "exit":
        return replace(row, code=Reason.LEAVES)
    if row.action in _SIDES:
        return replace(row, code=Reason.ENTERS, direction=_SIDES[row.action])
    for words, code in _BEGINNINGS:
        if row.reason.startswith(words):
            return replace(row, code=code)
    if _MISSING in row.reason:
        return replace(row, code=Reason.GAP)
    return _stopped(row)


def _stopped(row: Judged) -> Judged:
    """A candle without an entry, by what its words say stood against one."""
    _, against, why = row.reason.partition(", but ")
    if not against:
        return replace(row, code=Reason.NO_SIGNAL)
    if why.startswith(_OTHER_SIDE):
        return replace(row, code=Reason.OTHER_SIDE)
    for place, verdict in enumerate(row.verdicts):
        if _blocks(verdict, why):
            return replace(row, code=Reason.FILTERED, blocker=place)
    return replace(row, code=Reason.BLOCKED, blocked=plain(why))


def _blocks(verdict: Verdict, why: str) -> bool:
    """Reasons were cut at 300 characters."""
    whole = f"{verdict.component} blocks: {verdict.detail}"
    return verdict.role in _CONDITIONS and bool(why) and whole.startswith(why)
