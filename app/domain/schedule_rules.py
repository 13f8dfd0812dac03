"""What a person may write into a schedule: presets, blackouts, the end of a window. Pure."""

from dataclasses import replace
from datetime import date, time, timedelta

from app.domain.errors import Invalid
from app.domain.schedule import Blackout, Schedule, Session

WORKDAYS, EVERY_DAY = tuple(range(5)), tuple(range(7))
MARKETS = {
    "tokyo": Session(WORKDAYS, time(9), time(15), "Asia/Tokyo"),
    "london": Session(WORKDAYS, time(8), time(16, 30), "Europe/London"),
    "new_york": Session(WORKDAYS, time(9, 30), time(16), "America/New_York"),
}
"""The hours of the stock exchanges there, each by its own clock."""

FUNDING = (0, 8, 16)
MOST_FUNDING, MOST_QUIET, MOST_SLEEP, MOST_BLACKOUTS = 180, 1440, 7 * 1440, 30


def around_funding(minutes: int) -> list[Session]:
    """The minutes before and after each funding at 00, 08 and 16 UTC. Raises ``Invalid``."""
    if not 1 <= minutes <= MOST_FUNDING:
        raise Invalid(f"Between 1 and {MOST_FUNDING} minutes.", "funding_minutes")
    length = timedelta(minutes=minutes)
    noon = [timedelta(hours=hour + 24) for hour in FUNDING]
    return [Session(EVERY_DAY, _clock(at - length), _clock(at + length), "UTC") for at in noon]


def funding_minutes(plan: Schedule) -> int | None:
    """Of which length the windows around funding are, if it has them."""
    first = next((item for item in plan.sessions if item.zone == "UTC"), None)
    if first is None or first.closes.hour > 3:
        return None
    minutes = first.closes.hour * 60 + first.closes.minute
    sound = 1 <= minutes <= MOST_FUNDING
    whole = sound and all(item in plan.sessions for item in around_funding(minutes))
    return minutes if whole else None


def markets(plan: Schedule) -> list[str]:
    """Which presets the schedule is made of; empty if it holds anything else."""
    found = [name for name, item in MARKETS.items() if item in plan.sessions]
    minutes = funding_minutes(plan)
    count = len(found) + (len(FUNDING) if minutes else 0)
    if count != len(plan.sessions):
        return []
    return [*found, "funding"] if minutes else found


def blackout(first: date, last: date | None, note: str) -> Blackout:
    """Days without trading. Raises ``Invalid`` with the field at fault."""
    if last is not None and last < first:
        raise Invalid("The last day lies before the first.", "last")
    if len(note) > 80:
        raise Invalid("Use at most 80 characters.", "note")
    return Blackout(first, last or first, note)


def ending(
    plan: Schedule,
    *,
    blackouts: list[Blackout],
    flatten: bool,
    quiet_minutes: int,
    least_sleep: int | None,
    shortest: timedelta,
) -> Schedule:
    """The schedule with blackouts and the end of its windows. Raises ``Invalid``.

    ``shortest``: the shortest sleep the compute finds worth it; a bot may only ask for longer.
    """
    if len(blackouts) > MOST_BLACKOUTS:
        raise Invalid(f"At most {MOST_BLACKOUTS} blackouts; join some of them.", "blackouts")
    if not 0 <= quiet_minutes <= MOST_QUIET:
        raise Invalid(f"Between 0 and {MOST_QUIET} minutes.", "quiet_minutes")
    if least_sleep is not None:
        floor = -(-shortest // timedelta(minutes=1))
        if not floor <= least_sleep <= MOST_SLEEP:
            raise Invalid(f"Between {floor} and {MOST_SLEEP} minutes here.", "least_sleep")
    return replace(
        plan,
        blackouts=tuple(sorted(blackouts, key=lambda item: (item.first, item.last, item.note))),
        flatten=flatten,
        quiet_minutes=quiet_minutes,
        least_sleep=least_sleep,
    )


def _clock(since_midnight: timedelta) -> time:
    minutes = int(since_midnight / timedelta(minutes=1)) % 1440
    return time(minutes // 60, minutes % 60)
