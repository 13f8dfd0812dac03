"""``permissions``: who may do what, and which route asks for which right."""

import json
from typing import Any

import click
from flask import current_app

from app.cli.base import Command
from app.domain.access import Permission, roles_with
from app.web.guards import guard_of

_UNSPOKEN = {"HEAD", "OPTIONS"}


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def permissions(as_json: bool) -> None:
    """Print every permission with its roles, and every route with its guard."""
    found = registry()
    click.echo(json.dumps(found, indent=2) if as_json else _tables(found))


def registry() -> dict[str, Any]:
    """What the running code declares: the matrix and the guards of the URL map."""
    routes = [
        {
            "rule": rule.rule,
            "methods": sorted((rule.methods or set()) - _UNSPOKEN),
            # Static files are public by nature and carry no guard.
            "guard": guard_of(current_app, rule.endpoint) or "public",
        }
        for rule in current_app.url_map.iter_rules()
    ]
    return {
        "permissions": {
            right.value: [role.value for role in roles_with(right)] for right in Permission
        },
        "routes": sorted(routes, key=lambda route: (route["rule"], route["methods"])),
    }


def _tables(found: dict[str, Any]) -> str:
    lines = [f"{len(found['permissions'])} permissions"]
    lines += [f"  {right:28} {', '.join(held)}" for right, held in found["permissions"].items()]
    lines += ["", f"{len(found['routes'])} routes"]
    lines += [
        f"  {' '.join(route['methods']):10} {route['rule']:60} {route['guard']}"
        for route in found["routes"]
    ]
    return "\n".join(lines)
