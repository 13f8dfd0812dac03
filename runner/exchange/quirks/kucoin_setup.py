"""How ccxt's class for KuCoin's futures is set up; sources as in ``kucoin``."""

from __future__ import annotations

from typing import Any

_VERSION = "KC-API-KEY-VERSION"
_SPANS = ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "1w")


def set_up(api: Any) -> None:
    """Else ccxt names itself as a partner and asks a signed spot call for instruments.

    It would also offer candles that the futures have not ("Get Klines", granularity).
    """
    api.options["partner"] = {}
    api.timeframes = {name: api.timeframes[name] for name in _SPANS}
    api.fetch_markets = api.fetch_contract_markets
    _sign_for_version_3(api)
    _list_perpetuals_alone(api)


def _sign_for_version_3(api: Any) -> None:
    """Else ccxt writes that the key is of version 2; KuCoin takes those no more (400008)."""
    sign = api.sign

    def signed(*arguments: Any) -> Any:
        request = sign(*arguments)
        if _VERSION in request["headers"]:
            request["headers"][_VERSION] = "3"
        return request

    api.sign = signed


def _list_perpetuals_alone(api: Any) -> None:
    """Else ccxt trips over a contract with neither a next funding nor an end, and lists none."""
    ask = api.futuresPublicGetContractsActive

    async def perpetuals(params: dict[str, Any]) -> Any:
        answer = await ask(params)
        rows = [row for row in answer["data"] if row.get("nextFundingRateTime") is not None]
        return {**answer, "data": rows}

    api.futuresPublicGetContractsActive = perpetuals
