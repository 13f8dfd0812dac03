from tests.fakes.venues import kucoin
from tests.runner.exchange.taken_on import CLIENT_ID


def answer(seen):
    if seen.path.endswith("contracts/active"):
        return 200, kucoin.enveloped([kucoin.INSTRUMENT])
    if seen.path.endswith("getCrossUserLeverage"):
        return 200, kucoin.enveloped({"symbol": kucoin.SYMBOL, "leverage": "7"})
    if seen.method == "GET":
        return 200, kucoin.refusal("100001", "error.getOrder.orderNotExist")
    return 200, kucoin.enveloped({"orderId": "2341251", "clientOid": CLIENT_ID})
