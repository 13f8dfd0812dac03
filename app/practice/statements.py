"""Balances and positions in JSON: the account as Binance USD-M futures would show it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.practice.account import Account
from app.practice.desk import Desk
from app.practice.instruments import INSTRUMENTS, TAKER_FEE
from app.practice.orders import ZERO, Side
from app.practice.shapes import money, plain, qty_of

Json = dict[str, Any]


class Statement:
    """One account at one moment; every amount from the same mark prices."""

    def __init__(self, desk: Desk, account: Account, ms: int):
        self._account = account
        self._ms = ms
        self._marks = {symbol: desk.mark(symbol, ms) for symbol in INSTRUMENTS}

    def _mark(self, symbol: str) -> Decimal:
        return self._marks[symbol]

    def balance(self) -> list[Json]:
        account = self._account
        available = account.available(self._mark)
        return [
            {
                "accountAlias": account.id[:16],
                "asset": "USDT",
                "balance": money(account.wallet),
                "crossWalletBalance": money(account.cross_wallet()),
                "crossUnPnl": money(account.cross_unrealized(self._mark)),
                "availableBalance": money(available),
                "maxWithdrawAmount": money(min(available, account.wallet)),
                "marginAvailable": True,
                "updateTime": self._ms,
            }
        ]

    def account_v3(self) -> Json:
        """Totals, assets, and positions of the symbols with something in them."""
        account = self._account
        unrealized, used = account.unrealized(self._mark), account.used(self._mark)
        held = self._sum(account.position_margin)
        available = account.available(self._mark)
        figures = {
            "walletBalance": account.wallet,
            "unrealizedProfit": unrealized,
            "marginBalance": account.wallet + unrealized,
            "maintMargin": self._sum(account.maintenance),
            "initialMargin": used,
            "positionInitialMargin": held,
            "openOrderInitialMargin": used - held,
            "crossWalletBalance": account.cross_wallet(),
            "crossUnPnl": account.cross_unrealized(self._mark),
        }
        texts = {name: money(value) for name, value in figures.items()}
        loose = {
            "availableBalance": money(available),
            "maxWithdrawAmount": money(min(available, account.wallet)),
        }
        return {
            **{f"total{name[0].upper()}{name[1:]}": text for name, text in texts.items()},
            **loose,
            "assets": [{"asset": "USDT", **texts, **loose, "updateTime": self._ms}],
            "positions": [self._position(symbol) for symbol in self._busy()],
        }

    def account_v2(self) -> Json:
        """As version 3, with the account's rights and every symbol's settings."""
        whole = self.account_v3()
        whole["assets"] = [{**one, "marginAvailable": True} for one in whole["assets"]]
        return {
            "feeTier": 0,
            "feeBurn": True,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": False,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
            **whole,
            "positions": [self._position_v2(symbol) for symbol in INSTRUMENTS],
        }

    def _busy(self) -> list[str]:
        resting = {order.symbol for order in self._account.orders.values()}
        busy = {*self._account.open_symbols(), *resting}
        return [symbol for symbol in INSTRUMENTS if symbol in busy]

    def _sum(self, figure: Callable[[str, Decimal], Decimal]) -> Decimal:
        return sum((figure(s, self._mark(s)) for s in self._account.open_symbols()), ZERO)

    def _common(self, symbol: str) -> Json:
        """What every spelling of a position shares."""
        account, mark = self._account, self._mark(symbol)
        position = account.position(symbol)
        isolated = account.setting(symbol).isolated and bool(position.qty)
        at_risk = position.isolated + position.unrealized(mark)
        return {
            "symbol": symbol,
            "positionSide": "BOTH",
            "positionAmt": qty_of(symbol, position.qty),
            "notional": money(position.qty * mark),
            "isolatedMargin": money(at_risk) if isolated else "0",
            "isolatedWallet": money(position.isolated) if isolated else "0",
            "updateTime": position.updated,
        }

    def _position(self, symbol: str) -> Json:
        account, mark = self._account, self._mark(symbol)
        return {
            **self._common(symbol),
            "unrealizedProfit": money(account.position(symbol).unrealized(mark)),
            "initialMargin": money(account.initial_margin(symbol, mark)),
            "maintMargin": money(account.maintenance(symbol, mark)),
        }

    def _margins(self, symbol: str) -> Json:
        account, mark = self._account, self._mark(symbol)
        held = account.position_margin(symbol, mark)
        return {
            "positionInitialMargin": money(held),
            "openOrderInitialMargin": money(account.initial_margin(symbol, mark) - held),
            "bidNotional": money(self._resting(symbol, Side.BUY)),
            "askNotional": money(self._resting(symbol, Side.SELL)),
        }

    def _resting(self, symbol: str, side: Side) -> Decimal:
        orders = self._account.resting(symbol)
        return sum((one.remaining * one.price for one in orders if one.side is side), ZERO)

    def _entry(self, symbol: str) -> Json:
        """Entry price, and the price that also earns back an entry and an exit as taker."""
        position = self._account.position(symbol)
        fees = 2 * TAKER_FEE * position.entry
        even = position.entry + (fees if position.qty > 0 else -fees)
        return {
            "entryPrice": plain(round(position.entry, 8)),
            "breakEvenPrice": plain(round(even, 8)),
        }

    def _position_v2(self, symbol: str) -> Json:
        setting = self._account.setting(symbol)
        return {
            **self._position(symbol),
            **self._margins(symbol),
            **self._entry(symbol),
            "leverage": str(setting.leverage),
            "isolated": setting.isolated,
            "maxNotional": plain(INSTRUMENTS[symbol].max_notional(setting.leverage)),
        }

    def _risk(self, symbol: str) -> Json:
        mark = self._mark(symbol)
        limit = self._account.liquidation_price(symbol, self._mark)
        return {
            **self._common(symbol),
            **self._entry(symbol),
            "markPrice": money(mark),
            "unRealizedProfit": money(self._account.position(symbol).unrealized(mark)),
            "liquidationPrice": plain(round(limit, 8)),
        }

    def risks_v2(self, symbol: str | None) -> list[Json]:
        """Every symbol, with leverage and margin type."""
        rows = []
        for one in INSTRUMENTS if symbol is None else [symbol]:
            setting = self._account.setting(one)
            rows.append(
                {
                    **self._risk(one),
                    "leverage": str(setting.leverage),
                    "maxNotionalValue": plain(INSTRUMENTS[one].max_notional(setting.leverage)),
                    "marginType": "isolated" if setting.isolated else "cross",
                    "isAutoAddMargin": "false",
                }
            )
        return rows

    def risks_v3(self, symbol: str | None) -> list[Json]:
        """Only symbols with a position or orders; leverage is not told any more."""
        rows = []
        for one in self._busy():
            if symbol in (None, one):
                account, mark = self._account, self._mark(one)
                rows.append(
                    {
                        **self._risk(one),
                        **self._margins(one),
                        "marginAsset": "USDT",
                        "initialMargin": money(account.initial_margin(one, mark)),
                        "maintMargin": money(account.maintenance(one, mark)),
                        "adl": 1 if account.position(one).qty else 0,
                    }
                )
        return rows
