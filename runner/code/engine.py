"""Engines that ask a class instead of signals; filters, exits and sizing stay the house's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from runner.bars import bar_of, is_sound
from runner.code.process import Answer, CodeFault, Process
from runner.code.voice import KIND, CodeExit, CodeSignal, Said, Voice, position_of
from runner.engine import Engine
from runner.exchange.base import Execution
from runner.protocol import Candle, Fill
from runner.step import ExitCall, Step
from runner.strategy.combination import Combination
from runner.strategy.registry import Placed, PlacedExit, assemble, assemble_exits, seconds_of
from runner.strategy.spec import Bar, Holding

BACKTEST_SECONDS = 5.0
"""A hook may take in a backtest: longer than live, as nothing waits for it but the result."""


class CodeEngine(Engine):
    """Whoever feeds it candles sees to it that ``voice`` has the class's answer to each, first."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.voice = Voice()
        super().__init__(rules)

    def _assemble(self, rules: dict[str, Any]) -> list[Placed]:
        spoken = Placed(KIND, "signal", 1.0, seconds_of(rules, {}), CodeSignal(self.voice))
        return [spoken, *assemble(rules)]

    def _assemble_exits(self, rules: dict[str, Any]) -> list[PlacedExit]:
        spoken = PlacedExit(KIND, seconds_of(rules, {}), CodeExit(self.voice))
        return [spoken, *assemble_exits(rules)]

    def on_price(self, holding: Holding, price: Decimal) -> ExitCall | None:
        # What was said of a candle was followed as it closed; between candles the stop counts.
        self.voice.leave = False
        return super().on_price(holding, price)

    def _combination(self, _: dict[str, Any], __: Sequence[float]) -> Combination:
        return Said(self.voice)


class AskingEngine(CodeEngine):
    """Asks the class itself and waits for it: for history, where nothing else waits.

    Raises ``CodeFault`` from wherever it is fed a candle: a run that has a fault has no result.
    """

    def __init__(self, rules: dict[str, Any], symbol: str) -> None:
        self._process = Process(seconds=BACKTEST_SECONDS)
        self._symbol = symbol
        self._state: dict[str, Any] = {}
        self._fills: Sequence[Execution] = ()
        self._told = 0
        self.output: list[str] = []
        super().__init__(rules)

    def hear_of(self, fills: Sequence[Execution]) -> None:
        """Where the account writes its executions down; those of this symbol are told on."""
        self._fills = fills

    def warm(self, candles: Iterable[Candle]) -> None:
        known = list(candles)
        super().warm(known)
        self._start([row_of(bar) for bar in map(bar_of, known) if is_sound(bar)])

    def _start(self, rows: list[list[float]]) -> None:
        start = question(self._rules, self._symbol, self._state, rows)
        self._take(self._process.start(start))

    def on_bar(self, bar: Bar, holding: Holding | None = None, blocked: str | None = None) -> Step:
        if is_sound(bar) and self._due in (None, bar.at) and not self._broken:
            self.voice.take(self._ask(bar, holding), held=holding is not None)
        return super().on_bar(bar, holding, blocked)

    def close(self) -> None:
        """The end of the history: ``on_stop``, then the process goes."""
        try:
            if self._process.alive:
                with contextlib.suppress(CodeFault):
                    self._take(self._process.ask("on_stop"))
        finally:
            self._process.end()

    def _ask(self, bar: Bar, holding: Holding | None) -> Answer:
        """What it says of a candle, once it has heard of what was filled before."""
        fresh, self._told = self._fills[self._told :], len(self._fills)
        for fill in fresh:
            if fill.symbol == self._symbol:
                self._tell(fill)
        asked = {"candle": row_of(bar), "position": position_of(holding)}
        answer = self._process.ask("on_candle", asked)
        self._take(answer)
        return answer

    def _tell(self, fill: Execution) -> None:
        self._take(self._process.ask("on_fill", {"fill": fill_row(fill)}))

    def _take(self, answer: Answer) -> None:
        if answer.state is not None:
            self._state = answer.state
        if answer.said and len(self.output) < MOST_LINES:
            self.output.append(answer.said)


class HeardEngine(AskingEngine):
    """Asks the class when a runner asked it, and follows it from when the runner had heard it.

    For recordings of a runner, who bears what a class fails in: so does this, where the runner had
    no answer either. Raises ``CodeFault`` where it had one.
    """

    def __init__(self, rules: dict[str, Any], symbol: str) -> None:
        super().__init__(rules, symbol)
        self._rows: list[list[float]] = []
        self._begun = self._held = False
        self._said: Answer | CodeFault | None = None

    def begin(self, state: dict[str, Any]) -> None:
        """With what it kept before the recording, or has kept since."""
        if not self._begun:
            self._begun, self._state = True, state
        with contextlib.suppress(CodeFault):
            super()._start(self._rows)

    def ask(self, bar: Bar, holding: Holding | None) -> None:
        """The runner asked by now; what is said counts once that was heard."""
        self._held = holding is not None
        try:
            self._said = self._ask(bar, holding)
        except CodeFault as fault:
            self._said = fault

    def heed(self, silent: str) -> None:
        """Follow what was said. ``silent``: the runner had no answer, and that was why."""
        said, self._said = self._said, None
        if silent:
            self.voice.fall_silent(silent)
        elif isinstance(said, CodeFault):
            raise said
        elif said is not None:
            self.voice.take(said, held=self._held)

    def on_bar(self, bar: Bar, holding: Holding | None = None, blocked: str | None = None) -> Step:
        return super(AskingEngine, self).on_bar(bar, holding, blocked)

    def _start(self, rows: list[list[float]]) -> None:
        self._rows = rows  # the class begins when the runner's did

    def _tell(self, fill: Execution) -> None:
        with contextlib.suppress(CodeFault):
            super()._tell(fill)


MOST_LINES = 200
"""Of the output of a run."""


def is_code(rules: dict[str, Any]) -> bool:
    """Whether a class decides."""
    return KIND in rules


def engine_of(rules: dict[str, Any]) -> Engine:
    """The engine of a bot."""
    return CodeEngine(rules) if is_code(rules) else Engine(rules)


def engine_on_history(rules: dict[str, Any], symbol: str, *, heard: bool = False) -> Engine:
    """The engine of a run on history; ``heard``: on what a runner of a class recorded."""
    if not is_code(rules):
        return Engine(rules)
    return HeardEngine(rules, symbol) if heard else AskingEngine(rules, symbol)


def listen(engine: Engine, fills: Sequence[Execution]) -> None:
    """Let a class hear of the executions an account writes down."""
    if isinstance(engine, AskingEngine):
        engine.hear_of(fills)


def end(engines: Iterable[Engine]) -> list[str]:
    """The end of a run on history: what the classes printed."""
    asking = [engine for engine in engines if isinstance(engine, AskingEngine)]
    for engine in asking:
        engine.close()
    return [line for engine in asking for line in engine.output][:MOST_LINES]


def question(
    rules: dict[str, Any], symbol: str, state: dict[str, Any], history: list[list[float]]
) -> dict[str, Any]:
    """What a class begins with: its source, what it kept, and the candles before."""
    code = rules["code"]
    return {
        "source": code["source"],
        "class": code["class"],
        "params": code["params"],
        "warmup": code["warmup"],
        "symbol": symbol,
        "timeframe": rules["timeframe"],
        "state": state,
        "history": history,
    }


def row_of(bar: Bar) -> list[float]:
    """A candle as the class's process reads it."""
    return [bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume]


def fill_row(fill: Execution | Fill) -> list[object]:
    """An execution as the class's process reads it."""
    numbers = [float(fill.price), float(fill.quantity), float(fill.fee)]
    return [fill.at.timestamp(), fill.side.value, *numbers]
