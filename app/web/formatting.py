"""How things are spelt: amounts, prices, moments, durations. Every template filter stands here."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import StrictUndefined
from markupsafe import Markup, escape

from app.domain import connection_keys, devices, schedule_text, statements, venues
from app.domain import schedule as schedules
from app.domain.lifecycle import Reading
from app.domain.overview import Totals
from app.domain.support import states
from app.web import amounts, charts, days, funnels, hearing, hypermedia
from runner.protocol import Verdict
from runner.strategy import COMPONENTS

MINUS, NONE, THIN = "\u2212", "\u2013", "\u202f"
NO_NUMBER = Markup('<span class="num none">{}</span>').format(NONE)
NO_MOMENT = Markup('<span class="none">{}</span>').format(NONE)


def init_app(app: Flask) -> None:
    """Give templates the filters and helpers."""
    app.jinja_env.filters.update(
        amount=amount,
        bps=bps,
        open_words=open_words,
        pnl=pnl,
        percent=percent,
        moment=moment,
        local=local,
        day=days.day,
        clock=clock,
        relative=relative,
        duration=duration,
        seconds=seconds,
        decimals=decimals,
        symbol=symbol,
        words=words,
        cure=connection_keys.cure,
        hearing=hearing.told,
        count=count,
        device=devices.name,
        dollars=statements.spelt,
        hourly=amounts.hourly,
        spell_hours=amounts.spell_hours,
        plainly=plainly,
        schedule_words=schedule_words,
        verdict=verdict,
        blocker=blocker,
    )
    app.jinja_env.globals.update(
        desk_state=states.DESK_LABELS.__getitem__,
        **funnels.GLOBALS,
        dom_id=hypermedia.dom_id,
        exchange=venues.known,
        sparkline=charts.sparkline,
        state_note=state_note,
        state_words=state_words,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def plain(value: Decimal | float, places: int, *, sign: bool = False) -> str:
    """A number with grouped thousands, fixed decimals, a true minus; never a minus zero."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    rounded = exact.quantize(_quantum(places), ROUND_HALF_EVEN)
    text = f"{abs(rounded):,.{places}f}"
    if rounded < 0:
        return MINUS + text
    return "+" + text if sign and rounded > 0 else text


def amount(value: Decimal | float | None, places: int = 2, unit: str = "") -> Markup:
    """An amount; ``data`` keeps the exact value. The unit belongs into the header of a column."""
    if value is None:
        return NO_NUMBER
    shown = _with_unit(plain(value, places), unit)
    return _safe(f'<data class="num" value="{_exact(value)}">{shown}</data>')


def pnl(value: Decimal | float | None, places: int = 2, unit: str = "") -> Markup:
    """A result: sign and tone, so that it never speaks by colour alone."""
    if value is None:
        return NO_NUMBER
    text = plain(value, places, sign=True)
    tone = "bad" if text.startswith(MINUS) else "good" if text.startswith("+") else "flat"
    shown, exact = _with_unit(text, unit), _exact(value)
    return _safe(f'<data class="num pnl pnl-{tone}" value="{exact}">{shown}</data>')


def bps(value: Decimal | float | None) -> Markup:
    """Hundredths of a percent, with a sign and no tone: whether more is better depends."""
    if value is None:
        return NO_NUMBER
    text = plain(value, 1, sign=True)
    return _safe(f'<data class="num" value="{_exact(value)}">{text}</data>')


def percent(value: Decimal | float | None, places: int = 2) -> Markup:
    """A share as a signed percentage; 0.01 reads +1.00 %."""
    if value is None:
        return NO_NUMBER
    return pnl(Decimal(str(value)) * 100, places, "%")


def decimals(values: Iterable[Decimal | None], least: int = 0, most: int = 8) -> int:
    """The decimals a column needs so that each of its values is shown exactly, within bounds."""
    needed = max((_decimals_of(value) for value in values if value is not None), default=0)
    return min(max(needed, least), most)


def moment(value: datetime | None, zone: str = "UTC", *, seconds: bool = False) -> Markup:
    """A point in time in words, in ``zone``; script rewrites it to the reader's own zone."""
    if value is None:
        return NO_MOMENT
    local = value.astimezone(ZoneInfo(zone))
    text = local.strftime("%d %b %Y %H:%M:%S" if seconds else "%d %b %Y %H:%M")
    suffix = " UTC" if zone == "UTC" else ""
    return _time(value, text.lstrip("0") + suffix, "full" if seconds else "long")


def local(value: datetime | None, zone: str) -> Markup:
    """A point in time in a zone that stays: where people compare notes, all read the same."""
    if value is None:
        return Markup('<span class="none">{}</span>').format(NONE)
    text = value.astimezone(ZoneInfo(zone)).strftime("%d %b %Y %H:%M:%S %Z").lstrip("0")
    title = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    shown = Markup('<time datetime="%s" title="%s">%s</time>')
    return shown % (value.astimezone(UTC).isoformat().replace("+00:00", "Z"), title, text)


def clock(value: datetime | None, zone: str = "UTC", *, seconds: bool = True) -> Markup:
    """Only the time of day, to the second or to the minute."""
    if value is None:
        return NO_MOMENT
    form, style = ("%H:%M:%S", "clock") if seconds else ("%H:%M", "hour")
    return _time(value, value.astimezone(ZoneInfo(zone)).strftime(form), style)


def relative(value: datetime | None, now: datetime) -> Markup:
    """How far a moment lies from now: "in 4 min", "12 s ago"."""
    if value is None:
        return NO_MOMENT
    gap = value - now
    if abs(gap) < timedelta(seconds=1):
        text = "now"
    else:
        text = f"in {duration(gap)}" if gap > timedelta(0) else f"{duration(-gap)} ago"
    return _time(value, text, "relative")


def duration(value: timedelta) -> str:
    """A length of time in its one or two largest units."""
    total = int(abs(value.total_seconds()))
    minutes, seconds = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {seconds} s" if seconds and minutes < 5 else f"{minutes} min"
    return f"{seconds} s"


def seconds(value: float) -> str:
    """A length of time in seconds; short ones with their tenths."""
    return f"{value:.1f} s" if value < 10 else duration(timedelta(seconds=value))


def until(value: datetime, now: datetime, zone: str) -> str:
    """When something near will be, as a person says it: ``15:42:10``, ``Mon 08:52``, ``2 Dec``."""
    local, today = value.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    if local.date() == today.date():
        return local.strftime("%H:%M:%S" if value - now < timedelta(minutes=10) else "%H:%M")
    if value - now < timedelta(days=6):
        return local.strftime("%a %H:%M")
    return local.strftime("%d %b").lstrip("0")


def state_words(reading: Reading, now: datetime, zone: str) -> str:
    """A bot's state as people say it: ``asleep (wakes Mon 08:52)``, in the zone of its schedule."""
    note = state_note(reading, now, zone)
    return f"{reading.label} ({note})" if note else reading.label


def state_note(reading: Reading, now: datetime, zone: str) -> str:
    """The half of ``state_words`` that stands in brackets, for narrow columns."""
    if reading.when is None:
        return reading.note
    if reading.when > now:
        return f"wakes {until(reading.when, now, zone)}"
    return f"last word {duration(now - reading.when)} ago"


def symbol(value: str) -> str:
    """A unified symbol as people say it: ``BTC/USDT:USDT`` is BTC/USDT."""
    return value.split(":", maxsplit=1)[0]


def words(value: Any) -> str:
    """An identifier as words: ``stop_loss`` is "stop loss"."""
    text = str(value)
    # A sentence is said already, and its numbers have points.
    return text if " " in text else text.replace("_", " ").replace(".", " ")


def open_words(total: Totals) -> str:
    """How many positions one mode holds; modes are never counted together without saying so."""
    return f"{total.open_positions} {total.mode}"


def schedule_words(stored: dict[str, Any]) -> str:
    """A bot's schedule in one line."""
    return schedule_text.describe(schedules.from_plain(stored))


def verdict(item: Verdict) -> str:
    """What a component concluded, in the words of its role."""
    return verdict_words(item.component, item.role, item.value)


def blocker(name: str) -> str:
    """What stood against an entry: a component, a limit, or a circumstance in its own words."""
    return words(name) if " " not in name else funnels.limit(name) or f"“{name}”"


def verdict_words(component: str, role: str, value: int | None) -> str:
    """The same of its parts."""
    if value is None:
        return "warming up"
    if role == "signal":
        return {1: "long", -1: "short"}.get(value, "quiet")
    if role == "exit":
        return "fired" if value else "quiet"
    spec = COMPONENTS.get(component)
    if spec is not None and spec.directional:  # it passes where this is the side asked for
        return {1: "only long", -1: "only short"}.get(value, "neither side")
    return "passes" if value else "blocks"


def plainly(value: Any) -> str:
    """A stored value as a person reads it."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: 1 bot, 2 bots."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _decimals_of(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _exact(value: Decimal | float) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


@lru_cache(maxsize=32)
def _quantum(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def _safe(html: str) -> Markup:
    """HTML made of digits, signs, and words that stand in this module: nothing to escape.

    A page holds thousands of these; Markup's own formatting would escape each part again.
    """
    return Markup(html)  # noqa: S704 -- see above


def _with_unit(text: str, unit: str) -> str:
    return f'{text} <span class="unit">{escape(unit)}</span>' if unit else text


def _time(value: datetime, text: str, style: str) -> Markup:
    stamp = value.astimezone(UTC)
    exact = stamp.isoformat().replace("+00:00", "Z")
    title = f"{exact[:10]} {exact[11:19]} UTC"
    return _safe(f'<time datetime="{exact}" data-time="{style}" title="{title}">{text}</time>')
