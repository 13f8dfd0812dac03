"""What a fake cloud answers to a request: who is asked for what, and who refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.fakes.gce.errors import Refusal, not_found
from tests.fakes.gce.store import Row

if TYPE_CHECKING:
    from tests.fakes.gce.control import Cloud

_BASE = re.compile(r"/compute/v1/projects/([^/]+)/(.+)")


def what(path: str) -> str:
    """The kind of thing a path is about, for faults: ``aggregated`` or a plural."""
    found = _BASE.fullmatch(path)
    rest = found[2].split("/") if found else [path]
    if rest[0] == "aggregated":
        return "aggregated"
    return rest[2] if len(rest) > 2 else rest[0]


def answered(
    cloud: Cloud, verb: str, path: str, asked: dict[str, str], body: bytes
) -> tuple[int, Row]:
    """Do what a request asks for, and note what was to change something."""
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
