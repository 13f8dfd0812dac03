"""Certifications as processes: what they are told, what ends them, what is said of their end."""

import json
import os
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.gateways import child
from app.gateways.backtest_outcome import End
from app.gateways.certifier import Certifier

CLAIM = {"run": "crt_one", "token": "once"}


@contextmanager
def gate(answer):
    """A gate on loopback; ``answer`` gets what was asked and returns status and body."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, json.loads(body)))
            status, said = answer()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wanted(_lines, _of):
    return True


def test_a_gate_that_refuses_is_told_and_nothing_is_asked_of_the_venue():
    with gate(lambda: (403, b'{"error": "not allowed"}')) as (url, asked):
        found = Certifier(url).run(CLAIM, wanted)
    assert asked == [("/runner/v1/certify", CLAIM)]
    assert found.end is End.FAILED
    assert "nothing was asked of the venue" in found.fault["message"]


def test_a_gate_that_is_away_is_asked_once_and_said():
    found = Certifier("http://127.0.0.1:9").run(CLAIM, wanted)
    assert found.end is End.FAILED
    assert "gate unreachable" in found.fault["message"]


def test_real_money_is_refused_by_the_process_as_well():
    key = {"api_key": "k", "secret": "s" * 20}
    order = {"exchange": "bybit", "symbol": "BTC/USDT:USDT", "credentials": key}
    elsewhere = json.dumps({**order, "endpoint": "https://api.bybit.com"}).encode()
    with gate(lambda: (200, elsewhere)) as (url, _asked):
        found = Certifier(url).run(CLAIM, wanted)
    assert "must be on this machine" in found.fault["message"]
    assert "s" * 20 not in found.log + str(found.fault)


@pytest.fixture
def slow_gate():
    """One that answers nothing until the test is over."""
    over = threading.Event()

    def answer():
        over.wait()
        return 503, b""

    with gate(answer) as (url, asked):
        yield url, asked
        over.set()


def test_what_is_not_wanted_any_more_is_ended(slow_gate):
    url, asked = slow_gate
    found = Certifier(url).run(CLAIM, lambda _lines, _of: not asked)
    assert found.end is End.CANCELLED


def test_one_that_is_killed_says_what_may_be_left(slow_gate, monkeypatch):
    url, asked = slow_gate
    processes = []
    watch = child.Watch.__init__

    def noted(self, process, *rest):
        processes.append(process)
        watch(self, process, *rest)

    monkeypatch.setattr(child.Watch, "__init__", noted)

    def beat(_lines, _of):
        if asked:
            os.kill(processes[0].pid, signal.SIGKILL)
        return True

    found = Certifier(url).run(CLAIM, beat)
    assert found.end is End.FAILED
    assert "may have left an order or a position" in found.fault["message"]


def test_one_that_takes_too_long_and_does_not_hear_is_killed(slow_gate):
    url, _asked = slow_gate
    found = Certifier(url, seconds=0, cleans_up=0).run(CLAIM, wanted)
    assert found.end is End.FAILED


def test_no_setting_of_the_platform_reaches_it(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of the platform")
    monkeypatch.setenv("MASTER_KEYS", "of the gate")
    assert not {"SECRET_KEY", "MASTER_KEYS"} & child.surroundings().keys()
