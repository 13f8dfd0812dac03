"""The requests by which a listen key begins, is kept alive and ends; a key is enough for them."""

from __future__ import annotations

from typing import Any

from app.practice.routes import Call, Route, flat

PATH = "/fapi/v1/listenKey"


def start(call: Call) -> dict[str, Any]:
    call.holder()
    return {"listenKey": call.desk.listen_keys.open(call.account, call.masked, call.ms).text}


def keep_alive(call: Call) -> dict[str, Any]:
    return {"listenKey": call.desk.listen_keys.extend(call.account, call.ms).text}


def end(call: Call) -> dict[str, Any]:
    call.desk.listen_keys.close(call.account)
    return {}


ROUTES = tuple(
    Route(method, PATH, answer, flat(1), keyed=True)
    for method, answer in (("POST", start), ("PUT", keep_alive), ("DELETE", end))
)
