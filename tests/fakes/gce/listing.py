"""Lists of a fake cloud: filters, pages, scopes that do not answer, regions and their quotas."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.gce.core import shown
from tests.fakes.gce.errors import Refusal, invalid, not_found
from tests.fakes.gce.instances import Instances
from tests.fakes.gce.store import Row

_TERM = re.compile(r'\(?\s*([\w.-]+)\s*(=|!=|:|\beq\b|\bne\b)\s*"?([^"()\s]*)"?\s*\)?')


class Listing(Instances):
    """``asked`` is the query of the request."""

    def page(self, kind: str, path: str, rows: list[Row], asked: dict[str, str]) -> Row:
        """One page of a list in one zone or region."""
        rows, token = self._cut([row for row in rows if fits(row, asked.get("filter", ""))], asked)
        told: Row = {"kind": kind, "id": path, "selfLink": self.link(path)}
        if rows:
            told["items"] = rows
        return told | {"nextPageToken": token} if token else told

    def _cut(self, rows: list[Row], asked: dict[str, str]) -> tuple[list[Row], str]:
        size = min(int(asked.get("maxResults") or self.behaviour.page), self.behaviour.page)
        start = int(asked.get("pageToken") or 0)
        more = str(start + size) if len(rows) > start + size else ""
        return rows[start : start + size], more

    def aggregated(self, what: str, asked: dict[str, str]) -> Row:
        """All zones or regions at once. What does not answer is named, and its rows are missing."""
        rows: list[tuple[str, Row]] = []
        scopes: list[str] = []
        for region, zones in self.behaviour.regions.items():
            for scope in [f"regions/{region}"] if what == "addresses" else [
                f"zones/{zone}" for zone in zones
            ]:  # fmt: skip
                scopes.append(scope)
                if scope.partition("/")[2] not in self.unreachable:
                    rows += [(scope, row) for row in self._rows(what, scope)]
        rows = [(scope, row) for scope, row in rows if fits(row, asked.get("filter", ""))]
        numbered = [row | {"_scope": scope} for scope, row in rows]
        cut, token = self._cut(numbered, asked)
        items: dict[str, Any] = {}
        for scope in scopes:
            here = [shown(row) for row in cut if row["_scope"] == scope]
            if here:
                items[scope] = {what: here}
            elif scope.partition("/")[2] in self.unreachable:
                items[scope] = {"warning": {"code": "UNREACHABLE", "message": "Not reachable."}}
            else:
                text = f"There are no results for scope '{scope}' on this page."
                data = [{"key": "scope", "value": scope}]
                warning = {"code": "NO_RESULTS_ON_PAGE", "message": text, "data": data}
                items[scope] = {"warning": warning}
        path = f"aggregated/{what}"
        kind = {"addresses": "address", "instances": "instance", "disks": "disk"}[what]
        told: Row = {
            "kind": f"compute#{kind}AggregatedList",
            "id": self.path(path),
            "selfLink": self.link(path),
            "items": items,
        }
        silent = [scope for scope in scopes if scope.partition("/")[2] in self.unreachable]
        if silent:
            told["unreachables"] = [self.path(scope) for scope in silent]
        return told | {"nextPageToken": token} if token else told

    def _rows(self, what: str, scope: str) -> list[Row]:
        place = scope.partition("/")[2]
        if what == "addresses":
            return self.list_addresses(place)
        return self.list_instances(place) if what == "instances" else self.list_disks(place)

    # -- disks --------------------------------------------------------------------------------

    def list_disks(self, zone: str) -> list[Row]:
        return [shown(row) for key, row in self.store.all("disk") if key.startswith(f"{zone}/")]

    def get_disk(self, zone: str, name: str) -> Row:
        self.region_of(zone)
        row = self.store.get("disk", f"{zone}/{name}")
        if row is None:
            raise not_found(self.path(f"zones/{zone}/disks/{name}"))
        return shown(row)

    def delete_disk(self, zone: str, name: str, request: Row) -> Row:
        scope = f"zones/{zone}"
        repeated = self.remembered(scope, request)
        if repeated is not None:
            return repeated
        row = self.get_disk(zone, name)
        if row.get("users"):
            path, user = self.path(f"{scope}/disks/{name}"), row["users"][0].partition("/v1/")[2]
            message = f"The disk resource '{path}' is already being used by '{user}'"
            raise Refusal(400, "resourceInUseByAnotherResource", message)
        return self.begin(
            "delete", scope, f"disks/{name}", request, self.behaviour.release,
            done="disk", number=row["id"], failure=self.planned_failure("disk"),
        )  # fmt: skip

    def _done_disk(self, operation: Row) -> bool:
        key = f"{operation['_scope'].partition('/')[2]}/{operation['_target']}"
        row = self.store.get("disk", key)
        same = row is not None and row["id"] == operation["targetId"]
        if same and not operation.get("_failure"):
            self.store.drop("disk", key)
        return True

    # -- regions ------------------------------------------------------------------------------

    def get_region(self, region: str) -> Row:
        zones = self.behaviour.regions[self.known_region(region)]
        here = [row for _, row in self.store.all("instance") if row["_region"] == region]
        taken = len(self.list_addresses(region))
        limits = self.behaviour
        return {
            "kind": "compute#region",
            "id": str(1000 + list(limits.regions).index(region)),
            "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
            "name": region,
            "description": region,
            "status": "UP",
            "selfLink": self.link(f"regions/{region}"),
            "supportsPzs": False,
            "zones": [self.link(f"zones/{zone}") for zone in zones],
            "quotas": [
                _quota("STATIC_ADDRESSES", limits.static_addresses, taken),
                _quota("IN_USE_ADDRESSES", limits.in_use_addresses, len(here)),
                _quota("INSTANCES", limits.instances, len(here)),
                _quota("CPUS", 24, 0.25 * len(here)),
                _quota("DISKS_TOTAL_GB", 4096, 10 * len(here)),
            ],
        }

    def list_regions(self) -> list[Row]:
        return [self.get_region(region) for region in self.behaviour.regions]


def _quota(metric: str, limit: float, usage: float) -> Row:
    return {"metric": metric, "limit": float(limit), "usage": float(usage)}


def fits(row: Row, expression: str) -> bool:
    """Whether a row passes a filter: comparisons, all of which must hold."""
    if not expression.strip():
        return True
    terms = _TERM.findall(expression)
    if not terms or " OR " in expression:
        raise invalid(f"Invalid value for field 'filter': '{expression}'. Invalid list filter.")
    return all(_holds(row, *term) for term in terms)


def _holds(row: Row, field: str, relation: str, value: str) -> bool:
    found: Any = row
    for part in field.split(".", 1):
        found = found.get(part, "") if isinstance(found, dict) else ""
    text = str(found)
    if relation in ("eq", "ne"):
        return (re.fullmatch(value, text) is not None) == (relation == "eq")
    if relation == ":":
        return (value in ("*", "") and text != "") or value in text
    return (text == value) == (relation == "=")
