"""The HTTP side of a fake cloud: connections, and exchanges that go wrong."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import traceback
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.gce.errors import Refusal
from tests.fakes.gce.routes import answered, what
from tests.fakes.gce.store import Row

if TYPE_CHECKING:
    from tests.fakes.gce.control import Cloud

_HTML = b"<html><title>Error 502 (Server Error)!!1</title></html>"


@dataclass
class Fault:
    """One thing that goes wrong with exchanges that fit."""

    match: str
    mode: str
    times: int
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Held:
    """An exchange that waits in the middle; ``told``: verb, path and request id."""

    told: Row
    free: threading.Event = field(default_factory=threading.Event)
    goes_on: bool = True


class Server(ThreadingHTTPServer):
    """Ends without waiting for connections that are kept open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], door: type, cloud: Cloud) -> None:
        super().__init__(address, door)
        self.cloud = cloud

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle is no news; a fault of the fake is."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.cloud.hosts.problems.append(traceback.format_exc())


class Door(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, verb: str) -> None:
        cloud = self.server.cloud
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if cloud.closing.is_set():
            self._drop()
            return None
        parts = urlsplit(self.path)
        if parts.path.startswith("/_fake/"):
            return self._steer(parts.path.removeprefix("/_fake/"), body)
        asked = dict(parse_qsl(parts.query))
        request = verb, parts.path, asked, body
        held = Held({"verb": verb, "path": parts.path, "request": asked.get("requestId", "")})
        fault = self._fault(verb, parts.path)
        if fault and fault.mode == "late":
            cloud.late.append(request)
            self._drop()
            return None
        if fault and not self._spoil_before(fault, held):
            return None
        code, told = answered(cloud, *request)
        if fault and not self._spoil_after(fault, held):
            return None
        return self._tell(code, told)

    # -- faults -------------------------------------------------------------------------------

    def _fault(self, verb: str, path: str) -> Fault | None:
        cloud = self.server.cloud
        told = f"{verb} {what(path)}"
        with cloud.lock:
            for fault in cloud.faults:
                if fault.times > 0 and fnmatchcase(told, fault.match):
                    fault.times -= 1
                    return fault
        return None

    def _spoil_before(self, fault: Fault, held: Held) -> bool:
        """Whether the exchange goes on."""
        match fault.mode:
            case "hold_before":
                return self.server.cloud.hold(held) or self._drop()
            case "drop_before":
                self._drop()
            case "error_before":
                self._refuse(fault)
            case "hang":
                self.server.cloud.closing.wait(fault.more.get("seconds", 60))
                self._drop()
            case "delay":
                self.server.cloud.closing.wait(fault.more.get("seconds", 1))
                return True
            case _:
                return True
        return False

    def _spoil_after(self, fault: Fault, held: Held) -> bool:
        """Whether the answer is given."""
        match fault.mode:
            case "hold_after":
                return self.server.cloud.hold(held) or self._drop()
            case "drop_after":
                return self._drop()
            case "error_after":
                self._refuse(fault)
                return False
            case _:
                return True

    def _refuse(self, fault: Fault) -> None:
        more = fault.more
        code = more.get("code", 503)
        if more.get("html"):
            return self._send(code, _HTML, "text/html; charset=UTF-8")
        reason = more.get("reason", "backendError")
        message = more.get("message", "Backend Error")
        domain = "usageLimits" if reason == "rateLimitExceeded" else "global"
        refusal = Refusal(code, reason, message, domain=domain, info=more.get("info", ""))
        return self._tell(code, refusal.body())

    def _drop(self) -> bool:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        return False

    # -- answers ------------------------------------------------------------------------------

    def _steer(self, verb: str, body: bytes) -> None:
        from tests.fakes.gce.control import REMOTE

        if verb not in REMOTE:
            return self._tell(404, {})
        args, kwargs = json.loads(body)
        answer = getattr(self.server.cloud, verb)(*args, **kwargs)
        return self._send(200, json.dumps(answer).encode(), "application/json")

    def _tell(self, code: int, told: Row) -> None:
        self._send(code, json.dumps(told).encode(), "application/json; charset=UTF-8")

    def _send(self, code: int, octets: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)
