"""What a runner warns of stands on its bot's page until it is over, with what to do about it."""

from datetime import timedelta

from app.domain import bot_warnings, overview
from app.extensions import db
from app.models import BotCompute, Phase
from runner.protocol import Check, Notice, Preflight
from tests.domain.test_bot_alarms import over, scene  # noqa: F401 -- the fixture
from tests.factories import NOW, TEMPO

LATE = NOW + timedelta(hours=2)


def warning(code, text="Something is wrong."):
    return Notice("warning", code, text)


def shown(scene, now=NOW):  # noqa: F811
    return [it.code for it in bot_warnings.of_machine(scene.machine, now)]


def test_a_lasting_one_stands_until_it_is_over(scene):  # noqa: F811
    scene.machine.claimed_at = NOW
    scene.tell(warning("venue_not_ready", "The venue is closed."))
    assert shown(scene) == shown(scene, LATE) == ["venue_not_ready"]
    scene.tell(over("venue_not_ready"), over("trouble_clock"))
    assert shown(scene) == []
    scene.tell(warning("venue_not_ready", "It is closed again."))
    assert shown(scene) == ["venue_not_ready"]


def test_one_about_a_moment_is_shown_for_an_hour(scene):  # noqa: F811
    scene.machine.claimed_at = NOW
    scene.tell(warning("order_refused", "No margin."), warning("order_refused", "Still none."))
    (found,) = bot_warnings.of_machine(scene.machine, NOW)
    assert found.message == "Still none."
    assert shown(scene, LATE) == []


def test_what_an_earlier_machine_warned_of_says_nothing(scene):  # noqa: F811
    scene.tell(warning("trouble_clock"))
    assert shown(scene) == []
    scene.machine.claimed_at = LATE
    assert shown(scene, LATE) == []
    assert bot_warnings.of_machine(None, NOW) == []


def test_a_bot_whose_preflight_failed_does_not_read_as_trading(scene):  # noqa: F811
    scene.machine.claimed_at = scene.machine.synced_at = NOW
    db.session.get_one(BotCompute, scene.bot.id).phase = Phase.READY
    for passed, note in ((None, ""), (False, "no entries"), (True, "")):
        if passed is not None:
            scene.tell(Preflight(passed, (Check("key", passed, "the key has expired"),)))
        reading = overview.summary(scene.bot, NOW, TEMPO).reading
        assert (reading.label, reading.note) == ("awake", note)
        assert ("no entries" in reading.detail) is (passed is False)
