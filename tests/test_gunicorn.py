"""A real gunicorn under our settings, with one thread, and clients that let it wait."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[1]
APP = """
def app(environ, start):
    try:
        size = str(len(environ["wsgi.input"].read()))
    except OSError:
        size = "gone"
    start("200 OK", [("Content-Length", str(len(size)))])
    return [size.encode()]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Its socket; it waits for half a second."""
    folder = tmp_path_factory.mktemp("gunicorn")
    (folder / "told.py").write_text(APP)
    settings = f"exec(open({str(ROOT / 'gunicorn.conf.py')!r}).read())\nPATIENCE = 0.5\n"
    (folder / "conf.py").write_text(settings)
    command = [sys.executable, "-m", "gunicorn", "--config", folder / "conf.py", "--workers", "1"]
    command += ["--threads", "1", "--pythonpath", f"{folder},{ROOT}"]
    command += ["--bind", f"unix:{folder}/socket", "told:app"]
    running = subprocess.Popen(command, cwd=ROOT)
    try:
        while not (folder / "socket").exists():
            assert running.poll() is None
            time.sleep(0.02)
        yield str(folder / "socket")
    finally:
        running.terminate()
        running.wait(timeout=PATIENCE)


@contextmanager
def line(server):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(server)
        yield client


def head(length):
    return f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def heard(client):
    """All that comes until it hangs up."""
    told = b""
    while piece := client.recv(4096):
        told += piece
    return told


@pytest.mark.parametrize("begun", [b"POST / HT", head(9), head(9) + b"1234"])
def test_whoever_sends_no_more_keeps_nobody_out_for_long(server, begun):
    with line(server) as stalled, line(server) as other:
        stalled.sendall(begun)
        time.sleep(0.05)
        other.sendall(head(2).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"ok")
        assert heard(other).endswith(b"2")
        assert heard(stalled).endswith(b"gone") is begun.startswith(head(9))


def test_whoever_is_slow_and_sends_enough_is_read_to_the_end(server):
    """Six pieces, each of which earns two seconds, a fifth of a second apart."""
    with line(server) as client:
        client.sendall(head(6 * 8192).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        for _ in range(6):
            client.sendall(b"x" * 8192)
            time.sleep(0.2)
        assert heard(client).endswith(str(6 * 8192).encode())
