"""What a bot is beside its backtest, and how much of its result is luck: lines of the request page.

Nothing of it keeps a bot from going live; ``MISSING`` is what nobody has looked at yet.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.domain import judged, odds, readiness_runs, stretches
from app.domain.evidence import ENOUGH_TRADES
from app.domain.going_live import Line, Standing
from app.domain.odds import Odds, Tries
from app.models import Bot, ReadinessCheck
from runner.protocol import Mode

ENOUGH_CANDLES = 100
"""Fewer that are equal say little."""
FRESH_FOR = timedelta(hours=24)
"""After this a check is old, once more candles were judged."""
LEAST_MATCHED = Decimal(90)
"""Percent of all entries that both have to make."""
MOST_BPS = Decimal(10)
"""By so much worse fills may be on average, in hundredths of a percent."""
MOST_DRIFT = Decimal(1)
"""Percent of the balance that paper may earn more or less."""

CHECK = "Compare it with a backtest below."
# Of each part, where paper earned less by it and where it earned more.
NAMES = {
    "slippage": ("worse prices", "better prices"),
    "timing": ("exits on another candle",) * 2,
    "fees": ("fees",) * 2,
    "funding": ("funding",) * 2,
    "size": ("other sizes",) * 2,
    "missing": ("trades that it missed",) * 2,
    "extra": ("trades that only it made",) * 2,
}


@dataclass(frozen=True)
class Ready:
    """All there is to say. ``check``: the newest one, however it stands; ``done``: with answer.

    ``hindrance``: why there can be none. ``reset_at``: when the paper balance was reset, if the
    answer is of runs since then alone.
    """

    check: ReadinessCheck | None
    done: ReadinessCheck | None
    stale: str
    odds: Odds
    tries: Tries
    currency: str
    hindrance: str = ""
    reset_at: datetime | None = None
    mode: Mode = Mode.PAPER


def of(bot: Bot, now: datetime) -> Ready:
    """As it stands now, read from rows alone."""
    done = readiness_runs.newest_done(bot)
    runs = stretches.tried(bot)
    return Ready(
        check=readiness_runs.newest(bot),
        done=done,
        stale="" if done is None else _stale(bot, done, now),
        odds=odds.of(odds.results_of([run.id for run in runs])),
        tries=odds.tries_of(bot),
        currency=stretches.quote_of(bot),
        hindrance=stretches.hindrance(bot.version.rules),
        reset_at=None if done is None else _reset_at(bot, done),
        mode=runs[0].mode if runs else Mode.PAPER,
    )


def lines(ready: Ready) -> list[Line]:
    """As they are read before going live."""
    return [_parity(ready), _drift(ready), _luck(ready), _tries(ready)]


def _stale(bot: Bot, done: ReadinessCheck, now: datetime) -> str:
    """Why an answer is not of what the bot is now; empty where it is."""
    if done.strategy_version_id != bot.strategy_version_id:
        return f"It was made for {done.version.label}, and the bot has {bot.version.label}."
    if done.symbols != bot.symbols:
        return f"It was made for {', '.join(done.symbols)}."
    reset = bot.paper_reset_at
    if reset is not None and done.mode is Mode.PAPER and _reset_at(bot, done) is None:
        return f"Its paper balance was reset afterwards, on {reset:%Y-%m-%d %H:%M} UTC."
    assert done.ended_at is not None
    assert done.until is not None
    ids = [run.id for run in stretches.runs_of(bot)[1]]
    last = done.until - stretches.span_of(bot.version.rules)
    if now - done.ended_at > FRESH_FOR and judged.is_newer(bot, ids, last):
        return f"It is of {done.ended_at:%Y-%m-%d}, and candles were judged since."
    return ""


def _reset_at(bot: Bot, done: ReadinessCheck) -> datetime | None:
    """The reset before which nothing is in an answer; ``None`` for an answer from before it."""
    reset = bot.paper_reset_at
    known = reset is not None and done.mode is Mode.PAPER and done.created_at >= reset
    return reset if known else None


def _parity(ready: Ready) -> Line:
    title = "Same decisions as in backtest"
    if ready.done is None:
        return _not_yet("parity", title, ready)
    told: dict[str, Any] = ready.done.parity or {}
    found = parity_words(told)
    good = not told["differing"] and told["compared"] >= ENOUGH_CANDLES
    if told["differing"]:
        cure = "Look at the first of them: both verdicts stand side by side."
    elif good:
        cure = ""
    else:
        cure = f"Fewer than {ENOUGH_CANDLES} say little; let it run longer."
    return _aged(Line("parity", title, _if(good), found, cure), ready)


def parity_words(told: dict[str, Any]) -> str:
    """How many of how many are equal."""
    found = f"Of {told['compared']:,} candles {told['equal']:,} are equal"
    if told["differing"]:
        first = told["differences"][0]
        at = datetime.fromtimestamp(first["at"], UTC)
        found += f"; the first that differs is {first['symbol']} of {at:%Y-%m-%d %H:%M:%S} UTC"
    found += "."
    if told["held_back"]:
        held = _some(told["held_back"], "wanted entry", "wanted entries")
        found += f" {held} held back by limits, sessions or pauses, as a backtest cannot know."
    return found


def _drift(ready: Ready) -> Line:
    title = "Paper against backtest"
    if ready.done is None:
        return _not_yet("drift", title, ready)
    told: dict[str, Any] = ready.done.drift or {}
    worries = drift_worries(told)
    found = drift_words(told, ready.done.mode)
    if ready.reset_at is not None:
        found += f" Since its paper balance was reset, {ready.reset_at:%Y-%m-%d %H:%M} UTC."
    line = Line("drift", title, _if(not worries), found, " ".join(worries))
    return _aged(line, ready)


def drift_words(told: dict[str, Any], mode: Mode = Mode.PAPER) -> str:
    """What it earned in ``mode`` beside the same candles in backtest, and what most of that is."""
    if not told["matched"] + told["missing"] + told["extra"]:
        return "Neither closed a trade."
    difference = drift_of(told)
    percent = 100 * difference / Decimal(told["balance"])
    sample = _some(told["matched"], "matched trade", "matched trades")
    if told["missing"] or told["extra"]:
        sample += f", {told['missing']} missing, {told['extra']} extra"
    if not difference:
        return (
            f"{mode.capitalize()} earned exactly what the same candles earn in backtest ({sample})."
        )
    much = f"{abs(percent):.2f} %" if abs(percent) >= Decimal("0.01") else "less than 0.01 %"
    side = "more" if difference > 0 else "less"
    found = (
        f"{mode.capitalize()} earned {much} of its balance {side} than the same candles in backtest"
    )
    part, share = largest_part(told)
    name = NAMES[part][difference > 0]
    what = f"; {share:.0f} % of it is {name}" if share <= 100 else f"; mostly {name}"
    return f"{found} ({sample}){what}."


def drift_of(told: dict[str, Any]) -> Decimal:
    """Paper less backtest, in quote currency."""
    return Decimal(told["paper_net"]) - Decimal(told["backtest_net"])


def parts_of(told: dict[str, Any]) -> dict[str, Decimal]:
    """What the difference is made of, entries and exits at the same candle together."""
    parts = {name: Decimal(value) for name, value in told["parts"].items()}
    prices = parts.pop("entry") + parts.pop("exit")
    return {"slippage": prices, **parts}


def largest_part(told: dict[str, Any]) -> tuple[str, Decimal]:
    """The part that makes most of the difference, and its percentage of it."""
    difference = drift_of(told)
    sign = 1 if difference > 0 else -1
    name, amount = max(parts_of(told).items(), key=lambda it: it[1] * sign)
    return name, 100 * amount / difference


def drift_worries(told: dict[str, Any]) -> list[str]:
    """Which of the declared bounds it passes, each as a sentence."""
    found, entries = [], told["matched"] + told["missing"] + told["extra"]
    if told["matched"] < ENOUGH_TRADES:
        found.append(f"Fewer than {ENOUGH_TRADES} matched trades say little.")
    if entries and 100 * told["matched"] < LEAST_MATCHED * entries:
        found.append(f"Less than {LEAST_MATCHED} % of all entries were made by both.")
    for name, words in (("entry_bps", "entries"), ("exit_bps", "exits")):
        worse = Decimal(told[name] or 0)
        if worse > MOST_BPS:
            found.append(f"Its {words} are {worse:.1f} bp worse on average, over {MOST_BPS} bp.")
    percent = 100 * drift_of(told) / Decimal(told["balance"])
    if abs(percent) > MOST_DRIFT:
        found.append(f"That is more than {MOST_DRIFT} % of the balance.")
    return found


def _luck(ready: Ready) -> Line:
    title, it = "Luck or profit", ready.odds
    found = odds.in_words(it, ready.currency)
    if it.count and ready.mode is Mode.TESTNET:
        found = f"On testnet, where results show plumbing and not performance: {found}"
        cure = "Let it trade on paper first."
        return Line("luck", title, Standing.THINK, found, cure)
    if not it.count:
        cure = "Let it trade on paper first."
        return Line("luck", title, Standing.MISSING, found, cure)
    good = it.is_sure and it.count >= ENOUGH_TRADES
    cure = "" if good else "More trades tell more."
    if it.means is not None and it.means[1] < 0:
        cure = "Change it before real money pays for that."
    return Line("luck", title, _if(good), found, cure)


def _tries(ready: Ready) -> Line:
    title, it = "Things tried", ready.tries
    found = (
        f"{_some(it.versions, 'version', 'versions')} and "
        f"{_some(it.results, 'result', 'results')} of backtests of this strategy are kept, "
        "each combination of a sweep counted."
    )
    if it.count == 1:
        return Line("tries", title, Standing.GOOD, f"{found} Nothing was picked out of many.")
    found += (
        f" Of {it.count} tries without any edge, one looks sure by luck alone with a chance of "
        f"{100 * it.luck:.0f} %."
    )
    strict = ready.odds.means_at(it.confidence)
    if strict is not None and strict[0] > 0:
        found += " Judged by that, too, the mean trade still earns something."
        return Line("tries", title, Standing.GOOD, found)
    cure = "Trust what it earned after the last change, and not what was chosen for looking best."
    return Line("tries", title, Standing.THINK, found, cure)


def _not_yet(name: str, title: str, ready: Ready) -> Line:
    check = ready.check
    if check is not None and not check.over:
        return Line(name, title, Standing.MISSING, "It is being compared.", "Wait for it.")
    if check is not None and check.fault:
        found = f"The last comparison failed: {check.fault['message']}."
        return Line(name, title, Standing.MISSING, found, "Try it again below.")
    if ready.hindrance:
        return Line(name, title, Standing.THINK, f"It cannot be compared. {ready.hindrance}")
    return Line(name, title, Standing.MISSING, "Not compared yet.", CHECK)


def _aged(line: Line, ready: Ready) -> Line:
    """An old answer is no good one, and says that it is old."""
    if not ready.stale:
        return line
    cure = f"{ready.stale} Compare it again."
    return Line(line.name, line.title, Standing.THINK, line.found, cure)


def _some(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _if(good: bool) -> Standing:
    return Standing.GOOD if good else Standing.THINK
