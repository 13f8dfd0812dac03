"""Asks a strategy's class beside the trading: a hook that hangs delays no exit, stop or sync."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from runner.bars import bar_of, is_sound
from runner.bench import Bench
from runner.code.engine import CodeEngine, fill_row, question, row_of
from runner.code.process import Answer, CodeFault, Process
from runner.code.voice import position_of
from runner.engine import Engine
from runner.history.asking import Answered, Asked, Asking, Began
from runner.memory import Memo
from runner.protocol import Candle, Fill, from_plain
from runner.strategy.spec import Holding

log = logging.getLogger("runner")

PATIENCE = 0.1
"""Seconds a tick waits for an answer, which takes a thousandth as a rule."""
STOP_SECONDS = 1.0
"""``on_stop`` may take: less than any other hook, as the machine's orderly end waits for it."""
MOST_IN_A_ROW = 3
"""Candles a class may fail on, one after the other, before it is not asked any more."""
_Told = Callable[[Answer], None]


class Coder:
    """One symbol's class: what it is asked, what it keeps, and what becomes of its faults.

    A class that hung, died or failed on candle after candle is not asked again by this machine:
    no entries, a ringing alarm, and the position keeps its stop and the house's exits.

    ``note`` is told of each asking, for whoever records them.
    """

    def __init__(self, symbol: str, bench: Bench, engine: CodeEngine) -> None:
        self.symbol = symbol
        self._bench = bench
        self._engine = engine
        self._process = Process()
        self._memo = bench.memory.memos.setdefault(symbol, Memo())
        self._task: asyncio.Task[Answer] | None = None
        self._then: _Told = lambda _: None
        self.note: Callable[[Asking], None] = lambda _: None
        self._history: list[Candle] | None = None
        self._started = False
        self._asked_of: datetime | None = None
        self._answered: datetime | None = None
        self._in_a_row = 0
        self.failed = ""

    def begin(self, history: list[Candle]) -> None:
        """Let the class begin, or begin anew after a gap, with what it kept."""
        if self.failed:
            return
        self._history, self._started = history, False
        if self._task is None:  # else as soon as that is answered
            self._begin()

    def _begin(self) -> None:
        history, self._history = self._history or [], None
        rows = [row_of(bar) for bar in map(bar_of, history) if is_sound(bar)]
        rules = self._bench.configuration.rules
        start = question(rules, self.symbol, self._memo.state, rows)
        self.note(Began(self._memo.state))
        self._ask(lambda: self._process.start(start), self._on_start)

    async def has_heard(self, candle: Candle, holding: Holding | None) -> bool:
        """Whether the class has said what it wants of a candle; asks it, and does not wait long."""
        heard = await self._has_heard(candle, holding)
        if heard:
            voice = self._engine.voice
            self.note(Answered(candle.opened_at, voice.words if voice.silent else ""))
        return heard

    async def _has_heard(self, candle: Candle, holding: Holding | None) -> bool:
        await self.step()
        if self.failed:
            self._engine.voice.fall_silent(f"the code was stopped: {self.failed}")
            return True
        if self._answered == candle.opened_at:
            return True
        if not self._started or self._task is not None:
            return False
        asked = {"candle": row_of(bar_of(candle)), "position": position_of(holding)}

        def told(answer: Answer) -> None:
            self._answered, self._in_a_row = candle.opened_at, 0
            self._engine.voice.take(answer, held=holding is not None)
            self._bench.settled("code_error")

        self._asked_of = candle.opened_at
        self.note(Asked(candle.opened_at))
        self._ask(lambda: self._process.ask("on_candle", asked), told)
        await self.step()
        return self._answered == candle.opened_at or bool(self.failed)

    async def step(self) -> None:
        """Hear what was answered, and tell the fills it does not know; for every tick."""
        for _ in range(1 + len(self._memo.fills)):
            await self._hear()
            if self._task is not None or not self._started or self.failed or not self._memo.fills:
                return
            name, plain = next(iter(self._memo.fills.items()))
            self._tell_fill(name, from_plain(Fill, plain))
        await self._hear()

    def _tell_fill(self, name: str, fill: Fill) -> None:
        def told(_: Answer) -> None:
            self._memo.fills.pop(name, None)
            self._bench.memory.save()

        asked = {"fill": fill_row(fill)}
        self._ask(lambda: self._process.ask("on_fill", asked), told)

    async def close(self) -> None:
        """An orderly end: ``on_stop``, if there is time for it, then the process goes."""
        await self.step()
        if self._task is None and self._started and not self.failed:
            self._ask(lambda: self._process.ask("on_stop", None, STOP_SECONDS), lambda _: None)
            await self._hear(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        self._process.end()

    # -- inside --------------------------------------------------------------------------------

    def _ask(self, what: Callable[[], Answer], then: _Told) -> None:
        # In a thread: it waits for the process while the loop goes on with everything else.
        self._task, self._then = asyncio.create_task(asyncio.to_thread(what)), then

    async def _hear(self, patience: float = PATIENCE) -> None:
        """Take the answer that has come, if one has."""
        if self._task is None:
            return
        await asyncio.wait([self._task], timeout=patience)
        if not self._task.done():
            return
        task, then, self._task = self._task, self._then, None
        try:
            answer = task.result()
        except CodeFault as fault:
            self._fail(fault)
            if self._history is not None and not self.failed:
                self._begin()
            return
        if answer.said:
            log.info("%s: %s", self.symbol, answer.said)
        if answer.state is not None:
            self._memo.state = answer.state
            self._bench.memory.save()
        if self._history is None:
            then(answer)
        else:
            self._begin()

    def _on_start(self, _: Answer) -> None:
        self._started = True
        if self._trouble not in self._bench.standing.troubles:
            self._bench.settled("code_failed")

    def _fail(self, fault: CodeFault) -> None:
        log.warning("%s: %s", self.symbol, fault)
        if fault.hook == "on_fill" and self._memo.fills:
            self._memo.fills.pop(next(iter(self._memo.fills)))
            self._bench.memory.save()
        if fault.hook == "on_candle":
            self._answered = self._asked_of
            self._in_a_row += 1
        self._engine.voice.fall_silent(f"the class failed in {fault}")
        many = self._in_a_row >= MOST_IN_A_ROW
        if not fault.fatal and not many:
            text = f"the code of {self.symbol} failed in {fault}; it is asked again"
            self._bench.notice("warning", "code_error", text)
            return
        why = f", {MOST_IN_A_ROW} candles in a row" if many else ""
        self.failed = f"{fault}{why}"
        self._process.end()
        self._bench.standing.troubles[self._trouble] = f"the code was stopped: {self.failed}"
        text = (
            f"the code of {self.symbol} was stopped: it failed in {self.failed}. No entries; a "
            "position keeps its stop and the strategy's other exits"
        )
        self._bench.notice("alarm", "code_failed", text)

    @property
    def _trouble(self) -> str:
        return f"code of {self.symbol}"


def coder_of(symbol: str, bench: Bench, engine: Engine) -> Coder | None:
    """Who asks the class of a code strategy; ``None`` for rules without one."""
    if isinstance(engine, CodeEngine):
        return Coder(symbol, bench, engine)
    bench.memory.memos.pop(symbol, None)  # a strategy without a class keeps nothing for one
    return None
