"""Log lines a machine can read."""

import json
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from app import logs
from tests.waiting import PATIENCE


def test_json_lines_carry_the_traceback():
    try:
        int("no such thing")
    except ValueError:
        trace = sys.exc_info()
    record = logging.LogRecord("app.x", logging.ERROR, "", 1, "lost %s", ("a bot",), trace)
    line = json.loads(logs.JsonLines().format(record))
    assert (line["level"], line["logger"], line["message"]) == ("error", "app.x", "lost a bot")
    assert "no such thing" in line["traceback"]


TOKEN = "sTwR8kQ1_vN-3ZxY7bLm0aPq2dFgHjKcUeIoWrT4y6E"
SECRET_PLACES = ("invitations", "verify", "reset", "email", "email/undo")


@pytest.mark.parametrize("place", SECRET_PLACES)
def test_the_token_of_a_link_is_in_no_line(place):
    for address in (
        f"/{place}/{TOKEN}",
        f"/{place}/{TOKEN}/accept",
        "/login?next=" + quote(f"/{place}/{TOKEN}", safe=""),
        f"https://plutarc.example/{place}/{TOKEN}?x=1",
    ):
        assert TOKEN not in logs.discreet(f"GET {address} failed")
        assert TOKEN not in logs.discreet(f"GET {address.lower()} failed".replace("%2f", "%2F"))
    assert logs.discreet("/w/ws_x/invitations/inv_abcdefghijklmnopqrstuvwxyz/revoke").count("inv_a")


def test_tracebacks_and_lines_of_every_logger_are_discreet(capsys):
    for log_format in ("text", "json"):
        logs.configure(log_format)
        try:
            int(f"/invitations/{TOKEN}")
        except ValueError:
            logging.getLogger("anything").exception("lost %s", f"/reset/{TOKEN}")
        told = capsys.readouterr().err
        assert "ValueError" in told
        assert "lost /reset/[redacted]" in told
        assert TOKEN not in told


def test_gunicorn_writes_no_token_either(tmp_path):
    """A real gunicorn under our settings, its access log on, whose application breaks."""
    broken = tmp_path / "broken.py"
    broken.write_text("def app(environ, start):\n    raise RuntimeError(environ['PATH_INFO'])\n")
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "gunicorn", "--config", root / "gunicorn.conf.py"]
    command += ["--pythonpath", f"{tmp_path},{root}", "--access-logfile", "-", "--bind"]
    command += ["unix:" + str(tmp_path / "socket"), "broken:app"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=root, stdout=log, stderr=log)
        try:
            ask(tmp_path / "socket", f"/invitations/{TOKEN}/accept", server)
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE)
    written = (tmp_path / "log").read_text()
    assert "/invitations/[redacted]/accept" in written
    assert "Error handling request" in written
    assert TOKEN not in written


def ask(path, address, server):
    while not path.exists():
        assert server.poll() is None
        time.sleep(0.02)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(str(path))
        line.sendall(f"GET {address} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        while line.recv(4096):
            pass


def test_configuring_twice_logs_once():
    before = len(logging.getLogger().handlers)
    logs.configure("json")
    logs.configure("json")
    assert len(logging.getLogger().handlers) <= before + 1
