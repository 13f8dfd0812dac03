import hashlib
import hmac

import ccxt
import pytest

from app.practice import auth, keys
from app.practice.errors import Refusal
from app.practice.params import Params
from tests.practice.client import BTC, trade

KEY, SECRET = keys.new_key()
NOW = 1_790_000_000_000


def signed(text):
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def verify(query, body, *, key=KEY, **values):
    signature = values.pop("signature", signed(query + body))
    params = Params({"timestamp": str(NOW), "signature": signature} | values)
    auth.verify(key, query, f"{body}&signature={signature}", params, NOW)


def code(*args, **more):
    with pytest.raises(Refusal) as caught:
        verify(*args, **more)
    return caught.value.code


def test_query_and_body_are_signed_as_one():
    verify("symbol=BTCUSDT&side=BUY", "quantity=1")
    verify("", "quantity=1")
    verify("quantity=1", "")


def test_a_changed_parameter_is_noticed():
    signature = signed("quantity=1")
    assert code("quantity=2", "", signature=signature) == -1022


def test_keys_that_are_none():
    assert code("", "a=1", key="") == -2014
    assert code("", "a=1", key="somebody") == -2015


def test_the_window_around_the_time():
    verify("", "a=1", timestamp=str(NOW - 5000))
    assert code("", "a=1", timestamp=str(NOW - 5001)) == -1021
    assert code("", "a=1", timestamp=str(NOW + 1000)) == -1021
    verify("", "a=1", timestamp=str(NOW - 20_000), recvWindow="30000")
    assert code("", "a=1", recvWindow="60001") == -1131
    assert code("", "a=1", timestamp="") == -1102


def test_a_wrong_secret_is_an_authentication_error(base):
    key, _secret = keys.new_key()
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        trade(base, lambda client: client.fetch_balance(), (key, "wrong"))


def test_an_unknown_key_is_an_authentication_error(base):
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        trade(base, lambda client: client.fetch_balance(), ("stranger", "secret"))


def test_a_wrong_clock_is_a_nonce_error(base):
    async def work(client):
        client.nonce = lambda: client.milliseconds() - 60_000
        await client.fetch_positions([BTC])

    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        trade(base, work)
