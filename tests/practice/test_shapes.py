"""Answers have the fields, and the types, that the venue documents.

The tables are written by hand from the documentation of Binance USD-M futures at
https://developers.binance.com/docs/derivatives/usds-margined-futures (page named at each table)
and the response models of the venue's own client library, package
``binance-sdk-derivatives-trading-usds-futures``. Fields the documentation gives to other order
types only (``activatePrice``, ``priceRate``) are left out. A missing field fails, and so does one
too many: a client that relied on it would pass here and fail at the venue.
"""

import pytest

from tests.practice.client import BTC, get, trade

TEXT, WHOLE, FLAG, ROWS = str, int, bool, list


def table(text="", whole="", flag="", rows=""):
    kinds = ((text, TEXT), (whole, WHOLE), (flag, FLAG), (rows, ROWS))
    return {name: kind for names, kind in kinds for name in names.split()}


ORDER = table(
    text="avgPrice clientOrderId cumQuote executedQty origQty origType price side positionSide "
    "status stopPrice symbol timeInForce type workingType priceMatch selfTradePreventionMode",
    whole="orderId updateTime goodTillDate",
    flag="reduceOnly closePosition priceProtect",
)
# trade/rest-api/Query-Order, Current-All-Open-Orders, All-Orders
QUERIED = ORDER | table(whole="time")
# trade/rest-api/New-Order, Cancel-Order
CHANGED = ORDER | table(text="cumQty")
# trade/rest-api/New-Algo-Order
ALGO = table(
    text="clientAlgoId algoType orderType symbol side positionSide timeInForce quantity algoStatus "
    "triggerPrice price selfTradePreventionMode workingType priceMatch",
    whole="algoId createTime updateTime triggerTime goodTillDate",
    flag="closePosition priceProtect reduceOnly",
) | {"icebergQuantity": type(None)}
# trade/rest-api/Query-Algo-Order
ALGO_QUERIED = ALGO | table(text="actualOrderId actualPrice tpOrderType")
# trade/rest-api/Cancel-Algo-Order
ALGO_CANCELLED = table(text="clientAlgoId code msg", whole="algoId")
# trade/rest-api/Account-Trade-List
FILL = table(
    text="commission commissionAsset price qty quoteQty realizedPnl side positionSide symbol",
    whole="id orderId time",
    flag="buyer maker",
)
# account/rest-api/Get-Income-History
INCOME = table(text="symbol incomeType income asset info tradeId", whole="time tranId")
# trade/rest-api/Position-Information-V3
RISK_V3 = table(
    text="symbol positionSide positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit "
    "liquidationPrice isolatedMargin notional marginAsset isolatedWallet initialMargin maintMargin "
    "positionInitialMargin openOrderInitialMargin bidNotional askNotional",
    whole="adl updateTime",
)
# account/rest-api/Account-Information-V3
ACCOUNT_V3 = table(
    text="totalInitialMargin totalMaintMargin totalWalletBalance totalUnrealizedProfit "
    "totalMarginBalance totalPositionInitialMargin totalOpenOrderInitialMargin "
    "totalCrossWalletBalance totalCrossUnPnl availableBalance maxWithdrawAmount",
    rows="assets positions",
)
ASSET_V3 = table(
    text="asset walletBalance unrealizedProfit marginBalance maintMargin initialMargin "
    "positionInitialMargin openOrderInitialMargin crossWalletBalance crossUnPnl availableBalance "
    "maxWithdrawAmount",
    whole="updateTime",
)
POSITION_V3 = table(
    text="symbol positionSide positionAmt unrealizedProfit isolatedMargin notional isolatedWallet "
    "initialMargin maintMargin",
    whole="updateTime",
)
# account/rest-api/Futures-Account-Balance-V3
BALANCE = table(
    text="accountAlias asset balance crossWalletBalance crossUnPnl availableBalance "
    "maxWithdrawAmount",
    whole="updateTime",
    flag="marginAvailable",
)
# market-data/rest-api/Exchange-Information
SYMBOL = table(
    text="symbol pair contractType status maintMarginPercent requiredMarginPercent baseAsset "
    "quoteAsset marginAsset underlyingType triggerProtect liquidationFee marketTakeBound",
    whole="deliveryDate onboardDate pricePrecision quantityPrecision baseAssetPrecision "
    "quotePrecision settlePlan",
    rows="underlyingSubType filters orderTypes timeInForce",
)
# market-data/rest-api/Mark-Price
PREMIUM = table(
    text="symbol markPrice indexPrice estimatedSettlePrice lastFundingRate interestRate",
    whole="nextFundingTime time",
)
# market-data/rest-api/Open-Interest
INTEREST = table(text="openInterest symbol", whole="time")
# market-data/rest-api/24hr-Ticker-Price-Change-Statistics
DAY = table(
    text="symbol priceChange priceChangePercent weightedAvgPrice lastPrice lastQty openPrice "
    "highPrice lowPrice volume quoteVolume",
    whole="openTime closeTime firstId lastId count",
)
# market-data/rest-api/Compressed-Aggregate-Trades-List, Recent-Trades-List
AGGREGATE = table(text="p q nq", whole="a f l T", flag="m")
PRINT = table(text="price qty quoteQty", whole="id time", flag="isBuyerMaker")
# market-data/rest-api/Order-Book
DEPTH = table(whole="lastUpdateId E T", rows="bids asks")
# market-data/rest-api/Get-Funding-Rate-History
RATE = table(text="symbol fundingRate markPrice", whole="fundingTime")
# market-data/rest-api/Symbol-Order-Book-Ticker, Symbol-Price-Ticker-v2
BEST = table(text="symbol bidPrice bidQty askPrice askQty", whole="time lastUpdateId")
PRICE = table(text="symbol price", whole="time")


def check(row, expected):
    assert {name: type(value) for name, value in row.items()} == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("aggTrades?symbol=BTCUSDT&limit=5", AGGREGATE),
        ("trades?symbol=BTCUSDT&limit=5", PRINT),
        ("fundingRate?symbol=BTCUSDT&limit=3", RATE),
        ("premiumIndex", PREMIUM),
        ("ticker/24hr", DAY),
        ("ticker/bookTicker", BEST),
        ("ticker/price", PRICE),
    ],
)
def test_public_rows(base, path, expected):
    rows = get(f"{base}/fapi/v1/{path}", source="127.64.0.3")[1]
    for row in rows:
        check(row, expected)
    assert rows


def test_a_named_symbol_is_answered_with_one_object(base):
    named = (("premiumIndex", PREMIUM), ("openInterest", INTEREST), ("ticker/24hr", DAY))
    for path, expected in (*named, ("depth", DEPTH)):
        check(get(f"{base}/fapi/v1/{path}?symbol=SOLUSDT", source="127.64.0.3")[1], expected)


def test_candles(base):
    """market-data/rest-api/Kline-Candlestick-Data: twelve fields, prices and volumes as text."""
    rows = get(f"{base}/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=3", source="127.64.0.3")[1]
    kinds = [WHOLE, TEXT, TEXT, TEXT, TEXT, TEXT, WHOLE, TEXT, WHOLE, TEXT, TEXT, TEXT]
    for row in rows:
        assert [type(value) for value in row] == kinds
        assert row[6] - row[0] == 3_599_999


def test_exchange_information(base):
    body = get(f"{base}/fapi/v1/exchangeInfo", source="127.64.0.3")[1]
    for row in body["symbols"]:
        check(row, SYMBOL)
        assert {one["filterType"] for one in row["filters"]} == {
            "PRICE_FILTER",
            "LOT_SIZE",
            "MARKET_LOT_SIZE",
            "MAX_NUM_ORDERS",
            "MAX_NUM_ALGO_ORDERS",
            "MIN_NOTIONAL",
            "PERCENT_PRICE",
        }
    assert {one["rateLimitType"] for one in body["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS"}


async def everything(client):
    """One answer of each private kind, as the wire carried it."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "newOrderRespType": "RESULT"}
    market = {**order, "type": "MARKET", "quantity": "0.02"}
    low = round((await client.fetch_ticker(BTC))["last"] * 0.97, 1)
    limit = {**order, "type": "LIMIT", "quantity": "0.01", "price": low, "timeInForce": "GTC"}
    stop = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET"}
    stop |= {"triggerPrice": low, "quantity": "0.01", "reduceOnly": "true"}
    seen = {"new": await client.fapiPrivatePostOrder(market)}
    resting = seen["rest"] = await client.fapiPrivatePostOrder(limit)
    algo = seen["algo"] = await client.fapiPrivatePostAlgoOrder(stop)
    named = {"symbol": "BTCUSDT"}
    seen["open"] = (await client.fapiPrivateGetOpenOrders(named))[0]
    seen["all"] = (await client.fapiPrivateGetAllOrders(named))[0]
    seen["query"] = await client.fapiPrivateGetOrder({**named, "orderId": resting["orderId"]})
    seen["waiting"] = (await client.fapiPrivateGetOpenAlgoOrders(named))[0]
    seen["algo query"] = await client.fapiPrivateGetAlgoOrder({"algoId": algo["algoId"]})
    seen["risk"] = (await client.fapiPrivateV3GetPositionRisk())[0]
    seen["account"] = await client.fapiPrivateV3GetAccount()
    seen["balance"] = (await client.fapiPrivateV3GetBalance())[0]
    seen["fill"] = (await client.fapiPrivateGetUserTrades(named))[0]
    seen["incomes"] = await client.fapiPrivateGetIncome()
    seen["cancel"] = await client.fapiPrivateDeleteOrder({**named, "orderId": resting["orderId"]})
    seen["algo cancel"] = await client.fapiPrivateDeleteAlgoOrder({"algoId": algo["algoId"]})
    return seen


def test_private_rows(base):
    # ccxt turns whole numbers of an answer into text unless told otherwise.
    seen = trade(base, everything, quoteJsonNumbers=False)
    for name in ("new", "rest", "cancel"):
        check(seen[name], CHANGED)
    for name in ("open", "all", "query"):
        check(seen[name], QUERIED)
    check(seen["algo"], ALGO)
    check(seen["waiting"], ALGO_QUERIED)
    check(seen["algo query"], ALGO_QUERIED)
    check(seen["algo cancel"], ALGO_CANCELLED)
    check(seen["risk"], RISK_V3)
    check(seen["account"], ACCOUNT_V3)
    check(seen["account"]["assets"][0], ASSET_V3)
    check(seen["account"]["positions"][0], POSITION_V3)
    check(seen["balance"], BALANCE)
    check(seen["fill"], FILL)
    for row in seen["incomes"]:
        check(row, INCOME)
