"""What a bot takes on its machine: our runner from its real bundle, beside stock freqtrade."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.protocol import EventKind, Hearing
from tests.bench import freqtrade, machine
from tests.bench.recorder import Recorder
from tests.bench.report import Figure, Section
from tests.runner.gate import Gate
from tests.runner.machine import Practice, Runner, bundle, configuration, demo_rules

HOME = machine.ROOT / "var" / "bench"
MOST_MB, MOST_SECONDS = 65.0, 1.0
MOST_LISTENING_MB = 70.0
_PATIENCE = 120.0
_METHOD = (
    "Both trade paper money on BTC/USDT perpetual by a cross of EMA 12 and 26 on candles of one "
    "minute, at the same practice market on loopback, each through a proxy that notes requests. "
    "The runner is started from its bundle as a machine is, by a small gate; freqtrade {version} "
    "(`trade --dry-run`, web socket off) is stock, from its own environment. *First candles*: from "
    "the start of the process to its first request for candles, median of {starts} starts, one "
    "program at a time. Memory (resident, children included) {minutes} after the start and "
    "processor time over the last {window} s of that, both programs running side by side. The "
    "runner that listens to streams as well does so without a proxy."
)


@dataclass(frozen=True)
class Pace:
    """How long and how often to look."""

    starts: int
    seconds: float

    @property
    def window(self) -> float:
        """The part at the end over which idle processor time is taken, in seconds."""
        return min(120.0, self.seconds / 2)


@dataclass
class Measured:
    """What one program took."""

    name: str
    first: float
    first_cpu: float
    rss_mb: float = 0.0
    cpu_per_minute: float = 0.0
    requests_per_minute: float = 0.0

    def row(self) -> list[str]:
        """Its line in the table."""
        cpu, asked = f"{self.cpu_per_minute:.2f}", f"{self.requests_per_minute:.0f}"
        first = [f"{self.first:.2f}", f"{self.first_cpu:.2f}"]
        return [self.name, *first, f"{self.rss_mb:.1f}", cpu, asked]


class Contender:
    """A program with its proxy; ``start`` yields the id of a process that runs until left."""

    def __init__(
        self, name: str, proxy: Recorder, start: Callable[[], AbstractContextManager[int]]
    ) -> None:
        self.name, self.proxy, self.start = name, proxy, start


def measure(pace: Pace) -> Section:
    """Both programs, or ours alone where freqtrade cannot be installed."""
    length = f"{pace.seconds / 60:.0f} minutes" if pace.seconds >= 120 else f"{pace.seconds:.0f} s"
    method = _METHOD.format(
        version=freqtrade.VERSION, starts=pace.starts, minutes=length, window=int(pace.window)
    )
    section = Section("Runner", method)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        practice = stack.enter_context(Practice(folder / "practice"))
        proxies = [stack.enter_context(Recorder(practice.url)) for _ in range(2)]
        contenders = [_ours(proxies[0], folder)]
        try:
            contenders.append(_theirs(proxies[1]))
        except RuntimeError as error:
            section.gaps.append(f"freqtrade, which could not be installed here: {error}")
        listening = stack.enter_context(_listening(practice.url, folder))
        found = _watch(contenders, pace)
        figure = Figure(
            f"runner's memory with streams after {length}", listening(), "MB", MOST_LISTENING_MB
        )
    _tell(section, found, length)
    section.figures.insert(1, figure)
    return section


def _tell(section: Section, found: list[Measured], length: str) -> None:
    rows = [item.row() for item in found]
    if len(found) == 2:
        ours, theirs = found
        rows.append(["ratio", *(_ratio(a, b) for a, b in zip(*map(_values, found), strict=True))])
        section.figures.append(
            Figure("runner's memory beside freqtrade's", ours.rss_mb / theirs.rss_mb, "×")
        )
    starting = ["first candles, s", "CPU until then, s"]
    head = ["program", *starting, "memory, MB", "CPU, s a minute", "requests a minute"]
    section.tables.append((head, rows))
    section.figures.insert(
        0, Figure(f"runner's memory after {length}", found[0].rss_mb, "MB", MOST_MB)
    )
    section.figures.insert(
        1, Figure("runner's first request for candles", found[0].first, "s", MOST_SECONDS)
    )


def _values(item: Measured) -> tuple[float, ...]:
    idle = (item.cpu_per_minute, item.requests_per_minute)
    return item.first, item.first_cpu, item.rss_mb, *idle


def _ratio(ours: float, theirs: float) -> str:
    return f"1 : {theirs / ours:.1f}" if ours and theirs else "–"


def _watch(contenders: list[Contender], pace: Pace) -> list[Measured]:
    found = []
    for one in contenders:
        starts = zip(*(_first(one) for _ in range(pace.starts)), strict=True)
        found.append(Measured(one.name, *map(statistics.median, starts)))
    with ExitStack() as stack:
        pids = [stack.enter_context(one.start()) for one in contenders]
        time.sleep(pace.seconds - pace.window)
        before, since = [machine.usage(pid) for pid in pids], time.monotonic()
        time.sleep(pace.window)
        minutes = (time.monotonic() - since) / 60
        for item, one, pid, earlier in zip(found, contenders, pids, before, strict=True):
            now = machine.usage(pid)
            item.rss_mb = now.rss_mb
            item.cpu_per_minute = (now.cpu_seconds - earlier.cpu_seconds) / minutes
            item.requests_per_minute = one.proxy.since(since) / minutes
    return found


def _first(one: Contender) -> tuple[float, float]:
    """Seconds from the start of the process to its first request for candles, by clock and CPU."""
    one.proxy.forget()
    began = time.monotonic()
    with one.start() as pid:
        first = one.proxy.first_candles(_PATIENCE) - began
        return first, machine.usage(pid).cpu_seconds


def _ours(proxy: Recorder, folder: Path) -> Contender:
    pyz = bundle(HOME / "bundles")["path"]
    rules = demo_rules()
    rules["timeframe"] = "1m"
    rules["signals"][0]["params"] = {"fast": 12, "slow": 26}

    @contextmanager
    def start() -> Iterator[int]:
        home = Path(tempfile.mkdtemp(dir=folder))
        with (
            Gate(configuration(proxy.url, rules=rules)) as gate,
            Runner(pyz, gate, home) as process,
        ):
            yield process.child.pid
            if process.child.poll() is not None:
                raise RuntimeError(f"the runner ended early: {process.log.read_text()[-500:]}")
            if any(notice.level == "alarm" for notice in gate.told(EventKind.NOTICE)):
                raise RuntimeError(f"the runner is in trouble: {gate.told(EventKind.NOTICE)}")

    return Contender("plutarc's runner", proxy, start)


@contextmanager
def _listening(url: str, folder: Path) -> Iterator[Callable[[], float]]:
    """A runner with streams; what it takes by now, while they stand."""
    pyz, home = bundle(HOME / "bundles")["path"], Path(tempfile.mkdtemp(dir=folder))
    with Gate(configuration(url, streams=True)) as gate, Runner(pyz, gate, home) as process:

        def memory() -> float:
            if gate.syncs[-1].health["hears_by"] != Hearing.STREAMS:
                raise RuntimeError(f"it does not listen: {gate.syncs[-1].health['hears_why']}")
            return machine.usage(process.child.pid).rss_mb

        yield memory


def _theirs(proxy: Recorder) -> Contender:
    program = freqtrade.install(HOME / "freqtrade")
    home = HOME / "freqtrade-home"
    command = [str(program), *freqtrade.prepare(home, proxy.url)]

    @contextmanager
    def start() -> Iterator[int]:
        (home / "dry.sqlite").unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process.pid
            if process.poll() is not None:
                raise RuntimeError(f"freqtrade ended early: {(home / 'log').read_text()[-500:]}")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    return Contender(f"freqtrade {freqtrade.VERSION}", proxy, start)
