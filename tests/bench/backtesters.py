"""The peers' backtests of the same rule on the same candles, each in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from runner.history.columns import Columns
from tests.bench import freqtrade as stock
from tests.bench import machine
from tests.runner.machine import Practice

BACKTESTING = "0.6.6"
_HOME = machine.ROOT / "var" / "bench"
_WARM = 1000

_BACKTESTING = '''"""Long from one crossing of two EMAs to the next."""

import json
import sys
import time

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy


def ema(values, period):
    """Seeded with the mean of the first ones, as TA-Lib has it."""
    found = np.full(len(values), np.nan)
    found[period - 1] = values[:period].mean()
    rest = pd.Series(np.r_[found[period - 1], values[period:]])
    found[period - 1 :] = rest.ewm(span=period, adjust=False).mean()
    return found


class Cross(Strategy):
    fast, slow, warm = 50, 200, 1000

    def init(self):
        self.quick = self.I(ema, self.data.Close, self.fast)
        self.calm = self.I(ema, self.data.Close, self.slow)

    def next(self):
        if len(self.data) <= self.warm:
            return
        above, before = self.quick[-1] > self.calm[-1], self.quick[-2] > self.calm[-2]
        if above and not before and not self.position:
            self.buy(size=0.1)
        elif before and not above and self.position:
            self.position.close()


def main():
    frame = pd.read_csv(sys.argv[1])
    frame.index = pd.to_datetime(frame.pop("time"), unit="s")
    Cross.fast, Cross.slow, Cross.warm = (int(text) for text in sys.argv[2:5])
    test = Backtest(frame, Cross, cash=1e9, commission=float(sys.argv[5]))
    begun, looked = time.process_time(), time.perf_counter()
    trades = test.run()["_trades"]
    run, wall = time.process_time() - begun, time.perf_counter() - looked
    seconds = lambda column: (column.astype("int64") // 10**9 if str(column.dtype) ==
        "datetime64[ns]" else column.astype("datetime64[s]").astype("int64")).tolist()
    # The most that was resident here: ru_maxrss begins with what the parent had.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
    told = dict(
        run=run, wall=wall, whole=time.process_time(),
        mb=int(peak.split()[1]) / 1024,
        trades=list(zip(seconds(trades["EntryTime"]), seconds(trades["ExitTime"]))),
    )
    print(json.dumps(told))


main()
'''

_STRATEGY = '''"""Long from one crossing of two EMAs to the next."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy


class Cross(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {{"0": 1000}}
    stoploss = -0.99
    use_exit_signal = True
    startup_candle_count = {warm}

    def populate_indicators(self, dataframe, metadata):
        dataframe["fast"] = ta.EMA(dataframe, timeperiod={fast})
        dataframe["slow"] = ta.EMA(dataframe, timeperiod={slow})
        dataframe["above"] = dataframe["fast"] > dataframe["slow"]
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        crossed = dataframe["above"] & ~dataframe["above"].shift(fill_value=True)
        dataframe.loc[crossed, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        crossed = ~dataframe["above"] & dataframe["above"].shift(fill_value=False)
        dataframe.loc[crossed, "exit_long"] = 1
        return dataframe
'''

_FEATHER = '''"""Candles as freqtrade keeps them, with funding of zero."""

import sys
from pathlib import Path

import pandas as pd

frame = pd.read_csv(sys.argv[1])
frame.columns = ["date", "open", "high", "low", "close", "volume"]
frame["date"] = pd.to_datetime(frame["date"], unit="s", utc=True)
folder = Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
frame.to_feather(folder / "BTC_USDT_USDT-1m-futures.feather", compression="lz4")
hours = frame.set_index("date").resample("1h").agg(
    {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
).reset_index()
for kind in ("mark", "funding_rate"):
    told = hours.copy()
    if kind == "funding_rate":
        told[["open", "high", "low", "close", "volume"]] = 0.0
    told.to_feather(folder / f"BTC_USDT_USDT-1h-{kind}.feather", compression="lz4")
'''


def backtesting(
    home: Path, candles: Columns, rules: dict[str, tuple[int, int]], fee: str
) -> list[dict[str, Any]]:
    """backtesting.py on each rule. Raises ``RuntimeError`` where it cannot be installed or run."""
    python = stock.environment(_HOME / "backtesting", f"backtesting=={BACKTESTING}")
    data, program = _csv(home, candles), home / "cross.py"
    program.write_text(_BACKTESTING)
    told = []
    for rule, (fast, slow) in rules.items():
        command = [str(python), str(program), str(data), str(fast), str(slow), str(_WARM), fee]
        best = json.loads(_run(command, home).splitlines()[-1])
        trades = tuple((entry, out) for entry, out in best.pop("trades"))
        told.append(
            {"name": f"backtesting.py {BACKTESTING}", "rule": rule, "trades": trades, **best}
        )
    return told


def freqtrade(
    home: Path, candles: Columns, rules: dict[str, tuple[int, int]], fee: str
) -> list[dict[str, Any]]:
    """freqtrade on each rule; it asks an exchange for its markets, which the practice market is.

    It does not say what its run alone takes: both times are of the whole process.
    """
    program = stock.install(_HOME / "freqtrade")
    user = home / "freqtrade"
    told = []
    with tempfile.TemporaryDirectory() as floor, Practice(floor) as market:
        stock.prepare(user, market.url)
        script = home / "feather.py"
        script.write_text(_FEATHER)
        data = user / "data" / "binance" / "futures"
        _run(
            [str(program.with_name("python")), str(script), str(_csv(home, candles)), str(data)],
            home,
        )
        for rule, (fast, slow) in rules.items():
            text = _STRATEGY.format(fast=fast, slow=slow, warm=_WARM)
            (user / "strategies" / "cross.py").write_text(text)
            best = _freqtrade(program, user, fee)
            told.append({"name": f"freqtrade {stock.VERSION}", "rule": rule, **best})
    return told


def _freqtrade(program: Path, user: Path, fee: str) -> dict[str, Any]:
    results = user / "backtest_results"
    shutil.rmtree(results, ignore_errors=True)
    command = [str(program), "backtesting", "--config", "config.json", "--userdir", "."]
    command += ["--datadir", "data/binance", "--strategy-path", "strategies", "--strategy", "Cross"]
    command += ["--fee", fee, "--export", "trades", "--cache", "none", "--stake-amount", "1000"]
    timed = ["/usr/bin/env", "python3", "-c", _TIMED, *command]
    taken = json.loads(_run(timed, user).splitlines()[-1])
    shown = [*results.glob("*.zip")]
    if not shown:
        raise RuntimeError("it left no result")
    code = (
        "import json,sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);"
        "n=[i for i in z.namelist() if i.endswith('.json') and 'config' not in i][0];"
        "t=json.loads(z.read(n))['strategy']['Cross']['trades'];"
        "print(json.dumps([(r['open_timestamp']//1000,r['close_timestamp']//1000,r['exit_reason'])"
        " for r in t]))"
    )
    rows = json.loads(_run([str(program.with_name("python")), "-c", code, str(shown[0])], user))
    # At the end it closes what is open, which nobody decided.
    trades = tuple((entry, out) for entry, out, why in rows if why != "force_exit")
    times = {"run": taken["cpu"], "whole": taken["cpu"], "wall": taken["wall"]}
    return {**times, "mb": taken["mb"], "trades": trades}


_TIMED = (
    "import json,resource,subprocess,sys,time;begun=time.perf_counter();"
    "told=subprocess.run(sys.argv[1:],capture_output=True,text=True);"
    "sys.exit(told.stderr[-2000:]) if told.returncode else None;"
    "used=resource.getrusage(resource.RUSAGE_CHILDREN);"
    "print(json.dumps({'cpu':used.ru_utime+used.ru_stime,'mb':used.ru_maxrss/1024,"
    "'wall':time.perf_counter()-begun}))"
)


def _csv(home: Path, candles: Columns) -> Path:
    """The candles as text, written once."""
    path = home / "candles.csv"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        price, volume = 10**candles.price_scale, 10**candles.volume_scale
        with path.open("w") as file:
            file.write("time,Open,High,Low,Close,Volume\n")
            for at, *prices, amount in zip(*candles.all, strict=True):
                told = ",".join(str(value / price) for value in prices)
                file.write(f"{at},{told},{amount / volume}\n")
    return path


def _run(command: list[str], folder: Path) -> str:
    """What a program prints. Raises ``RuntimeError`` with its last words."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    told = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if told.returncode:
        words = (told.stderr or told.stdout).strip().splitlines() or ["it failed without a word"]
        raise RuntimeError(words[-1][:300])
    return told.stdout
