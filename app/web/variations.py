"""Parameters set otherwise than a version has them, as an address carries them."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, request

from app.domain import studies
from app.forms.strategy_parts import number
from app.models import Strategy
from runner.strategy import dials, varied

NAME = "set"


def init_app(app: Flask) -> None:
    """Give templates the filter."""
    app.jinja_env.filters["parameter"] = spelt


def arguments(values: Mapping[str, Any]) -> list[str]:
    """For ``url_for(…, set=arguments(values))``."""
    return [f"{path}={value}" for path, value in values.items()]


def asked(rules: dict[str, Any]) -> dict[str, Any]:
    """What the request sets, by path; what these rules do not have is left out."""
    known, found = {dial.path: dial.parameter for dial in dials(rules)}, dict[str, Any]()
    for text in request.values.getlist(NAME)[: studies.MOST_AXES]:
        path, _, value = text.partition("=")
        one = known.get(path)
        if one is None:
            continue
        typed = value if one.kind == "choice" else number(value)
        is_float = one.kind == "float" and isinstance(typed, int)
        found[path] = float(typed) if is_float else typed
    return found


def drafted(strategy: Strategy) -> tuple[dict[str, Any], list[str]]:
    """Rules to begin a draft with, and what the address sets in them; else the newest rules."""
    told = request.args.get("version", type=int)
    base = next((it for it in strategy.versions if it.number == told), strategy.latest)
    values = asked(base.rules)
    if not values:
        return strategy.latest.rules, []
    return varied(base.rules, values), words(values, base.rules)


def words(values: Mapping[str, Any], rules: dict[str, Any]) -> list[str]:
    """Each of them as people read it."""
    known = studies.titles(rules)
    return [
        f"{known.get(path, path)} {spelt(value)} {studies.unit_of(path, rules)}".strip()
        for path, value in values.items()
    ]


def spelt(value: Any) -> str:
    """A value of a parameter."""
    return value.replace("_", " ") if isinstance(value, str) else f"{value:g}"
