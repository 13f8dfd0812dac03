from tests.fakes.venues import phemex
from tests.runner.exchange.taken_on import CLIENT_ID

TAKEN = {"bizError": 0, "orderID": "ab90a08c", "clOrdID": CLIENT_ID}


def answer(seen):
    if "products" in seen.path:
        return 200, phemex.enveloped([] if "v1" in seen.path else phemex.PRODUCTS)
    rows = {"rows": [], "nextPageArg": ""}
    return 200, phemex.enveloped(rows if seen.method == "GET" else TAKEN)
