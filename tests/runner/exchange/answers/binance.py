from tests.runner.exchange.test_wire import ALGO, INFO, ORDER


def answer(seen):
    if seen.path.endswith("exchangeInfo"):
        return 200, INFO
    return 200, ALGO if "algo" in seen.path else ORDER
