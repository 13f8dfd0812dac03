"""Each venue's signature computed from its documentation, not from ccxt.

Binance: "SIGNED endpoints": HMAC SHA256 of query string and body, hex.
Bybit: https://bybit-exchange.github.io/docs/v5/guide, "Authentication": HMAC SHA256 of timestamp,
key, receive window and query string or body, hex.
OKX: https://www.okx.com/docs-v5/en/#overview-rest-authentication: base64 of HMAC SHA256 of
timestamp, method, request path (with query) and body.
KuCoin: https://www.kucoin.com/docs-new/authentication: base64 of HMAC SHA256 of timestamp, method,
endpoint (with query) and body; the passphrase is hashed with the secret in the same way.
"""

import base64
import hashlib
import hmac


def _digest(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256)


def binance(seen, key, secret):
    """Given and expected signature, and the key the request names."""
    signed, _, given = (seen.query + seen.body).rpartition("&signature=")
    assert seen.headers["X-MBX-APIKEY"] == key.api_key
    return given, _digest(secret, signed).hexdigest()


def bybit(seen, key, secret):
    headers = seen.headers
    assert headers["X-BAPI-API-KEY"] == key.api_key
    text = headers["X-BAPI-TIMESTAMP"] + key.api_key + headers["X-BAPI-RECV-WINDOW"]
    return headers["X-BAPI-SIGN"], _digest(secret, text + (seen.body or seen.query)).hexdigest()


def okx(seen, key, secret):
    headers = seen.headers
    assert headers["OK-ACCESS-KEY"] == key.api_key
    assert headers["OK-ACCESS-PASSPHRASE"] == key.passphrase
    text = headers["OK-ACCESS-TIMESTAMP"] + seen.method + seen.raw_path + seen.body
    return headers["OK-ACCESS-SIGN"], base64.b64encode(_digest(secret, text).digest()).decode()


def kucoin(seen, key, secret):
    headers = seen.headers
    assert headers["KC-API-KEY"] == key.api_key
    phrase = base64.b64encode(_digest(secret, key.passphrase).digest()).decode()
    assert headers["KC-API-PASSPHRASE"] == phrase
    text = headers["KC-API-TIMESTAMP"] + seen.method + seen.raw_path + seen.body
    return headers["KC-API-SIGN"], base64.b64encode(_digest(secret, text).digest()).decode()


OF = {"binance": binance, "bybit": bybit, "okx": okx, "kucoin": kucoin}
