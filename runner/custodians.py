"""Everyone who looks after a position: the traders' own, and those for symbols left behind."""

from __future__ import annotations

from runner.bench import Bench
from runner.code.engine import engine_of
from runner.custodian import Custodian
from runner.desk import Desk
from runner.trader import Trader


class Custodians:
    """A symbol that is not traded any more keeps its price exits, stop and way out."""

    def __init__(self, bench: Bench, desk: Desk, traders: list[Trader]) -> None:
        self._bench = bench
        self._desk = desk
        self._known = {trader.symbol: trader.custodian for trader in traders}

    def all(self) -> list[Custodian]:
        for symbol in self._desk.symbols:
            if symbol not in self._known:
                engine = engine_of(self._bench.configuration.rules)
                self._known[symbol] = Custodian(symbol, self._bench, self._desk, engine)
        return list(self._known.values())
