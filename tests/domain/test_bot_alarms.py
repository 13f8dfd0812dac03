"""A bot's alarms: each rings once for those who may stop the bot, until it is over."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import alarm_bells, alarm_kinds, bot_alarms, ingest, letters
from app.domain.letters import House
from app.extensions import db
from app.jobs import timetable
from app.models import (
    AuditEvent,
    BotAlarm,
    Mail,
    Notice,
    NoticeKind,
    PositionRow,
    ProtectionRow,
    Role,
    RunnerNotice,
    TelegramCall,
    TelegramLink,
    Wish,
)
from runner import protocol
from runner.protocol import (
    Check,
    Event,
    EventKind,
    Mode,
    PositionState,
    Preflight,
    Protection,
    ProtectionState,
    to_plain,
)
from tests import factories
from tests.domain.test_bots import awake
from tests.domain.test_ingest import Feed
from tests.factories import NOW, TESTER

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=5)
KINDS = {
    protocol.Notice: EventKind.NOTICE,
    Protection: EventKind.PROTECTION,
    Preflight: EventKind.PREFLIGHT,
}
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


class Scene:
    """One bot with its runner, and people of three roles."""

    def __init__(self):
        feed = Feed()
        self.bot, self.machine = feed.bot, feed.machine
        self.place = self.bot.workspace
        self.owner = self.place.memberships[0].user
        self.trader = factories.joined(self.place, Role.TRADER, "Tess")
        factories.joined(self.place, Role.VIEWER, "Vic")
        db.session.commit()

    def tell(self, *messages, now=NOW):
        first = self.machine.ack_seq + 1
        batch = tuple(
            Event(seq, KINDS[type(item)], now, to_plain(item))
            for seq, item in enumerate(messages, first)
        )
        ingest.take(self.bot, self.machine, batch, now)
        db.session.commit()
        return self.codes()

    def codes(self):
        return [alarm.code for alarm in bot_alarms.of_bot(self.bot)]

    def rung(self):
        """Whose inbox and whose mailbox heard, once for each time."""
        told = select(Notice.user_id).where(Notice.kind == NoticeKind.ALARM)
        sent = select(Mail.to_email).where(Mail.letter == "bot_alarm")
        return sorted(db.session.scalars(told)), sorted(db.session.scalars(sent))


@pytest.fixture
def scene(app):
    return Scene()


def alarm(code="foreign", text="An order is not ours."):
    return protocol.Notice("alarm", code, text)


def over(code="foreign"):
    return protocol.Notice("over", code, "")


def stop(state, symbol=BTC):
    return Protection(symbol, state)


def watch(now):
    for bot_id in bot_alarms.due(now):
        bot_alarms.look(bot_id, now)
    bot_alarms.sweep(now)


def started(*, passed=True, clean=True):
    return Preflight(passed, (Check("reconcile", clean, ""),))


def test_it_rings_once_for_those_who_may_stop_the_bot(scene):
    assert scene.tell(alarm(), alarm(text="Two orders are not ours.")) == ["foreign"]
    scene.tell(alarm(), now=SOON)
    (rings,) = bot_alarms.of_bot(scene.bot)
    assert (rings.first_at, rings.last_at, rings.text) == (NOW, SOON, "An order is not ours.")
    people = [scene.owner, scene.trader]
    assert scene.rung() == (sorted(it.id for it in people), sorted(it.email for it in people))
    assert bot_alarms.count(scene.place.id) == 1


def test_a_warning_rings_nobody(scene):
    assert scene.tell(protocol.Notice("warning", "refused", "No.")) == []
    assert scene.rung() == ([], [])


def test_once_over_it_ends_and_the_next_one_rings_anew(scene):
    scene.tell(alarm())
    assert scene.tell(over(), now=SOON) == []
    said = db.session.scalars(select(RunnerNotice.message).order_by(RunnerNotice.number)).all()
    assert said == ["An order is not ours.", "Over: foreign"]
    scene.tell(alarm(), now=LATER)
    assert len(scene.rung()[0]) == 4


def test_that_nothing_was_wrong_is_not_kept(scene):
    scene.tell(over(), over("stop_missing"))
    assert db.session.scalars(select(RunnerNotice)).all() == []


def test_one_position_with_a_stop_does_not_speak_for_another(scene):
    scene.tell(stop(ProtectionState.MISSING), alarm("stop_missing", f"{BTC}: none"))
    both = scene.tell(stop(ProtectionState.MISSING, ETH))
    assert sorted(both) == [f"stop_missing {BTC}", f"stop_missing {ETH}"]
    assert len(scene.rung()[1]) == 4
    assert scene.tell(stop(ProtectionState.VERIFIED)) == [f"stop_missing {ETH}"]
    assert scene.tell(over("stop_missing")) == [f"stop_missing {ETH}"]
    assert scene.tell(stop(ProtectionState.VERIFIED, ETH)) == []


def test_a_position_that_is_closed_needs_no_stop(scene):
    scene.tell(stop(ProtectionState.MISSING))
    scene.machine.synced_at, scene.machine.position_state = NOW, PositionState.OPEN
    watch(NOW)
    assert scene.codes() == [f"stop_missing {BTC}"]
    scene.machine.position_state = PositionState.FLAT
    watch(NOW)
    assert scene.codes() == []


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (started(), ["stop_missing"]),
        (started(clean=None), ["foreign", "stop_missing"]),
        (started(passed=False), ["cannot_run", "foreign", "stop_missing"]),
    ],
)
def test_a_runner_that_begins_to_trade_has_its_start_behind_it(scene, told, left):
    scene.tell(alarm("cannot_run", "No key."), alarm(), alarm("stop_missing", "None."))
    assert sorted(scene.tell(told)) == left


@pytest.mark.parametrize("code", ["left_unprotected", "end_unproven", "entry_left"])
def test_what_an_end_left_is_over_once_another_runner_knows(scene, code):
    scene.tell(alarm(code))
    assert scene.tell(started(clean=None)) == [code]
    assert scene.tell(started()) == []


def test_a_made_up_booking_rings_by_symbol_until_the_next_clean_start(scene):
    scene.bot.symbols = [BTC, ETH]
    scene.machine.claimed_at = NOW
    told = scene.tell(alarm("reconciled", f"{BTC}: changed"), alarm("reconciled", f"{ETH}: too"))
    assert sorted(told) == [f"reconciled {BTC}", f"reconciled {ETH}"]
    assert len(scene.rung()[1]) == 4
    assert len(scene.tell(started())) == 2
    scene.machine.claimed_at = SOON
    assert scene.tell(started(), now=SOON) == []


def test_a_made_up_booking_is_over_for_who_takes_it(scene):
    scene.tell(alarm("reconciled", f"{BTC}: changed"), alarm())
    for rings in bot_alarms.of_bot(scene.bot):
        assert bot_alarms.take(rings, scene.bot, scene.trader, by=TESTER, now=SOON)
    assert scene.codes() == ["foreign"]


@pytest.mark.parametrize(
    ("wish", "gone_at", "left"),
    [(Wish.REST, NOW, []), (Wish.REST, None, ["cannot_run"]), (Wish.FOLLOW, NOW, ["cannot_run"])],
)
def test_what_is_not_to_start_rings_no_more_for_its_start(scene, wish, gone_at, left):
    scene.tell(alarm("cannot_run"))
    scene.bot.wish, scene.machine.gone_at = wish, gone_at
    scene.machine.proven_flat = True
    watch(NOW)
    assert scene.codes() == left


def test_an_event_that_cannot_be_read_rings(scene):
    event = Event(scene.machine.ack_seq + 1, EventKind.BREACH, NOW, {"limit": 3})
    ingest.take(scene.bot, scene.machine, (event,), NOW)
    assert scene.codes() == ["unreadable_event"]


@pytest.mark.parametrize("state", [PositionState.OPEN, PositionState.UNKNOWN])
def test_silence_with_a_position_rings_once_until_it_is_heard_again(scene, state):
    scene.machine.claimed_at = scene.machine.synced_at = NOW
    scene.machine.position_state = state
    watch(NOW + bot_alarms.LOST)
    assert scene.codes() == []
    for moment in (SOON + timedelta(seconds=1), LATER):
        watch(moment)
        assert scene.codes() == ["lost_contact"]
    assert len(scene.rung()[1]) == 2
    scene.machine.synced_at = LATER
    watch(LATER)
    assert scene.codes() == []


def test_a_bell_that_fails_keeps_no_other_one_from_ringing(scene, monkeypatch):
    bots = sorted([scene.bot, factories.bot(scene.place, name="Other")], key=lambda it: it.id)
    for bot in bots:
        if bot is not scene.bot:
            awake(bot, PositionState.OPEN)
    scene.machine.claimed_at = scene.machine.synced_at = NOW
    scene.machine.position_state = PositionState.OPEN
    db.session.commit()
    ids, ring = [bot.id for bot in bots], alarm_bells.ring

    def fails_for_the_first(rings, bot, now):
        if bot.id == ids[0]:
            raise OSError
        ring(rings, bot, now)

    monkeypatch.setattr(alarm_bells, "ring", fails_for_the_first)
    timetable.watch(LATER)
    query = select(BotAlarm.bot_id).where(BotAlarm.code == "lost_contact")
    assert db.session.scalars(query.where(BotAlarm.bot_id.in_(ids))).all() == ids[1:]


@pytest.mark.parametrize(
    ("mode", "state", "covers", "said"),
    [
        (Mode.PAPER, ProtectionState.VERIFIED, "1", "no money is at stake"),
        (Mode.TESTNET, ProtectionState.VERIFIED, "1", "seen at the venue stay in place"),
        (Mode.TESTNET, ProtectionState.VERIFIED, "0.5", f"stand behind all of {BTC}"),
        (Mode.TESTNET, ProtectionState.MISSING, "1", f"stand behind all of {BTC}"),
        (Mode.TESTNET, None, "1", "Whether stops rest at the venue is not known"),
    ],
)
def test_silence_says_of_stops_what_is_known(scene, mode, state, covers, said):
    scene.bot.mode = mode
    place = {"workspace_id": scene.place.id, "bot_id": scene.bot.id, "symbol": BTC}
    one = Decimal(1)
    held = {"quantity": one, "mark_price": one, "unrealised": one, "reported_at": NOW}
    db.session.add(PositionRow(**place, **held))
    if state is not None:
        seen = {"verified_at": NOW, "reported_at": NOW, "quantity": Decimal(covers)}
        db.session.add(ProtectionRow(**place, **seen, state=state, why=""))
    scene.machine.claimed_at = scene.machine.synced_at = NOW
    scene.machine.position_state = PositionState.UNKNOWN
    watch(LATER)
    (rings,) = bot_alarms.of_bot(scene.bot)
    assert said in rings.text
    assert "may hold" in alarm_kinds.title(rings.code, "")


def test_silence_of_a_flat_bot_rings_nobody(scene):
    scene.machine.claimed_at = scene.machine.synced_at = NOW
    scene.machine.position_state = PositionState.FLAT
    watch(LATER)
    assert scene.codes() == []


def test_a_machine_that_went_with_a_position_rings_until_another_one_claims(scene):
    scene.machine.claimed_at = scene.machine.synced_at = scene.machine.gone_at = NOW
    scene.machine.position_state = PositionState.OPEN
    watch(SOON)
    assert scene.codes() == ["lost_contact"]
    values = {"name": "b-x-g2", "token_hash": "1" * 64, "ip": scene.machine.ip}
    place = {"workspace_id": scene.place.id, "bot_id": scene.bot.id, "region": "local"}
    times = {"created_at": SOON, "claimed_at": SOON, "synced_at": SOON}
    db.session.add(type(scene.machine)(generation=2, **values, **place, **times))
    watch(SOON)
    assert scene.codes() == []


def test_a_bot_that_is_gone_rings_no_more(scene):
    scene.tell(alarm())
    watch(SOON)
    assert scene.codes() == ["foreign"]
    scene.bot.deleted_at = SOON
    watch(SOON)
    assert scene.codes() == []


def test_many_alarms_fill_no_mailbox(scene):
    most = alarm_bells.LETTERS_AN_HOUR
    scene.tell(*(alarm(f"code_{number}") for number in range(most + 5)))
    inbox, letterbox = scene.rung()
    assert (len(inbox), len(letterbox)) == (2 * (most + 5), 2 * (most + 1))
    posted = db.session.scalars(select(Mail.values).where(Mail.letter == "bot_alarm")).all()
    held = f"More alarms of {scene.place.name} are held back"
    assert [values["title"] for values in posted].count(held) == 2


def test_noise_on_paper_keeps_no_letter_of_a_live_bot_back(scene):
    most = alarm_bells.LETTERS_AN_HOUR
    scene.tell(*(alarm(f"code_{number}") for number in range(most + 1)))
    before = len(scene.rung()[1])
    loud = factories.bot(scene.place, name="Loud")
    loud.mode = Mode.LIVE
    for number in range(most + 1):
        bot_alarms.ring(loud, f"code_{number}", "An order is not ours.", NOW)
    assert len(scene.rung()[1]) == before + 2 * (most + 1)


def test_a_noisy_live_bot_keeps_no_letter_of_another_one_back(scene):
    loud = factories.bot(scene.place, name="Loud")
    loud.mode = Mode.LIVE
    for number in range(alarm_bells.LETTERS_AN_HOUR + 1):
        bot_alarms.ring(loud, f"code_{number}", "An order is not ours.", NOW)
    before = len(scene.rung()[1])
    scene.tell(alarm())
    assert len(scene.rung()[1]) == before + 2


def test_who_rings_at_the_same_time_keeps_one(scene, monkeypatch):
    scene.tell(alarm())
    monkeypatch.setattr(bot_alarms, "change", lambda _: 0)
    bot_alarms.ring(scene.bot, "foreign", "Again.", SOON)
    assert scene.codes() == ["foreign"]
    assert len(scene.rung()[1]) == 2


def test_who_left_or_never_proved_an_address_gets_no_letter(scene):
    scene.owner.email_verified_at = None
    for member in scene.place.memberships:
        if member.user_id == scene.trader.id:
            member.suspended_at = NOW
    scene.tell(alarm())
    assert scene.rung() == ([scene.owner.id], [])


def test_a_linked_telegram_is_rung_too(scene):
    link = {"telegram_id": 7, "chat_id": 7, "name": "Tess", "created_at": NOW}
    db.session.add(TelegramLink(user_id=scene.trader.id, confirmed_at=NOW, **link))
    scene.tell(alarm(), alarm())
    (call,) = db.session.scalars(select(TelegramCall))
    assert (call.kind, call.recipient_id) == ("bot_alarm", scene.trader.id)


def test_taking_one_is_in_the_log_once(scene):
    scene.tell(alarm())
    (rings,) = bot_alarms.of_bot(scene.bot)
    for expected in (True, False):
        taken = bot_alarms.take(rings, scene.bot, scene.trader, by=TESTER, now=SOON)
        assert taken is expected
    query = select(AuditEvent).where(AuditEvent.action == "bot.alarm_take")
    (event,) = db.session.scalars(query)
    assert (event.chain, event.target_id) == (scene.place.id, scene.bot.id)
    assert bot_alarms.takers([rings]) == {scene.trader.id: scene.trader.name}
    scene.tell(over())
    assert not bot_alarms.take(rings, scene.bot, scene.owner, by=TESTER, now=LATER)


def test_the_letter_says_what_and_where(scene):
    scene.tell(alarm())
    posted = db.session.scalars(select(Mail).where(Mail.letter == "bot_alarm")).first()
    house = House("plutarc", "https://bots.example")
    letter = letters.render(posted.letter, posted.values, name=posted.to_name, house=house)
    assert f"account of {scene.bot.name} is not its own" in letter.subject
    assert f"https://bots.example/w/{scene.place.id}/bots/{scene.bot.id}" in letter.text
    assert "An order is not ours." in letter.html


def test_words_without_end_fit(scene):
    scene.tell(alarm("c" * 90, "ü" * 1000))
    (rings,) = db.session.scalars(select(BotAlarm))
    assert (len(rings.code), len(rings.text)) == (40, 400)
