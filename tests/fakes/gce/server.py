"""The HTTP side of a fake cloud: routes, refusals, and exchanges that go wrong."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.gce.errors import Refusal, not_found
from tests.fakes.gce.store import Row

if TYPE_CHECKING:
    from tests.fakes.gce.control import Cloud

_BASE = re.compile(r"/compute/v1/projects/([^/]+)/(.+)")
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
        request = asked.get("requestId", "")
        held = Held({"verb": verb, "path": parts.path, "request": request})
        fault = self._fault(verb, parts.path)
        if fault and not self._spoil_before(fault, held):
            return None
        code, told = self._answer(verb, parts.path, asked, body)
        if fault and not self._spoil_after(fault, held):
            return None
        return self._tell(code, told)

    def _answer(self, verb: str, path: str, asked: dict[str, str], body: bytes) -> tuple[int, Row]:
        cloud = self.server.cloud
        with cloud.lock:
            if cloud.closing.is_set():
                return 503, {}
            cloud.settle()
            try:
                code, told = 200, route(cloud, verb, path, asked, body)
            except Refusal as refusal:
                code, told = refusal.code, refusal.body()
            if verb != "GET":
                call = {"verb": verb, "path": path, "request": asked.get("requestId", "")}
                told_body = json.loads(body) if body else None
                number = str(cloud.store.count("call"))
                cloud.store.put("call", number, call | {"code": code, "body": told_body})
            cloud.settle()
        return code, told

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


def what(path: str) -> str:
    """The kind of thing a path is about, for faults: ``aggregated`` or a plural."""
    found = _BASE.fullmatch(path)
    rest = found[2].split("/") if found else [path]
    if rest[0] == "aggregated":
        return "aggregated"
    return rest[2] if len(rest) > 2 else rest[0]


def route(cloud: Cloud, verb: str, path: str, asked: dict[str, str], body: bytes) -> Row:
    """Find who answers. Raises ``Refusal``."""
    found = _BASE.fullmatch(path)
    if found is None:
        raise not_found(path)
    if found[1] != cloud.behaviour.project:
        raise not_found(f"projects/{found[1]}")
    told = json.loads(body) if body else {}
    request = {"id": asked.get("requestId", ""), "verb": f"{verb} {found[2]}", "body": told}
    for pattern, answer in ROUTES:
        fit = pattern.fullmatch(f"{verb} {found[2]}")
        if fit is not None:
            return answer(cloud, asked, request, *map(unquote, fit.groups()))
    raise not_found(path)


def _page(kind: str, lister: str, path: str) -> Callable[..., Row]:
    def answer(cloud: Cloud, asked: dict[str, str], _request: Row, *place: str) -> Row:
        rows = getattr(cloud, lister)(*place)
        return cloud.page(f"compute#{kind}List", path.format(*place), rows, asked)

    return answer


def _change(name: str) -> Callable[..., Row]:
    """Insertions and labels bring a body, deletions none."""
    with_body = not name.startswith("delete")

    def answer(cloud: Cloud, _asked: dict[str, str], request: Row, *place: str) -> Row:
        body = [request["body"]] if with_body else []
        done: Row = getattr(cloud, name)(*place, *body, request)
        return done

    return answer


def _get(name: str) -> Callable[..., Row]:
    def answer(cloud: Cloud, _asked: dict[str, str], _request: Row, *place: str) -> Row:
        found: Row = getattr(cloud, name)(*place)
        return found

    return answer


def _operations(cloud: Cloud, asked: dict[str, str], _request: Row, scope: str) -> Row:
    rows = cloud.list_operations(scope)
    return cloud.page("compute#operationList", f"{scope}/operations", rows, asked)


def _serial(cloud: Cloud, asked: dict[str, str], _request: Row, zone: str, name: str) -> Row:
    return cloud.serial_output(zone, name, int(asked.get("start") or 0))


def _aggregated(cloud: Cloud, asked: dict[str, str], _request: Row, kind: str) -> Row:
    return cloud.aggregated(kind, asked)


_N = "([^/]+)"
_SCOPE = "((?:zones|regions)/[^/]+)"
ROUTES = [
    (re.compile(pattern), answer)
    for pattern, answer in (
        (f"POST regions/{_N}/addresses", _change("insert_address")),
        (f"GET regions/{_N}/addresses/{_N}", _get("get_address")),
        (f"GET regions/{_N}/addresses", _page("address", "list_addresses", "regions/{}/addresses")),
        (f"DELETE regions/{_N}/addresses/{_N}", _change("delete_address")),
        (f"POST regions/{_N}/addresses/{_N}/setLabels", _change("set_address_labels")),
        (f"POST zones/{_N}/instances", _change("insert_instance")),
        (f"GET zones/{_N}/instances/{_N}", _get("get_instance")),
        (f"GET zones/{_N}/instances", _page("instance", "list_instances", "zones/{}/instances")),
        (f"DELETE zones/{_N}/instances/{_N}", _change("delete_instance")),
        (f"POST zones/{_N}/instances/{_N}/setLabels", _change("set_instance_labels")),
        (f"POST zones/{_N}/instances/{_N}/setScheduling", _change("set_scheduling")),
        (f"GET zones/{_N}/instances/{_N}/serialPort", _serial),
        (f"GET zones/{_N}/disks/{_N}", _get("get_disk")),
        (f"GET zones/{_N}/disks", _page("disk", "list_disks", "zones/{}/disks")),
        (f"DELETE zones/{_N}/disks/{_N}", _change("delete_disk")),
        ("GET aggregated/(instances|addresses|disks)", _aggregated),
        (f"GET {_SCOPE}/operations/{_N}", _get("get_operation")),
        (f"POST {_SCOPE}/operations/{_N}/wait", _get("get_operation")),
        (f"GET {_SCOPE}/operations", _operations),
        (f"GET regions/{_N}", _get("get_region")),
        ("GET regions", _page("region", "list_regions", "regions")),
    )
]
