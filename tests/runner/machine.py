"""Starts real processes for a test and ends every one of them."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from runner.protocol import Configuration, Credentials, Mode
from runner.strategy import TEMPLATES
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
SYMBOL = "BTC/USDT:USDT"


def demo_rules(**exits):
    """The fast demo, with a time stop of a few candles so that a test sees whole trades."""
    rules = copy.deepcopy(next(t.rules for t in TEMPLATES if t.key == "fast_ema_demo"))
    for rule in rules["exits"]:
        rule["params"].update(exits.get(rule["kind"], {}))
    return rules


def configuration(endpoint, mode=Mode.PAPER, rules=None, **changes):
    known = {
        "bot": "bot_a",
        "bot_name": "A",
        "run": "run_1",
        "mode": mode,
        "exchange": "practice",
        "market_type": "linear",
        "symbols": (SYMBOL,),
        "strategy": "str_1",
        "strategy_version": 1,
        "rules": rules or demo_rules(),
        "endpoint": endpoint,
    }
    return Configuration(**{**known, **changes})


def practice_credentials():
    from app.practice.keys import new_key

    return Credentials(*new_key())


def bundle(directory):
    command = [sys.executable, "-m", "runner", "bundle", "--exchange", "practice", "--out"]
    line = subprocess.run(
        [*command, str(directory)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return json.loads(line)


class Process:
    """A child whose output is kept; ``kill -9`` at the end if nothing else worked."""

    def __init__(self, arguments, environment=None, log=None):
        errors = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.child = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE if log is None else subprocess.DEVNULL,
            stderr=errors,
            text=True,
        )
        if errors is not None:
            os.close(errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)
        if self.child.stdout:
            self.child.stdout.close()

    def end(self, number):
        """Send a signal and wait; the exit status."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(PATIENCE)


class Practice(Process):
    """The real practice market on a free port."""

    def __init__(self, directory, seed=7):
        arguments = [sys.executable, "-m", "app.practice", "--port", "0", "--seed", str(seed)]
        super().__init__([*arguments, "--dir", str(directory)])
        line = self.child.stdout.readline()
        found = re.search(r"http://[\w.:]+", line)
        assert found, f"the practice market did not start: {line}"
        self.url = found[0]


class Runner(Process):
    """The real bundle, started as a compute driver does."""

    def __init__(self, pyz, gate, directory, *, generation=1, source=None, **more):
        environment = {
            "PATH": os.environ["PATH"],
            "PLUTARC_GATE": gate.url,
            "PLUTARC_BOT": gate.configuration.bot,
            "PLUTARC_GENERATION": str(generation),
            "PLUTARC_TOKEN": gate.token,
            "PLUTARC_DIR": str(directory),
            **more,
        }
        if source:
            environment["PLUTARC_SOURCE_ADDRESS"] = source
        self.log = Path(f"{directory}.log")
        super().__init__([sys.executable, "-I", str(pyz)], environment, self.log)

    def rss_mb(self):
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
