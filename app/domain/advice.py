"""What sleeping saves one bot, and from which pause on: by the price book, in sentences. Pure.

An address that no machine uses costs more than one in use, so sleep is not free; and a machine
stays a while after each session and comes a while before the next one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from app.domain import schedule as schedules
from app.domain import statement_lines
from app.domain.lifecycle import Tempo
from app.domain.price_book import Book
from app.domain.schedule import Schedule
from app.domain.statement_lines import USUAL, Price
from app.domain.terms import Terms
from app.models.billing import IdlePayer
from runner.protocol import Window

WEEK = timedelta(days=7)
MONTH_HOURS = 730
CENT = 10_000
"""In millionths of a dollar."""


@dataclass(frozen=True)
class Rates:
    """The hour of a bot in one region: as the workspace pays it, and by the book alone."""

    region: str
    own: Price
    book: Price
    terms: Terms

    @property
    def known(self) -> bool:
        """Whether the book has prices for the region."""
        return self.own.awake is not None

    @property
    def free(self) -> bool:
        """Whether nothing costs anything there, as on one's own host."""
        return not (self.book.awake or self.book.idle)

    @property
    def saves(self) -> int:
        """What an hour asleep saves the workspace, in 10^-12 dollars; may be below zero."""
        return (self.own.awake or 0) - (self.own.idle or 0)

    @property
    def saves_all(self) -> int:
        """The same with the address counted, whoever pays it, at the book's price."""
        return (self.book.awake or 0) - (self.book.idle or 0)


def rates(book: Book, terms: Terms, region: str, now: datetime) -> Rates:
    """What holds in a region now."""
    own = statement_lines.pricing(book, terms.markup_percent, terms.idle_payer)
    bare = statement_lines.pricing(book, Decimal(0), IdlePayer.WORKSPACE)
    return Rates(region, own(region, USUAL, now), bare(region, USUAL, now), terms)


def address_sentence(it: Rates) -> str:
    """What the address of a sleeping bot costs, and who pays."""
    if not it.known:
        return f"The price book has no price for {it.region}: what is used there is not charged."
    if it.free:
        return "By the price book a machine and its address cost nothing here, asleep or awake."
    operator = it.terms.idle_payer is IdlePayer.OPERATOR
    rate = (it.book if operator else it.own).idle or 0
    costs = (
        f"While it sleeps, its reserved address costs {_hour(rate)} "
        f"({_usd(statement_lines.cost(rate, MONTH_HOURS * 3_600_000_000))} a month): "
    )
    who = "the operator pays that, so sleep costs you nothing."
    return costs + (who if operator else "this workspace pays that.")


def break_even(it: Rates, tempo: Tempo) -> timedelta | None:
    """The pause from which on sleeping saves anybody money; ``None`` if none does."""
    return tempo.wake_lead + tempo.flat_for if it.saves_all > 0 else None


def worth_a_cent(it: Rates, tempo: Tempo) -> timedelta | None:
    """The pause that saves a whole cent, all counted; ``None`` if none does."""
    least = break_even(it, tempo)
    if least is None:
        return None
    return least + timedelta(hours=CENT * 10**6 / it.saves_all)


def sentences(plan: Schedule, it: Rates, tempo: Tempo, now: datetime) -> list[str]:
    """What is worth knowing of a schedule's cost."""
    if not it.known or it.free:
        return [address_sentence(it)]
    said = [_week(plan, it, tempo, now), address_sentence(it)]
    least, cent = break_even(it, tempo), worth_a_cent(it, tempo)
    if least is None or cent is None:
        return [
            *said,
            (
                f"In {it.region} an idle address costs as much as a bot that is awake, or more: "
                "sleeping saves nothing, whoever pays."
            ),
        ]
    said.append(
        f"A pause of {_long(least)} or less costs more than it saves: for so long its machine is "
        f"paid after a session and before the next one. Each hour beyond saves {_usd_rate(it)}; "
        f"a cent takes {_long(cent)}."
    )
    short = _short_sleep(plan, tempo, cent, now)
    if short is not None:
        said.append(
            f"Its shortest sleep, {_long(short)}, saves less than a cent. Set the shortest sleep "
            f"to {_long(cent)} or more, and its machine stays instead of coming late one day."
        )
    return said


def awake_for(
    plan: Schedule, tempo: Tempo, start: datetime, end: datetime, **wished: datetime | None
) -> timedelta:
    """How long a machine is wanted between two moments; what the day's wishes say counts."""
    found = _windows(plan, tempo, start, end, **wished)
    return sum((max(w.closes - w.opens, timedelta(0)) for w in found), timedelta(0))


def _windows(
    plan: Schedule, tempo: Tempo, start: datetime, end: datetime, **wished: datetime | None
) -> list[Window]:
    """With the lead before and the wait for flat after, cut to the period."""
    found = schedules.wished(
        plan,
        start,
        end,
        keep_awake_until=wished.get("keep_awake_until"),
        asleep_until=wished.get("asleep_until"),
        min_gap=plan.gap(tempo.sleep_min_gap) + tempo.wake_lead,
    )
    wide = [Window(w.opens - tempo.wake_lead, w.closes + tempo.flat_for) for w in found]
    return [Window(max(w.opens, start), min(w.closes, end)) for w in schedules.merged(wide)]


def _week(plan: Schedule, it: Rates, tempo: Tempo, now: datetime) -> str:
    awake = statement_lines.length(now, now + awake_for(plan, tempo, now, now + WEEK))
    whole = statement_lines.length(now, now + WEEK)
    own = statement_lines.cost(it.own.awake or 0, awake)
    own += statement_lines.cost(it.own.idle or 0, whole - awake)
    always = statement_lines.cost(it.own.awake or 0, whole)
    if plan.endless:
        return f"Awake all the time, it costs {_usd(always)} a week."
    return (
        f"By this schedule the next seven days cost {_usd(own)}, always awake they would cost "
        f"{_usd(always)}."
    )


def _short_sleep(plan: Schedule, tempo: Tempo, cent: timedelta, now: datetime) -> timedelta | None:
    """The shortest pause of the week that is slept, if it saves less than a cent."""
    found = _windows(plan, tempo, now, now + WEEK)
    ends = tempo.wake_lead + tempo.flat_for
    slept = [b.opens - a.closes + ends for a, b in pairwise(found)]
    return min(slept) if slept and min(slept) < cent else None


def _usd_rate(it: Rates) -> str:
    if it.saves == it.saves_all:
        return _usd4(it.saves_all)
    return f"you {_usd4(it.saves)}, and {_usd4(it.saves_all)} with the address counted"


def _hour(rate: int) -> str:
    return f"{_usd4(rate)} an hour"


def _usd4(rate: int) -> str:
    value = Decimal(rate).scaleb(-12)
    if value == round(value, 2):
        return f"${value:.2f}"
    return f"${value.quantize(Decimal('0.00001')).normalize():f}"


def _usd(millionths: int) -> str:
    return f"${Decimal(millionths).scaleb(-6):,.2f}"


def _long(length: timedelta) -> str:
    minutes = -(-length // timedelta(minutes=1)) if length > timedelta(minutes=2) else 0
    if not minutes:
        return f"{length.total_seconds():.0f} s"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"
