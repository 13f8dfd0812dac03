from tests.fakes.venues import okx
from tests.runner.exchange.taken_on import CLIENT_ID

TAKEN = {"ordId": "3122", "algoId": "12345689", "clOrdId": CLIENT_ID, "sCode": "0", "sMsg": ""}


def answer(seen):
    if "instruments" in seen.path:
        return 200, {"code": "0", "data": [okx.INSTRUMENT], "msg": ""}
    return 200, {"code": "0", "data": [] if seen.method == "GET" else [TAKEN], "msg": ""}
