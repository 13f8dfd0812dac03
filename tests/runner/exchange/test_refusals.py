"""What each venue's documented refusals mean to an order and to a reading, and what a user reads.

Bodies: Binance "Error Code" (USDⓈ-M Futures) and "HTTP Return Codes"; Bybit
https://bybit-exchange.github.io/docs/v5/error; OKX https://www.okx.com/docs-v5/en/#error-code;
KuCoin https://www.kucoin.com/docs-new/error-code; Phemex
https://phemex-docs.github.io/#bizerror-field and #http-return-codes.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web

from runner.errors import Operational, Temporary, UnknownOutcome
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.causes import MAY_HAVE_HAPPENED, PASSING, SENTENCES, Cause
from runner.exchange.failures import wait_until
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.catalog import VENUES
from runner.protocol import Mode, Side
from tests.fakes.venues.bybit import enveloped
from tests.fakes.venues.kucoin import refusal
from tests.runner.exchange.test_fake_venues import run
from tests.runner.exchange.test_wire import Capture, at_venue
from tests.runner.machine import SYMBOL

ORDER = OrderRequest("plx1", SYMBOL, Side.BUY, OrderKind.MARKET, Decimal("0.02"))
STOP = OrderRequest(
    "plx2", SYMBOL, Side.SELL, OrderKind.STOP_MARKET, Decimal("0.02"), Decimal(1000), True
)
DONE, LATER, WHO_KNOWS = Operational, Temporary, UnknownOutcome
BINANCE = [
    (400, -2014, "API-key format invalid.", DONE, Cause.KEY_WRONG),
    (401, -2015, "Invalid API-key, IP, or permissions for action.", DONE, Cause.KEY_REFUSED),
    (400, -1022, "Signature for this request is not valid.", DONE, Cause.KEY_WRONG),
    (400, -2019, "Margin is insufficient.", DONE, Cause.FUNDS),
    (400, -4164, "Order's notional must be no smaller than 100", DONE, Cause.MINIMUM),
    (400, -1111, "Precision is over the maximum defined", DONE, Cause.PRECISION),
    (400, -2021, "Order would immediately trigger.", DONE, Cause.PRICE),
    (400, -2022, "ReduceOnly Order is rejected.", DONE, Cause.REDUCE_ONLY),
    (400, -2027, "Exceeded the maximum allowable position", DONE, Cause.TOO_MANY),
    (400, -4061, "Order's position side does not match", DONE, Cause.POSITION_MODE),
    (400, -4140, "Invalid symbol status for opening position.", DONE, Cause.DELISTED),
    (400, -1121, "Invalid symbol.", DONE, Cause.DELISTED),
    (400, -1021, "Timestamp for this request is outside", LATER, Cause.CLOCK),
    (429, -1003, "Too many requests; current limit is 2400", LATER, Cause.RATE),
    (429, -1015, "Too many new orders; current limit is 300", LATER, Cause.RATE),
    (503, -1008, "Request throttled by system-level protection.", LATER, Cause.BUSY),
    (503, -1016, "This service is no longer available.", LATER, Cause.MAINTENANCE),
    (408, -1007, "Timeout waiting for response from backend.", WHO_KNOWS, Cause.UNKNOWN),
    (500, -1006, "An unexpected response was received.", WHO_KNOWS, Cause.UNKNOWN),
    (400, -4116, "ClientOrderId is duplicated.", WHO_KNOWS, Cause.DUPLICATE),
    (400, -7777, "A code nobody documented.", WHO_KNOWS, None),
]
BYBIT = [
    (200, 10003, "API key is invalid.", DONE, Cause.KEY_WRONG),
    (200, 33004, "Your api key has expired.", DONE, Cause.KEY_EXPIRED),
    (200, 10010, "Unmatched IP, please check your API key's bound IP", DONE, Cause.ADDRESS),
    (200, 10005, "Permission denied, please check your API key", DONE, Cause.PERMISSION),
    (200, 10004, "Error sign, please check your signature", DONE, Cause.KEY_WRONG),
    (200, 10024, "Compliance rules triggered", DONE, Cause.ACCOUNT),
    (200, 110007, "ab not enough for new order", DONE, Cause.FUNDS),
    (200, 110094, "Order does not meet minimum order value", DONE, Cause.MINIMUM),
    (200, 110017, "Reduce-only rule not satisfied", DONE, Cause.REDUCE_ONLY),
    (200, 110093, "expect Falling, but trigger_price >= current", DONE, Cause.PRICE),
    (200, 110074, "This contract is not live", DONE, Cause.DELISTED),
    (200, 10002, "invalid request, please check your timestamp", LATER, Cause.CLOCK),
    (200, 10006, "Too many visits. Exceeded the API Rate Limit.", LATER, Cause.RATE),
    (200, 10018, "Exceeded the IP Rate Limit.", LATER, Cause.RATE),
    (200, 110066, "No trading is allowed at the current time", LATER, Cause.MAINTENANCE),
    (200, 10000, "Server Timeout", WHO_KNOWS, Cause.UNKNOWN),
    (200, 10016, "Server error.", WHO_KNOWS, Cause.UNKNOWN),
    (200, 110072, "OrderLinkedID is duplicate", WHO_KNOWS, Cause.DUPLICATE),
    (200, 999_999, "A code nobody documented.", WHO_KNOWS, None),
    (502, 0, "", WHO_KNOWS, None),
]
OKX = [
    (401, "50111", "Invalid OK-ACCESS-KEY", DONE, Cause.KEY_WRONG),
    (401, "50105", "OK-ACCESS-PASSPHRASE incorrect.", DONE, Cause.KEY_WRONG),
    (401, "50113", "Invalid Sign", DONE, Cause.KEY_WRONG),
    (401, "50119", "API key doesn't exist", DONE, Cause.KEY_EXPIRED),
    (401, "50110", "Your IP 1.2.3.4 is not included in your API key's", DONE, Cause.ADDRESS),
    (401, "50101", "APIKey does not match current environment.", DONE, Cause.ENVIRONMENT),
    (200, "50120", "This API key doesn't have permission to use this", DONE, Cause.PERMISSION),
    (200, "51008", "Order failed. Insufficient USDT margin", DONE, Cause.FUNDS),
    (200, "51020", "Your order should meet or exceed the minimum", DONE, Cause.MINIMUM),
    (200, "51121", "Order quantity must be a multiple of the lot size", DONE, Cause.PRECISION),
    (200, "51001", "Instrument ID does not exist", DONE, Cause.DELISTED),
    (200, "51028", "Contract under delivery.", DONE, Cause.DELISTED),
    (200, "51278", "SL trigger price can't be lower", DONE, Cause.PRICE),
    (429, "50011", "Too Many Requests", LATER, Cause.RATE),
    (200, "50061", "You've reached the maximum order rate limit", LATER, Cause.RATE),
    (503, "50001", "Service temporarily unavailable.", LATER, Cause.MAINTENANCE),
    (503, "50013", "Systems are busy. Please try again later.", LATER, Cause.BUSY),
    (200, "50102", "Timestamp request expired", LATER, Cause.CLOCK),
    (400, "50004", "API endpoint request timeout", WHO_KNOWS, Cause.UNKNOWN),
    (500, "50026", "System error. Try again later", WHO_KNOWS, Cause.UNKNOWN),
    (200, "51016", "Client order ID already exists.", WHO_KNOWS, Cause.DUPLICATE),
    (200, "59999", "A code nobody documented.", WHO_KNOWS, None),
]

KUCOIN = [
    (401, "400003", "KC-API-KEY does not exist.", DONE, Cause.KEY_WRONG),
    (401, "400004", "Invalid KC-API-PASSPHRASE.", DONE, Cause.KEY_WRONG),
    (401, "400005", "Invalid KC-API-SIGN.", DONE, Cause.KEY_WRONG),
    (401, "400008", "V1 & V2 API keys are no longer supported", DONE, Cause.KEY_EXPIRED),
    (401, "400006", "Invalid request IP, the current client IP is", DONE, Cause.ADDRESS),
    (403, "400007", "Access denied, requires more permission.", DONE, Cause.PERMISSION),
    (403, "400301", "Operation restricted due to local laws", DONE, Cause.ACCOUNT),
    (200, "330005", "Please switch your margin mode to cross", DONE, Cause.ACCOUNT),
    (200, "330012", "Your order is in One-Way Mode, while your", DONE, Cause.POSITION_MODE),
    (200, "300003", "Balance not enough", DONE, Cause.FUNDS),
    (200, "300009", "No open positions to close.", DONE, Cause.REDUCE_ONLY),
    (200, "300012", "Order price cannot be lower than 100", DONE, Cause.PRICE),
    (200, "300005", "risk limit exceeded", DONE, Cause.TOO_MANY),
    (200, "300016", "The leverage cannot be greater than 100.", DONE, Cause.LEVERAGE),
    (200, "100003", "Contract parameter invalid", DONE, Cause.DELISTED),
    (200, "100001", "There are invalid parameters", DONE, Cause.REQUEST),
    (400, "400002", "Invalid KC-API-TIMESTAMP.", LATER, Cause.CLOCK),
    (429, "429000", "Too Many Requests", LATER, Cause.RATE),
    (200, "200002", "Too many requests in a short period of time", LATER, Cause.RATE),
    (200, "300002", "Order placement/cancellation suspended", LATER, Cause.MAINTENANCE),
    (200, "300015", "undergoing the settlement process", LATER, Cause.BUSY),
    (500, "500000", "Internal Server Error", WHO_KNOWS, Cause.UNKNOWN),
    (200, "300018", "clientOid parameter repeated", WHO_KNOWS, Cause.DUPLICATE),
    (200, "999999", "A code nobody documented.", WHO_KNOWS, None),
    (502, "", "", WHO_KNOWS, None),
]

PHEMEX = [
    (401, 401, "401 Failed to load API KEY.", DONE, Cause.KEY_REFUSED),
    (200, 34003, "Access forbidden", DONE, Cause.PERMISSION),
    (200, 11022, "TE_REJECT_DUE_TO_BANNED", DONE, Cause.ACCOUNT),
    (200, 11001, "TE_NO_ENOUGH_AVAILABLE_BALANCE", DONE, Cause.FUNDS),
    (200, 11082, "TE_CANNOT_COVER_ESTIMATE_ORDER_LOSS", DONE, Cause.FUNDS),
    (200, 11115, "TE_ORDER_VALUE_TOO_SMALL", DONE, Cause.MINIMUM),
    (200, 11058, "TE_QTY_TOO_SMALL", DONE, Cause.MINIMUM),
    (200, 11057, "TE_QTY_NOT_MATCH_REDUCE_ONLY", DONE, Cause.REDUCE_ONLY),
    (200, 11044, "TE_FALLING_TRIGGER_DIRECTLY", DONE, Cause.PRICE),
    (200, 11053, "TE_PRICE_TOO_LARGE", DONE, Cause.PRICE),
    (200, 11031, "TE_SO_NUM_EXCEEDS", DONE, Cause.TOO_MANY),
    (200, 11081, "TE_RISK_LIMIT_EXCEEDS", DONE, Cause.TOO_MANY),
    (200, 11027, "TE_SYMBOL_INVALID", DONE, Cause.DELISTED),
    (200, 20004, "TE_ERR_INCONSISTENT_POS_MODE", DONE, Cause.POSITION_MODE),
    (200, 11036, "TE_TIME_IN_FORCE_INVALID", DONE, Cause.REQUEST),
    (429, 429, "Too many requests", LATER, Cause.RATE),
    (200, 39995, "Too many requests.", LATER, Cause.RATE),
    (200, 11024, "TE_REJECT_DUE_TO_IN_PROCESS_OF_ADL", LATER, Cause.BUSY),
    (200, 11042, "TE_NO_LAST_PRICE", LATER, Cause.BUSY),
    (200, 11107, "TE_CANNOT_CONNECT_TO_REQUEST_SEQ", WHO_KNOWS, Cause.UNKNOWN),
    (200, 19999, "REQUEST_IS_DUPLICATED", WHO_KNOWS, Cause.UNKNOWN),
    (200, 11085, "TE_CL_ORD_ID_DUPLICATE", WHO_KNOWS, Cause.DUPLICATE),
    (200, 10001, "OM_DUPLICATE_ORDERID", WHO_KNOWS, Cause.DUPLICATE),
    (200, 99_999, "A code nobody documented.", WHO_KNOWS, None),
    (503, 0, "", WHO_KNOWS, None),
]


def judge(error, kind, cause):
    assert type(error) is kind
    if cause is not None:
        assert SENTENCES[cause] in str(error)
    assert "signature=" not in str(error)


@pytest.mark.parametrize(("status", "code", "said", "kind", "cause"), BINANCE)
def test_binance(status, code, said, kind, cause):
    async def refuse(_):
        return web.json_response({"code": code, "msg": said}, status=status)

    with pytest.raises((Operational, Temporary, UnknownOutcome)) as caught:
        at_venue(Capture(refuse), lambda broker: broker.place(ORDER))
    judge(caught.value, kind, cause)
    if cause is not None:
        assert str(code) in str(caught.value), "the venue's own words stand beside ours"


def refused(exchange, tmp_path, path, answers, order=ORDER):
    async def story(fake, bench, _desk):
        fake.trouble[path] = list(answers)
        with pytest.raises((Operational, Temporary, UnknownOutcome)) as caught:
            await bench.broker.place(order)
        return caught.value

    return run(exchange, tmp_path, story)


@pytest.mark.parametrize(("status", "code", "said", "kind", "cause"), BYBIT)
def test_bybit(tmp_path, status, code, said, kind, cause):
    body = enveloped({}, code, said)
    error = refused("bybit", tmp_path, "/v5/order/create", [(status, body, {})])
    judge(error, kind, cause)


@pytest.mark.parametrize(("status", "code", "said", "kind", "cause"), OKX)
@pytest.mark.parametrize("shape", ["envelope", "order"])
def test_okx(tmp_path, status, code, said, kind, cause, shape):
    row = {"ordId": "", "clOrdId": "plx1", "tag": "", "sCode": code, "sMsg": said}
    body = {"code": code, "data": [], "msg": said}
    if shape == "order":
        body = {"code": "1", "data": [row], "msg": "All operations failed"}
    error = refused("okx", tmp_path, "/api/v5/trade/order", [(status, body, {})])
    judge(error, kind, cause)


@pytest.mark.parametrize(("status", "code", "said", "kind", "cause"), KUCOIN)
def test_kucoin(tmp_path, status, code, said, kind, cause):
    body = refusal(code, said) if code else "<html>Bad Gateway</html>"
    error = refused("kucoin", tmp_path, "/api/v1/orders", [(status, body, {})])
    judge(error, kind, cause)


@pytest.mark.parametrize(("status", "code", "said", "kind", "cause"), PHEMEX)
def test_phemex(tmp_path, status, code, said, kind, cause):
    body = {"code": code, "msg": said, "data": None}
    error = refused("phemex", tmp_path, "/g-orders", [(status, body, {})])
    judge(error, kind, cause)


def test_a_phemex_envelope_that_says_yes_does_not_hide_an_order_that_says_no(tmp_path):
    """ "bizError: 0 means processing normally, and non-zero values mean wrong state"."""
    body = {"code": 0, "msg": "", "data": {"bizError": 11001, "orderID": "x", "clOrdID": "plx1"}}
    error = refused("phemex", tmp_path, "/g-orders", [(200, body, {})])
    judge(error, DONE, Cause.FUNDS)


def test_a_maintenance_page_before_phemex_leaves_an_order_unknown(tmp_path):
    """ "HTTP 5XX: this doesn't mean the operation failed, the status is UNKNOWN"."""
    page = "<html>We will be back soon</html>"
    error = refused("phemex", tmp_path, "/g-orders", [(503, page, {})])
    assert type(error) is UnknownOutcome


@pytest.mark.parametrize(
    ("code", "kind"), [("51000", Operational), ("51149", UnknownOutcome), ("51169", Operational)]
)
def test_an_okx_envelope_that_says_yes_does_not_hide_an_order_that_says_no(tmp_path, code, kind):
    """As recorded: code 0 around an algo order that was refused, or of which nobody knows."""
    row = {"algoId": "379625", "algoClOrdId": "plx2", "sCode": code, "sMsg": "as recorded"}
    body = {"code": "0", "data": [row], "msg": ""}
    error = refused("okx", tmp_path, "/api/v5/trade/order-algo", [(200, body, {})], STOP)
    assert type(error) is kind


def test_a_closed_order_is_found_after_bybit_forgot_it(tmp_path):
    async def story(fake, bench, _desk):
        await bench.broker.place(ORDER)
        fake.forgotten = True
        return await bench.broker.find(ORDER)

    assert run("bybit", tmp_path, story).filled == Decimal("0.02")


def test_each_cause_has_a_sentence_and_each_code_a_cause():
    assert SENTENCES.keys() == set(Cause)
    assert not MAY_HAVE_HAPPENED & PASSING
    for name in VENUES:
        assert set(venue_of(name, Mode.PAPER).codes.values()) <= set(Cause)
    for sentence in SENTENCES.values():
        assert sentence[0].islower()
        assert not sentence.endswith(".")


NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
IN_A_MINUTE = str(int((NOW + timedelta(minutes=1)).timestamp() * 1000))


@pytest.mark.parametrize(
    ("said", "headers", "seconds"),
    [
        ("", {}, None),
        ("", {"Retry-After": "30"}, 30),
        ("", {"retry-after": "9999999999"}, 3 * 86_400),
        ("", {"Retry-After": "soon"}, None),
        ("", {"Retry-After": "-5"}, None),
        (f"IP banned until {IN_A_MINUTE}. Please", {"Retry-After": "30"}, 60),
        ("IP banned until 1000000000000.", {}, None),
        ("", {"X-Bapi-Limit-Reset-Timestamp": IN_A_MINUTE}, 60),
        ("", {"X-Bapi-Limit-Reset-Timestamp": ""}, None),
        ("", {"gw-ratelimit-reset": "4500"}, 4.5),
        ("", {"gw-ratelimit-reset": "9" * 30}, 3 * 86_400),
        ("", {"gw-ratelimit-reset": "-1"}, None),
        ("", {"x-ratelimit-retry-after-CONTRACT": "12"}, 12),
        ("", {"x-ratelimit-retry-after": "12", "x-ratelimit-remaining": "0"}, 12),
        ("", {"x-ratelimit-retry-afterwards": "12"}, None),
    ],
)
def test_how_long_the_venue_asks_to_wait(said, headers, seconds):
    found = wait_until(said, headers, NOW)
    assert found == (None if seconds is None else NOW + timedelta(seconds=seconds))
