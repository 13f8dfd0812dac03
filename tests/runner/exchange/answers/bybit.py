from tests.fakes.venues import bybit
from tests.runner.exchange.taken_on import CLIENT_ID


def answer(seen):
    rows = [bybit.INSTRUMENT] if "instruments" in seen.path else []
    taken = {"orderId": "c6f055d9", "orderLinkId": CLIENT_ID}
    return 200, bybit.enveloped({"category": "linear", "list": rows, **taken})
