"""What a caller may ask for over its websocket, and how wishes that make no sense are refused.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams,
page Live-Subscribing-Unsubscribing-to-streams.
"""

from __future__ import annotations

import json
from typing import Any

from app.practice.streams.hub import Connection, Hub

Json = dict[str, Any]
MOST_STREAMS = 1024
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class Refused(Exception):
    """A wish that is not granted, in the venue's numbers and words."""

    def __init__(self, code: int, msg: str, name: object = None) -> None:
        super().__init__(msg)
        self.answer = {"error": {"code": code, "msg": msg}, "id": name}


def answer(hub: Hub, connection: Connection, text: str, ms: int) -> Json:
    """The answer to one message."""
    try:
        return _granted(hub, connection, text, ms)
    except Refused as refused:
        return refused.answer


def _granted(hub: Hub, connection: Connection, text: str, ms: int) -> Json:
    try:
        wish = json.loads(text)
    except ValueError:
        raise Refused(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(wish, dict) or "method" not in wish:
        raise Refused(2, "Invalid request: missing field `method`")
    name = wish.get("id")
    if not isinstance(name, int) or isinstance(name, bool) or name < 0:
        raise Refused(2, "Invalid request: request ID must be an unsigned integer")
    method = wish["method"]
    if method not in _METHODS:
        expected = ", ".join(f"`{one}`" for one in _METHODS)
        msg = f"Invalid request: unknown variant `{method}`, expected one of {expected}"
        raise Refused(2, msg, name)
    params = wish.get("params", [])
    if not isinstance(params, list):
        raise Refused(2, "Invalid request: params must be a list", name)
    return {"result": _done(hub, connection, method, params, ms, name), "id": name}


def _done(
    hub: Hub, connection: Connection, method: str, params: list[Any], ms: int, name: int
) -> Any:
    if method == "LIST_SUBSCRIPTIONS":
        return list(connection.streams)
    if method.endswith("PROPERTY"):
        return _property(connection, method, params, name)
    if not all(isinstance(one, str) for one in params):
        raise Refused(2, "Invalid request: stream name must be a string", name)
    if len(connection.streams) + len(params) > MOST_STREAMS:
        raise Refused(2, "Invalid request: too many parameters", name)
    if method == "SUBSCRIBE":
        hub.subscribe(connection, params, ms)
    else:
        hub.unsubscribe(connection, params)
    return None


def _property(connection: Connection, method: str, params: list[Any], name: int) -> Any:
    if not params or params[0] != "combined":
        raise Refused(0, "Unknown property", name)
    if method == "GET_PROPERTY":
        return connection.combined
    if len(params) < 2 or not isinstance(params[1], bool):
        raise Refused(1, "Invalid value type: expected Boolean", name)
    connection.combined = params[1]
    return None
