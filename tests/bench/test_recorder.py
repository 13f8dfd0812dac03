import json
import time
from urllib.request import urlopen

import pytest

from tests.bench.recorder import Recorder
from tests.runner.machine import Practice


def test_it_passes_requests_on_and_knows_when_candles_were_first_asked_for(tmp_path):
    began = time.monotonic()
    with Practice(tmp_path) as practice, Recorder(practice.url) as proxy:
        with urlopen(f"{proxy.url}/fapi/v1/time", timeout=10) as answer:
            assert json.load(answer)["serverTime"]
        with pytest.raises(TimeoutError, match="/fapi/v1/time"):
            proxy.first_candles(0)
        query = "symbol=BTCUSDT&interval=1m&limit=3"
        with urlopen(f"{proxy.url}/fapi/v1/klines?{query}", timeout=10) as answer:
            assert len(json.load(answer)) == 3
        assert proxy.first_candles(0) > began
        assert proxy.since(began) == 2
        proxy.forget()
        assert proxy.since(began) == 0
