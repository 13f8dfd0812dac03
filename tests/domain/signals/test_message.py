"""What senders write: understood as they mean it, refused in words, and never a crash."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.signals.message import Rejected, clean, decoded, read, spelt
from runner.protocol import SignalAction

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
AT = "2026-11-30T09:00:00Z"
NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)


def message(**fields):
    return read({"action": "buy", "time": AT} | fields, [BTC, ETH], {"XBTUSD": BTC})


@pytest.mark.parametrize(
    "name",
    [
        *(BTC, "BTCUSDT", "btcusdt", "BTCUSDT.P", "BINANCE:BTCUSDT.P", "BYBIT:BTCUSDT.P"),
        *("BTC/USDT", "BTC-USDT-SWAP", "BTCUSDTPERP", "BTC_USDT", "XBTUSD", "xbtusd"),
    ],
)
def test_a_symbol_is_known_however_charts_spell_it(name):
    assert message(symbol=name).symbol == BTC
    assert message(ticker=name).symbol == BTC


@pytest.mark.parametrize("name", ["SOLUSDT", "BTC", "BTCUSD", "", "BTCUSDTX", "???"])
def test_another_symbol_is_refused_and_named(name):
    with pytest.raises(Rejected) as refusal:
        message(symbol=name)
    assert refusal.value.code == "symbol"


def test_what_is_spelt_like_two_symbols_is_neither():
    with pytest.raises(Rejected, match="none of the bot's symbols"):
        read(
            {"action": "buy", "time": AT, "symbol": "BTCUSD"},
            ["BTC/USD:BTC", "BTC/USD:USD"],
            {},
        )


def test_a_bot_with_one_symbol_needs_none_named():
    assert read({"action": "buy", "time": AT}, [BTC], {}).symbol == BTC
    with pytest.raises(Rejected, match="names no symbol"):
        message()


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"action": "buy"}, "long"),
        ({"action": "LONG"}, "long"),
        ({"action": "sell"}, "short"),
        ({"action": "Short"}, "short"),
        ({"action": "close"}, "close"),
        ({"action": "exit"}, "close"),
        ({"action": "flat"}, "close"),
        # A sell that closes a long opens no short: the position after the order counts.
        ({"action": "sell", "position": "flat"}, "close"),
        ({"action": "sell", "position": "short"}, "short"),
        ({"action": "buy", "position": "flat"}, "close"),
        ({"action": "buy", "position": ""}, "long"),
        ({"action": "", "position": "long"}, "long"),
    ],
)
def test_actions(fields, action):
    assert message(symbol=BTC, **fields).action is SignalAction(action)


@pytest.mark.parametrize("action", ["", "hold", "buy!", "1", None, True, 5, [], {"a": 1}, "买"])
def test_no_action_is_refused(action):
    with pytest.raises(Rejected) as refusal:
        message(symbol=BTC, action=action)
    assert refusal.value.code == "action"


@pytest.mark.parametrize(
    "moment",
    [AT, "2026-11-30T10:00:00+01:00", NINE.timestamp(), int(NINE.timestamp()) * 1000, f" {AT} "],
)
def test_times(moment):
    assert message(symbol=BTC, time=moment).sent_at == NINE


@pytest.mark.parametrize(
    "moment",
    [
        *(None, "", "now", "2026-11-30T09:00:00", "{{timenow}}", True, [], {}, 1e400, -1e300),
        *(float("nan"), 10**300, "0001-01-01T00:00:00+23:59"),
    ],
)
def test_no_time_is_refused(moment):
    with pytest.raises(Rejected) as refusal:
        message(symbol=BTC, time=moment)
    assert refusal.value.code == "time"


def test_a_placeholder_that_was_not_filled_in_is_named():
    with pytest.raises(Rejected, match=r"strategy\.order\.action.*was not filled in"):
        message(symbol=BTC, action="{{strategy.order.action}}")


def test_a_signature_says_when_it_was_sent():
    asked = read({"action": "buy"}, [BTC], {}, NINE)
    assert asked.sent_at == NINE


def test_the_secret_is_not_kept():
    asked = message(symbol=BTC, secret="s3cret", comment="c" * 500)
    assert "s3cret" not in repr(asked)
    assert asked.said["comment"] == "c" * 100


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        *((it, "empty", "It is empty") for it in (b"", b" ", b"\r\n")),
        *((it, "unreadable", "no JSON object.") for it in (b"null", b"[]", b"1", b'"buy"', b"NaN")),
        (b"{", "unreadable", "no JSON object (line 1, column 2)"),
        (b'{"a": NaN', "unreadable", "(line 1, column 10)"),
        (b"buy BTCUSDT", "unreadable", "(line 1, column 1)"),
        (b'{\n"a": 1,}', "unreadable", "(line 2, column "),
        (b"\x00", "unreadable", "(line 1, column 1)"),
        (b"\xff\xfe{}", "encoding", "no UTF-8 text, beginning with its byte 1."),
        (b'{"comment": "caf\xe9"}', "encoding", "its byte 17."),
        *((it, "endless", "nested too deeply") for it in (b"[" * 8000, b'{"a":' * 1600)),
        (b'{"a": ' + b"9" * 5000 + b"}", "endless", "a number too long"),
        (b'{"action": "buy", "action": "sell"}', "twice", "“action” more than once"),
        (b'{"a": {"x": 1, "x": 2}}', "twice", "“a field” more than once"),
    ],
)
def test_what_is_no_object_is_refused_with_what_is_wrong(body, code, words):
    with pytest.raises(Rejected) as refusal:
        decoded(body)
    assert refusal.value.code == code
    assert words in str(refusal.value)


def test_a_number_that_is_none_does_no_harm_where_it_is_only_shown():
    said = decoded(b'{"action": "buy", "price": NaN, "time": 1785000000}')
    assert message(symbol=BTC, **{**said, "time": 1785000000}).said["price"] == "nan"
    for field in ("action", "time", "symbol"):
        for value in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
            wrong = decoded(b'{"%s": %s}' % (field.encode(), value))
            with pytest.raises(Rejected) as refusal:
                message(**({"symbol": BTC} | wrong))
            assert refusal.value.code == field


def test_a_byte_order_mark_is_no_fault():
    assert decoded(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["secret", "symbol", "ticker", "action", "position", "time", "id", "price", "comment"]
)


def tried(read_it, *arguments):
    """What was read, or the refusal."""
    try:
        return read_it(*arguments)
    except Rejected as refusal:
        return refusal


@given(st.dictionaries(FIELDS, ANYTHING, max_size=9))
def test_whatever_the_fields_hold_it_is_read_or_refused(fields):
    found = tried(read, fields, [BTC, ETH], {"X": BTC})
    words = str(found) if isinstance(found, Rejected) else json.dumps(found.said)
    assert words.encode()
    assert "\x00" not in words
    assert isinstance(found, Rejected) or found.symbol in (BTC, ETH)


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_they_are_read_or_refused(body):
    found = tried(decoded, body)
    assert isinstance(found, dict) or found.status == 422


@given(st.text())
def test_kept_texts_are_short_plain_and_fit_every_database(text):
    kept = clean(text)
    assert len(kept) <= 100
    assert kept.encode().decode() == kept
    assert not any(ord(letter) < 32 for letter in kept)
    spelt(text)
