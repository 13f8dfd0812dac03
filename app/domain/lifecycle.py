"""What a bot should be, what may follow what, and what the user reads. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain import pause_words
from app.domain import schedule as schedules
from app.domain.errors import Conflict
from app.models.bot import PauseRule, Wish
from app.models.compute import Desired, Phase, Priority
from runner.protocol import PositionState, Window

FOLLOWERS: dict[Phase, frozenset[Phase]] = {
    Phase.NEW: frozenset({Phase.ADDR_WAIT, Phase.RELEASED}),
    Phase.ADDR_WAIT: frozenset({Phase.ASLEEP, Phase.BLOCKED, Phase.RELEASED}),
    Phase.ASLEEP: frozenset({Phase.CREATING, Phase.DELETING, Phase.BLOCKED, Phase.RELEASED}),
    Phase.CREATING: frozenset({Phase.BOOTING, Phase.DELETING, Phase.BLOCKED}),
    Phase.BOOTING: frozenset({Phase.READY, Phase.DELETING}),
    Phase.READY: frozenset({Phase.DRAINING, Phase.DELETING}),
    Phase.DRAINING: frozenset({Phase.READY, Phase.DELETING}),
    Phase.DELETING: frozenset({Phase.ASLEEP, Phase.BLOCKED}),
    Phase.BLOCKED: frozenset({Phase.ADDR_WAIT, Phase.ASLEEP, Phase.DELETING}),
    Phase.RELEASED: frozenset(),
}
AWAKE = frozenset({Phase.CREATING, Phase.BOOTING, Phase.READY, Phase.DRAINING, Phase.DELETING})
"""Phases in which a machine exists or may exist."""

BLOCKED, LOST = "blocked", "lost contact"
"""The two readings in which a bot cannot go on by itself."""

SILENCE = timedelta(seconds=25)
"""Two missed heartbeats and a half: longer than this without a word is lost contact."""


def may_become(before: Phase, after: Phase) -> bool:
    """Whether the table holds this transition; to stay is always allowed."""
    return before is after or after in FOLLOWERS[before]


def check_transition(before: Phase, after: Phase) -> None:
    """Refuse a transition that the table does not hold. Raises ``Conflict``."""
    if not may_become(before, after):
        raise Conflict(f"a bot that is {before} cannot become {after}")


@dataclass(frozen=True)
class Tempo:
    """How eagerly machines come and go; set per compute driver.

    ``patience``: how long the cloud may take for an address, a machine, an end. ``boot_deadline``:
    how long a machine may take from running to its runner's first word. ``longest_lead``: how far
    ahead of a session a machine is ever asked for; zero keeps ``wake_lead`` as it is set, else it
    is learned for each region and ``machine_type``. ``spread``: over how long the wakes of bots
    that are due together are spread, earlier. ``longest_run``: after it the cloud ends a
    machine whatever it holds.
    """

    wake_lead: timedelta
    sleep_min_gap: timedelta
    flat_for: timedelta
    observe_every: timedelta
    patience: timedelta = timedelta(seconds=60)
    boot_deadline: timedelta = timedelta(seconds=60)
    first_lead: timedelta = timedelta(0)
    lead_margin: timedelta = timedelta(seconds=1)
    longest_lead: timedelta = timedelta(0)
    spread: timedelta = timedelta(0)
    longest_run: timedelta | None = None
    machine_type: str = "local"


@dataclass(frozen=True)
class Today:
    """What a person wished for the day, beside the schedule; see ``Bot``."""

    keep_awake_until: datetime | None = None
    asleep_until: datetime | None = None


AS_SCHEDULED = Today()


def awake_windows(
    plan: schedules.Schedule, now: datetime, tempo: Tempo, today: Today = AS_SCHEDULED
) -> list[Window]:
    """The stretches in which a machine should exist: each window, early by the wake lead.

    A gap that, less the wake lead, is shorter than the shortest sleep worth it is not slept.
    """
    found = schedules.wished(
        plan,
        now,
        now + schedules.HORIZON,
        keep_awake_until=today.keep_awake_until,
        asleep_until=today.asleep_until,
        min_gap=plan.gap(tempo.sleep_min_gap) + tempo.wake_lead,
    )
    return [Window(window.opens - tempo.wake_lead, window.closes) for window in found]


def desired(
    wish: Wish,
    plan: schedules.Schedule,
    now: datetime,
    tempo: Tempo,
    *,
    stranded: bool,
    today: Today = AS_SCHEDULED,
) -> tuple[Desired, str]:
    """What the planner should work towards, and why.

    ``stranded``: the last machine went without proving that it was flat, so a position may be
    open with nobody managing it; then the bot wakes whatever its schedule says.
    """
    if stranded:
        return Desired.RUN, "a position may be open and needs managing"
    if wish is Wish.GONE:
        return Desired.GONE, "deleted"
    if wish is Wish.REST:
        return Desired.SLEEP, "stopped"
    if any(w.opens <= now < w.closes for w in awake_windows(plan, now, tempo, today)):
        kept = today.keep_awake_until is not None and now < today.keep_awake_until
        return Desired.RUN, "kept awake" if kept else "inside a trading session"
    if today.asleep_until is not None and now < today.asleep_until:
        return Desired.SLEEP, "sent to sleep"
    return Desired.SLEEP, "outside its trading sessions"


def next_change(
    plan: schedules.Schedule, now: datetime, tempo: Tempo, today: Today = AS_SCHEDULED
) -> datetime:
    """When ``desired`` may next say something else by the clock alone."""
    moments = [
        moment
        for window in awake_windows(plan, now, tempo, today)
        for moment in (window.opens, window.closes)
        if moment > now
    ]
    return min(moments, default=now + schedules.HORIZON)


def next_look(
    plan: schedules.Schedule, now: datetime, tempo: Tempo, today: Today = AS_SCHEDULED
) -> datetime:
    """When the clock may next change what is wanted; the lead may have grown until then."""
    found = next_change(plan, now, tempo, today)
    early = found - max(tempo.longest_lead - tempo.wake_lead, timedelta(0))
    return early if early > now else found


class Tone(StrEnum):
    """How a state should feel."""

    NEUTRAL = "neutral"
    INFO = "info"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Situation:
    """What ``reading`` looks at. ``renewed``: another machine takes over from this one.

    ``wakes_at``: since or from when an asleep bot's machine is wanted. ``retry_at``: until when the
    cloud is left alone. ``stranded``: it waits for a place, as a position may be unmanaged.
    """

    wish: Wish
    phase: Phase
    paused: bool
    problem: str
    synced_at: datetime | None
    position_state: PositionState
    open_positions: int
    wakes_at: datetime | None
    renewed: bool = False
    retry_at: datetime | None = None
    stranded: bool = False
    pause_rule: PauseRule | None = None
    pause_reason: str = ""
    stop_reason: str = ""
    preflight_passed: bool | None = None


@dataclass(frozen=True)
class Reading:
    """A bot's state in the user's words. ``when`` is the moment the words speak of, if any.

    ``note``: a word more for narrow lists. ``settled`` is true when nothing will change until a
    person or the clock acts.
    """

    label: str
    tone: Tone
    detail: str = ""
    when: datetime | None = None
    settled: bool = False
    note: str = ""


def reading(now: datetime, it: Situation) -> Reading:
    """The one place that turns wish, phase, pause, contact and position into words."""
    if it.phase is Phase.BLOCKED:
        return Reading(BLOCKED, Tone.BAD, it.problem)
    if it.phase is Phase.RELEASED:
        return Reading("deleted", Tone.NEUTRAL, "Its address has been released.", settled=True)
    if it.phase in (Phase.NEW, Phase.ADDR_WAIT, Phase.CREATING, Phase.BOOTING):
        reserving = it.phase in (Phase.NEW, Phase.ADDR_WAIT)
        said = "Its address is being reserved." if reserving else "Its machine is starting."
        return Reading("waking", Tone.INFO, said)
    if it.phase is Phase.ASLEEP:
        return _asleep(now, it)
    if it.phase is Phase.DELETING:
        return Reading("falling asleep", Tone.INFO, "Its machine is being given back.")
    return _awake(now, it)


def _asleep(now: datetime, it: Situation) -> Reading:
    if it.stranded:
        return _kept_asleep(it) if it.problem else _in_line(now, it)
    if it.wish is Wish.GONE:
        return Reading("deleting", Tone.NEUTRAL, "Its address is being released.")
    if it.wish is Wish.REST:
        return _stopped(it)
    if it.problem:
        return _kept_asleep(it)
    if it.wakes_at is not None and it.wakes_at <= now:
        return _in_line(now, it)
    if it.wakes_at is None:
        detail = "No session opens in the next eight days."
        return Reading("asleep", Tone.NEUTRAL, detail, settled=True)
    return Reading("asleep", Tone.NEUTRAL, "Wakes before its next session.", when=it.wakes_at)


def _stopped(it: Situation) -> Reading:
    sleeps = "It sleeps until you start it."
    if not it.stop_reason:
        return Reading("stopped", Tone.NEUTRAL, sleeps, settled=True)
    said = f"A limit that it passed stopped it: {pause_words.sentence(it.stop_reason)} {sleeps}"
    return Reading("stopped", Tone.WARN, said, settled=True, note="by limit")


def _kept_asleep(it: Situation) -> Reading:
    return Reading("asleep", Tone.WARN, f"It should be awake. {it.problem}")


def _in_line(now: datetime, it: Situation) -> Reading:
    """Wanted awake, and kept by nothing that is wrong with it."""
    if it.retry_at is not None and it.retry_at > now:
        detail = "The cloud asked for a pause; its machine is asked for after it."
        return Reading("waking", Tone.INFO, detail, when=it.retry_at)
    return Reading("waking", Tone.INFO, "It waits for a free place to start.")


def waits_stranded(wanted_at: datetime | None, priority: int) -> bool:
    """Whether a bot is in line because a position may be open with nobody managing it."""
    return wanted_at is not None and priority == Priority.STRANDED


def _awake(now: datetime, it: Situation) -> Reading:
    if it.synced_at is None or now - it.synced_at > SILENCE:
        detail = "Its machine has not reported; protective stops at the venue stay in place."
        return Reading(LOST, Tone.BAD, detail, when=it.synced_at)
    if it.phase is Phase.DRAINING:
        return Reading("finishing", Tone.INFO, _finishing(it))
    if it.paused:
        said = pause_words.detail(it.pause_rule, it.pause_reason)
        return Reading("paused", Tone.WARN, said, note=pause_words.note(it.pause_rule))
    if it.preflight_passed is False:
        said = "It makes no entries: its preflight failed, and is repeated by itself."
        return Reading("awake", Tone.WARN, said, note="no entries")
    return Reading("awake", Tone.GOOD, "It trades by its rules.")


def _finishing(it: Situation) -> str:
    if it.position_state is PositionState.FLAT:
        next_one = ", another takes over" if it.renewed else ""
        return f"No position open; its machine goes in a moment{next_one}."
    if it.position_state is PositionState.UNKNOWN:
        return "Its position is not known yet; unknown is not flat, so the machine stays."
    count = max(it.open_positions, 1)
    return f"{count} position{'s' if count > 1 else ''} open; no new entries, exits are managed."


def waits_for_nothing(readings: Sequence[Reading]) -> bool:
    """Whether a page showing these bots has nothing to poll for."""
    return all(item.settled for item in readings)


def diagram() -> str:
    """The phases and what may follow them, as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.NEW}"]
    for before in Phase:
        lines += [f"    {before} --> {after}" for after in Phase if after in FOLLOWERS[before]]
    return "\n".join([*lines, f"    {Phase.RELEASED} --> [*]"])
