"""Money and risk: the signed routes for balances, positions, leverage and income."""

from __future__ import annotations

from typing import Any

from app.practice import errors, shapes
from app.practice.errors import Refusal
from app.practice.instruments import INSTRUMENTS, MAKER_FEE, TAKER_FEE, Instrument
from app.practice.orders import Income
from app.practice.routes import Call, signed
from app.practice.shapes import plain
from app.practice.statements import Statement

Json = dict[str, Any]


def _statement(call: Call) -> Statement:
    return Statement(call.desk, call.holder(), call.ms)


def balance(call: Call) -> list[Json]:
    return _statement(call).balance()


def account_v2(call: Call) -> Json:
    return _statement(call).account_v2() | {"canWithdraw": call.withdraws}


def account_v3(call: Call) -> Json:
    return _statement(call).account_v3()


def position_risk_v2(call: Call) -> list[Json]:
    return _statement(call).risks_v2(call.symbol())


def position_risk_v3(call: Call) -> list[Json]:
    return _statement(call).risks_v3(call.symbol())


def income(call: Call) -> list[Json]:
    call.holder()
    kind = call.params.text("incomeType", "") or None
    if kind is not None and kind not in tuple(Income):
        raise errors.invalid("incomeType")
    page = call.page(100) | {"kind": kind}
    return [shapes.income(one) for one in call.desk.store.incomes(call.account, **page)]


def set_leverage(call: Call) -> Json:
    symbol, leverage = call.params.instrument().symbol, call.params.whole("leverage")
    cap = call.desk.set_leverage(call.account, symbol, leverage, call.ms)
    return {"leverage": leverage, "maxNotionalValue": plain(cap), "symbol": symbol}


def set_margin_type(call: Call) -> Json:
    kind = call.params.choice(
        "marginType", ("ISOLATED", "CROSSED"), Refusal(-4020, "Invalid margin type")
    )
    call.desk.set_margin_type(
        call.account, call.params.instrument().symbol, isolated=kind == "ISOLATED", ms=call.ms
    )
    return {"code": 200, "msg": "success"}


def position_mode(call: Call) -> Json:
    call.holder()
    return {"dualSidePosition": False}


def set_position_mode(call: Call) -> Json:
    """One-way mode is the only one here; asking for it is answered as Binance answers."""
    if call.params.flag("dualSidePosition"):
        raise errors.invalid("dualSidePosition")
    raise Refusal(-4059, "No need to change position side.")


def leverage_bracket(call: Call) -> list[Json]:
    symbol = call.symbol()
    return [_brackets(one) for one in INSTRUMENTS.values() if symbol in (None, one.symbol)]


def _brackets(one: Instrument) -> Json:
    return {
        "symbol": one.symbol,
        "brackets": [
            {
                "bracket": tier.number,
                "initialLeverage": tier.leverage,
                "notionalCap": int(tier.cap),
                "notionalFloor": int(tier.floor),
                "maintMarginRatio": float(tier.rate),
                "cum": float(tier.cumulative),
            }
            for tier in one.brackets
        ],
    }


def symbol_config(call: Call) -> list[Json]:
    holder, symbol = call.holder(), call.symbol()
    return [
        {
            "symbol": one.symbol,
            "marginType": "ISOLATED" if holder.setting(one.symbol).isolated else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": holder.setting(one.symbol).leverage,
            "maxNotionalValue": plain(one.max_notional(holder.setting(one.symbol).leverage)),
        }
        for one in INSTRUMENTS.values()
        if symbol in (None, one.symbol)
    ]


def account_config(call: Call) -> Json:
    call.holder()
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": call.withdraws,
        "dualSidePosition": False,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def commission_rate(call: Call) -> Json:
    return {
        "symbol": call.params.instrument().symbol,
        "makerCommissionRate": plain(MAKER_FEE),
        "takerCommissionRate": plain(TAKER_FEE),
    }


ROUTES = (
    signed("GET", "/fapi/v2/account", account_v2, 5),
    signed("GET", "/fapi/v3/account", account_v3, 5),
    signed("GET", "/fapi/v2/balance", balance, 5),
    signed("GET", "/fapi/v3/balance", balance, 5),
    signed("GET", "/fapi/v2/positionRisk", position_risk_v2, 5),
    signed("GET", "/fapi/v3/positionRisk", position_risk_v3, 5),
    signed("GET", "/fapi/v1/income", income, 30),
    signed("POST", "/fapi/v1/leverage", set_leverage),
    signed("POST", "/fapi/v1/marginType", set_margin_type),
    signed("GET", "/fapi/v1/positionSide/dual", position_mode, 30),
    signed("POST", "/fapi/v1/positionSide/dual", set_position_mode),
    signed("GET", "/fapi/v1/leverageBracket", leverage_bracket),
    signed("GET", "/fapi/v1/symbolConfig", symbol_config, 5),
    signed("GET", "/fapi/v1/accountConfig", account_config, 5),
    signed("GET", "/fapi/v1/commissionRate", commission_rate, 20),
)
