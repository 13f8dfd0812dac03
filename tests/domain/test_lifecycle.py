"""What a bot should be, and what its user reads."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.domain import lifecycle, schedule
from app.domain.errors import Conflict
from app.domain.lifecycle import Situation, Today
from app.models.bot import Wish
from app.models.compute import Desired, Phase
from runner.protocol import PositionState
from tests.factories import NOW, TEMPO

OFFICE = schedule.schedule("UTC", [schedule.session([0, 1, 2, 3, 4], "09:00", "17:00")])


def wanted(wish, now=NOW, plan=OFFICE, *, stranded=False):
    return lifecycle.desired(wish, plan, now, TEMPO, stranded=stranded)[0]


def read(phase, wish=Wish.FOLLOW, **values):
    facts = {
        "paused": False,
        "problem": "",
        "synced_at": NOW,
        "position_state": PositionState.FLAT,
        "open_positions": 0,
        "wakes_at": NOW + timedelta(hours=21),
    }
    return lifecycle.reading(NOW, Situation(wish=wish, phase=phase, **(facts | values)))


def test_the_schedule_decides_while_it_is_followed():
    assert wanted(Wish.FOLLOW) is Desired.RUN
    assert wanted(Wish.FOLLOW, NOW.replace(hour=18)) is Desired.SLEEP


HOUR = timedelta(hours=1)
EVENING = NOW.replace(hour=18)


def test_kept_awake_beyond_its_session():
    today = Today(keep_awake_until=EVENING + HOUR)
    told = {"stranded": False, "today": today}
    wish = Wish.FOLLOW
    awake = lifecycle.desired(wish, OFFICE, EVENING, TEMPO, **told)
    assert awake == (Desired.RUN, "kept awake")
    assert lifecycle.next_change(OFFICE, EVENING, TEMPO, today) == EVENING + HOUR
    over = lifecycle.desired(wish, OFFICE, EVENING + HOUR, TEMPO, **told)
    assert over[0] is Desired.SLEEP
    assert lifecycle.desired(Wish.REST, OFFICE, EVENING, TEMPO, **told)[0] is Desired.SLEEP


def test_sent_to_sleep_within_its_session():
    today = Today(asleep_until=NOW + HOUR)
    told = {"stranded": False, "today": today}
    asleep = lifecycle.desired(Wish.FOLLOW, OFFICE, NOW, TEMPO, **told)
    assert asleep == (Desired.SLEEP, "sent to sleep")
    back = NOW + HOUR - TEMPO.wake_lead
    assert lifecycle.next_change(OFFICE, NOW, TEMPO, today) == back
    assert lifecycle.desired(Wish.FOLLOW, OFFICE, back, TEMPO, **told)[0] is Desired.RUN
    held = lifecycle.desired(Wish.FOLLOW, OFFICE, NOW, TEMPO, stranded=True, today=today)
    assert held[0] is Desired.RUN


def test_it_wakes_ahead_of_the_window():
    opens = NOW.replace(hour=9)
    assert wanted(Wish.FOLLOW, opens - timedelta(seconds=3)) is Desired.RUN
    assert wanted(Wish.FOLLOW, opens - timedelta(seconds=4)) is Desired.SLEEP


def test_a_gap_not_worth_sleeping_is_not_slept():
    every_day = list(range(7))
    gap = schedule.session(every_day, "12:00:22", "12:00:00")
    plan = schedule.schedule("UTC", [gap])
    assert wanted(Wish.FOLLOW, NOW + timedelta(seconds=5), plan) is Desired.RUN


def test_stopped_and_deleted_win_over_the_schedule():
    assert wanted(Wish.REST) is Desired.SLEEP
    assert wanted(Wish.GONE) is Desired.GONE


@pytest.mark.parametrize("wish", Wish)
def test_a_stranded_position_wins_over_everything(wish):
    assert wanted(wish, NOW.replace(hour=18), stranded=True) is Desired.RUN


@pytest.mark.parametrize("wish", Wish)
@pytest.mark.parametrize(
    ("problem", "label"), [("", "waking"), ("The zone had no room.", "asleep")]
)
def test_nor_is_one_read_as_settled_while_it_has_no_machine(wish, problem, label):
    found = read(Phase.ASLEEP, wish, stranded=True, problem=problem)
    assert (found.label, found.settled) == (label, False)
    assert problem in found.detail


def test_the_next_change_is_the_next_edge():
    assert lifecycle.next_change(OFFICE, NOW, TEMPO) == NOW.replace(hour=17)
    evening = NOW.replace(hour=18)
    tomorrow = NOW.replace(day=25, hour=9) - TEMPO.wake_lead
    assert lifecycle.next_change(OFFICE, evening, TEMPO) == tomorrow


@pytest.mark.parametrize(
    ("phase", "values", "label"),
    [
        (Phase.NEW, {}, "waking"),
        (Phase.BOOTING, {}, "waking"),
        (Phase.READY, {}, "awake"),
        (Phase.READY, {"paused": True}, "paused"),
        (Phase.READY, {"synced_at": NOW - timedelta(minutes=1)}, "lost contact"),
        (Phase.DRAINING, {}, "finishing"),
        (Phase.DELETING, {}, "falling asleep"),
        (Phase.ASLEEP, {}, "asleep"),
        (Phase.ASLEEP, {"wish": Wish.REST}, "stopped"),
        (Phase.BLOCKED, {"problem": "quota reached"}, "blocked"),
        (Phase.RELEASED, {}, "deleted"),
    ],
)
def test_the_users_words(phase, values, label):
    assert read(phase, **values).label == label


def test_finishing_says_what_is_open_and_unknown_is_not_flat():
    one = read(Phase.DRAINING, position_state=PositionState.OPEN, open_positions=1)
    assert one.detail.startswith("1 position open")
    unknown = read(Phase.DRAINING, position_state=PositionState.UNKNOWN)
    assert "unknown is not flat" in unknown.detail


def test_only_settled_states_need_no_polling():
    assert read(Phase.ASLEEP, wish=Wish.REST).settled
    assert not read(Phase.ASLEEP).settled
    assert not read(Phase.READY).settled


def test_who_is_wanted_and_waits_reads_why_and_is_looked_at_again():
    wanted_now = {"wakes_at": NOW - timedelta(minutes=1)}
    line = read(Phase.ASLEEP, **wanted_now)
    assert (line.label, line.settled, line.when) == ("waking", False, None)
    assert "free place" in line.detail
    again = NOW + timedelta(minutes=1)
    slowed = read(Phase.ASLEEP, retry_at=again, **wanted_now)
    assert (slowed.label, slowed.settled, slowed.when) == ("waking", False, again)
    assert "asked for a pause" in slowed.detail
    assert "free place" in read(Phase.ASLEEP, retry_at=NOW, **wanted_now).detail
    trouble = read(Phase.ASLEEP, problem="no disk", **wanted_now)
    assert (trouble.label, trouble.detail) == ("asleep", "It should be awake. no disk")
    assert read(Phase.ASLEEP, wish=Wish.REST, **wanted_now).label == "stopped"


def test_no_transition_outside_the_table():
    with pytest.raises(Conflict, match="asleep cannot become ready"):
        lifecycle.check_transition(Phase.ASLEEP, Phase.READY)


def test_every_phase_can_be_reached_and_left():
    reached = {phase for after in lifecycle.FOLLOWERS.values() for phase in after}
    assert reached | {Phase.NEW} == set(Phase)
    assert all(after for phase, after in lifecycle.FOLLOWERS.items() if phase is not Phase.RELEASED)


def test_the_diagram_in_the_docs_is_the_table():
    text = Path("docs/lifecycle.md").read_text()
    assert lifecycle.diagram() in text, "docs/lifecycle.md: paste lifecycle.diagram() into it"
