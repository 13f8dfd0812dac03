"""The door: a proof or nothing, each message once, and a reason for every rejection."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import bots
from app.domain.signals import hooks, intake
from app.extensions import db
from app.gateways.locker import Locker
from app.models import SignalState
from runner.protocol import Limits, SignalAction
from tests import factories
from tests.domain.signals.conftest import BTC, ETH, LOCKER, neighbour
from tests.factories import TEMPO, TESTER

UNKNOWN = (404, intake.UNKNOWN)


def told(answer):
    return answer.status, answer.text


def test_what_is_taken_waits_for_the_bot(ears):
    answer = ears.send(price="91000.5", comment="breakout")
    assert (answer.status, answer.text) == (202, "Taken.")
    row = ears.row()
    assert row.id == answer.signal
    assert (row.state, row.symbol, row.action) == (SignalState.WAITING, BTC, SignalAction.LONG)
    assert row.expires_at == ears.now + timedelta(seconds=60)
    assert row.said == {
        "symbol": "BTCUSDT",
        "action": "buy",
        "price": "91000.5",
        "comment": "breakout",
    }


def test_the_secret_is_kept_nowhere_in_the_clear(ears):
    ears.send(comment=ears.secret[:20])
    ears.send(secret="wrong")
    hook = hooks.of(ears.bot)
    assert ears.secret.encode() not in hook.sealed
    assert hook.hint == ears.secret[-4:]
    for row in ears.rows():
        assert ears.secret not in repr(vars(row))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"secret": None}, "carries no secret"),
        ({"secret": ""}, "carries no secret"),
        ({"secret": 5}, "carries no secret"),
        ({"secret": ["x"]}, "carries no secret"),
        ({"secret": "wrong"}, "secret is wrong"),
        ({"secret": "wrong\ud800"}, "secret is wrong"),
    ],
)
def test_without_the_secret_nothing_is_told_to_the_sender_and_all_to_the_owner(fields, words, ears):
    assert told(ears.send(**fields)) == UNKNOWN
    row = ears.row()
    assert row.state is SignalState.REJECTED
    assert words in row.reason


def test_whoever_has_no_proof_hears_the_same_wherever_they_knock(ears):
    body = json.dumps(ears.message()).encode()
    deaf = factories.bot(ears.bot.workspace)
    db.session.commit()
    for bot_id in ("bot_nobody", "", "x" * 400, deaf.id):
        assert told(ears.knock(body, bot_id=bot_id)) == UNKNOWN
    hooks.revoke(ears.bot, by=TESTER, now=ears.now)
    assert told(ears.knock(body)) == UNKNOWN
    assert ears.rows() == []


def test_many_without_proof_are_one_line_an_hour_each(ears):
    for number in range(40):
        ears.send(secret=f"guess {number}")
    row = ears.row()
    assert row.times == 40
    ears.later(seconds=1)
    ears.knock(b"not json")
    ears.later(hours=1)
    ears.send(secret="guess")
    assert [it.times for it in ears.rows()] == [40, 1, 1]


def test_an_old_secret_is_worth_nothing_and_the_new_one_is(ears):
    old = ears.secret
    ears.secret = hooks.renew(ears.bot, locker=LOCKER, author=ears.author, by=TESTER, now=ears.now)
    assert ears.secret != old
    assert told(ears.send(secret=old)) == UNKNOWN
    assert ears.send().status == 202


def test_the_secret_of_another_bot_opens_nothing(ears):
    assert told(ears.send(secret=neighbour(ears).secret)) == UNKNOWN


def test_a_secret_that_no_key_opens_is_told_to_the_owner(ears):
    answer = intake.receive(
        ears.bot.id,
        intake.Knock(json.dumps(ears.message()).encode(), "203.0.113.5"),
        locker=Locker(("another key",)),
        tempo=TEMPO,
        now=ears.now,
    )
    assert told(answer) == UNKNOWN
    assert "make a new one" in ears.row().reason


def test_a_signature_proves_it_without_a_secret_in_the_text(ears):
    body = json.dumps(ears.message(secret=None, time=None)).encode()
    assert ears.sign(body).status == 202
    assert ears.row().sent_at == ears.now


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        ("{now}", "sha256=" + "0" * 64),
        ("{now}", ""),
        ("", "sha256=" + "0" * 64),
        ("\ud800", "é\ud800"),
        ("9" * 400, "x"),
    ],
)
def test_a_wrong_signature_is_not_made_good_by_the_secret(stamp, signature, ears):
    stamp = stamp.format(now=int(ears.now.timestamp()))
    body = json.dumps(ears.message()).encode()
    assert told(ears.knock(body, stamp=stamp, signature=signature)) == UNKNOWN
    assert "signature" in ears.row().reason


@pytest.mark.parametrize("stamp", ["now", "-5", "1.5", "²", "9" * 12, "1" * 13])
def test_a_signed_time_is_a_number_of_seconds(stamp, ears):
    body = json.dumps(ears.message(secret=None)).encode()
    assert told(ears.sign(body, stamp=stamp)) == UNKNOWN


def test_a_signature_covers_time_and_body(ears):
    body = json.dumps(ears.message(secret=None)).encode()
    ears.sign(body)
    ears.later(minutes=5)
    # An old one, sent again as it was, is old; with another time it is signed by nobody.
    assert ears.sign(body, stamp=str(int(ears.now.timestamp()) - 300)).status in (200, 409)
    assert len([it for it in ears.rows() if it.state is SignalState.WAITING]) == 1


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("52.89.214.238", True),
        ("198.51.100.77", True),
        ("198.51.101.1", False),
        ("203.0.113.5", False),
        ("2001:db8::1", True),
        ("", False),
        ("nonsense", False),
    ],
)
def test_only_who_may_send_is_heard(source, allowed, ears):
    hooks.configure(
        ears.bot,
        max_age=60,
        sources="52.89.214.238, 198.51.100.0/24 2001:db8::/32",
        aliases="",
        by=TESTER,
        now=ears.now,
    )
    answer = ears.knock(json.dumps(ears.message()).encode(), source=source)
    assert answer.status == (202 if allowed else 404)
    assert ears.row().state is (SignalState.WAITING if allowed else SignalState.REJECTED)


def test_the_same_once_more_counts_once(ears):
    first = ears.send()
    ears.later(seconds=3)
    body = json.dumps(ears.message(time=to_seconds(ears, -3))).encode()
    for _ in range(3):
        again = ears.knock(body)
        assert (again.status, again.text, again.signal) == (200, "Known already.", first.signal)
    assert ears.row().times == 4


def to_seconds(ears, seconds):
    return (ears.now + timedelta(seconds=seconds)).timestamp()


def test_an_id_means_one_thing(ears):
    assert ears.send(id="order 7").status == 202
    assert ears.send(id="order 7").status == 200
    answer = ears.send(id="order 7", action="sell")
    assert answer.status == 409
    assert "used before for something else" in answer.text
    assert ears.send(id="order 8", action="sell").status == 202


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [
        (-60, 202, "Taken"),
        (-61, 409, "Expired: it was sent 61 s ago, 60 s at most"),
        (-86_400, 409, "Expired"),
        (30, 202, "Taken"),
        (31, 409, "31 s ahead of this server's clock"),
    ],
)
def test_what_is_old_or_of_tomorrow_is_rejected(seconds, status, words, ears):
    answer = ears.send(time=to_seconds(ears, seconds))
    assert answer.status == status
    assert words in answer.text


def test_a_sender_whose_clock_is_ahead_gains_no_time(ears):
    ears.send(time=to_seconds(ears, 30))
    assert ears.row().expires_at == ears.now + timedelta(seconds=60)


def test_one_that_a_newer_one_overtook_is_rejected(ears):
    ears.send(action="sell")
    answer = ears.send(time=to_seconds(ears, -5))
    assert answer.status == 409
    assert "A newer one" in answer.text
    assert ears.send(time=to_seconds(ears, -5), symbol="ETHUSDT").status == 202


def test_a_bot_that_is_not_awake_is_not_woken_and_that_is_said(ears):
    ears = neighbour(ears)
    answer = ears.send()
    assert answer.status == 409
    assert answer.text == "The bot is stopped, and a signal does not wake it."
    ears.wake()
    # Known by now: to send it again does not bring it back.
    again = ears.send()
    assert (again.status, again.signal) == (200, answer.signal)
    assert ears.row().state is SignalState.REJECTED


def test_a_strategy_that_does_not_listen_is_said(ears):
    deaf = factories.strategy(ears.bot.workspace).latest
    bots.configure(
        ears.bot,
        name=ears.bot.name,
        version=deaf,
        symbols=tuple(ears.bot.symbols),
        limits=Limits(),
        by=TESTER,
        now=ears.now,
    )
    answer = ears.send()
    assert answer.status == 409
    assert "has no component External signal" in answer.text


def test_more_than_so_many_a_minute_are_turned_away(ears):
    for number in range(intake.MOST_A_MINUTE):
        assert ears.send(id=str(number)).status == 202
    assert ears.send(id="one more").status == 429
    assert ears.send(id="two more").status == 429
    turned = [it for it in ears.rows() if it.state is SignalState.REJECTED]
    assert [it.times for it in turned] == [2]
    ears.later(seconds=61)
    assert ears.send(id="later").status == 202


def test_names_that_only_the_sender_uses(ears):
    hooks.configure(
        ears.bot, max_age=60, sources="", aliases=f"XBTUSD = {ETH}", by=TESTER, now=ears.now
    )
    ears.send(symbol="xbtusd")
    assert ears.row().symbol == ETH


def test_a_test_is_checked_and_shown_and_handed_to_nobody(ears):
    row = intake.test(
        ears.bot,
        '{"symbol": "{{ticker}}", "action": "{{strategy.order.action}}", "time": "{{timenow}}"}',
        tempo=TEMPO,
        now=ears.now,
    )
    db.session.commit()
    assert row.state is SignalState.TESTED
    assert "would be handed to the bot" in row.reason
    assert ears.sync() == ()
    # It stands in the way of nothing that really comes.
    assert ears.send().status == 202


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("hello", "no JSON object"),
        ('{"action": "hold"}', "no action"),
        ('{"action": "buy", "symbol": "DOGE", "time": "{{timenow}}"}', "none of the bot's symbols"),
        ('{"action": "{{plot_9}}", "symbol": "BTCUSDT"}', "was not filled in"),
        ('{"action": "buy", "symbol": "BTCUSDT", "time": "2020-01-01T00:00:00Z"}', "Expired"),
    ],
)
def test_a_test_says_what_is_wrong(body, words, ears):
    row = intake.test(ears.bot, body, tempo=TEMPO, now=ears.now)
    assert row.reason.startswith("A test: this would be rejected. ")
    assert words in row.reason


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=200)
    | st.text().map(lambda text: json.dumps({"secret": text}).encode()),
    source=st.text(max_size=20),
    stamp=st.text(max_size=20),
    signature=st.text(max_size=80),
)
def test_nothing_that_is_sent_without_proof_gets_in(ears, body, source, stamp, signature):
    answer = ears.knock(body, source=source, stamp=stamp, signature=signature)
    assert told(answer) == UNKNOWN


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["symbol", "ticker", "action", "position", "time", "id", "price"]), JSON
    )
)
def test_whatever_who_knows_the_secret_sends_is_answered_and_kept(ears, fields):
    ears.later(minutes=2)
    before = len(ears.rows())
    answer = ears.send(**fields)
    assert answer.status in (200, 202, 409, 422)
    assert len(ears.rows()) == before + (answer.status != 200)
