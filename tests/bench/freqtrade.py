"""Stock freqtrade, as its users run it: own environment, dry run, one pair, an EMA cross."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "2026.9"
_STRATEGY = '''"""Long from one crossing of two EMAs to the next."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy


class Cross(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 10}
    stoploss = -0.01
    startup_candle_count = 60

    def populate_indicators(self, dataframe, metadata):
        dataframe["fast"] = ta.EMA(dataframe, timeperiod=12)
        dataframe["slow"] = ta.EMA(dataframe, timeperiod=26)
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
# The addresses that ccxt's binance class has for USD-M futures, and the version in each path.
_ADDRESSES = {
    "fapiPublic": "fapi/v1",
    "fapiPublicV2": "fapi/v2",
    "fapiPublicV3": "fapi/v3",
    "fapiPrivate": "fapi/v1",
    "fapiPrivateV2": "fapi/v2",
    "fapiPrivateV3": "fapi/v3",
    "fapiData": "futures/data",
}


def install(folder: Path) -> Path:
    """The ``freqtrade`` program in an environment of its own, installed where it is missing.

    Raises:
        RuntimeError: it cannot be installed here; the message is the installer's.
    """
    environment(folder, f"freqtrade=={VERSION}")
    return folder / "bin" / "freqtrade"


def environment(folder: Path, wanted: str) -> Path:
    """The Python of an environment that holds ``name==version``, made where it is missing.

    Raises:
        RuntimeError: it cannot be installed here; the message is the installer's.
    """
    python, (name, _, version) = folder / "bin" / "python", wanted.partition("==")
    if _version(python, name) == version:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        quiet = [
            str(uv),
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(python),
        ]
        _run([*quiet, wanted])
    else:
        _run([str(python), "-m", "pip", "install", "--quiet", wanted])
    return python


def prepare(folder: Path, endpoint: str) -> list[str]:
    """Write configuration and strategy into ``folder``; the command that starts the bot."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "strategies").mkdir(parents=True)
    (folder / "strategies" / "cross.py").write_text(_STRATEGY)
    (folder / "config.json").write_text(json.dumps(_configuration(endpoint), indent=2))
    paths = ["--config", "config.json", "--userdir", ".", "--strategy-path", "strategies"]
    return ["trade", "--dry-run", *paths, "--strategy", "Cross", "--db-url", "sqlite:///dry.sqlite"]


def _configuration(endpoint: str) -> dict[str, object]:
    pricing = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
    return {
        "bot_name": "bench",
        "initial_state": "running",
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "max_open_trades": 1,
        "stake_currency": "USDT",
        "stake_amount": 1000,
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "exchange": {
            "name": "binance",
            "pair_whitelist": ["BTC/USDT:USDT"],
            "enable_ws": False,
            "ccxt_config": {
                "urls": {"api": {name: f"{endpoint}/{p}" for name, p in _ADDRESSES.items()}},
                "options": {"fetchMarkets": {"types": ["linear"]}, "fetchCurrencies": False},
            },
        },
        "pairlists": [{"method": "StaticPairList"}],
    }


def _version(python: Path, name: str) -> str | None:
    if not python.exists():
        return None
    told = subprocess.run(
        [python, "-c", f"from importlib.metadata import version; print(version({name!r}))"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return told.stdout.strip()


def _run(command: list[str]) -> None:
    # Nothing in this process's own environment may decide where the packages go.
    clean = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    told = subprocess.run(
        command, env=clean, capture_output=True, text=True, check=False, timeout=900
    )
    if told.returncode:
        lines = (told.stderr or told.stdout).strip().splitlines() or ["the installer failed"]
        # The result is published; where this machine gets its packages from is its own affair.
        raise RuntimeError(re.sub(r"\b[\w.+-]*(://|\.\w+/)\S*", "(an address)", lines[-1]))
