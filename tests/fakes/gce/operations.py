"""Operations of a fake cloud: accepted, running, done; asked for by name; repeated by requestId."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.fakes.gce.core import Core, shown
from tests.fakes.gce.errors import failure, not_found, too_many_operations
from tests.fakes.gce.store import Row


class Operations(Core):
    """``scope`` is ``zones/Z`` or ``regions/R``."""

    def remembered(self, scope: str, request: Row) -> Row | None:
        """The operation that an earlier request with this requestId made, failed or not."""
        number = request.get("id", "")
        row = self.store.get("request", number) if number else None
        if row is None or row["at"] + self.behaviour.request_ttl < self.now():
            return None
        if row["mark"] != _mark(scope, request):
            self.store.put("violation", number, {"why": "a requestId came with another body"})
        operation = self.store.get("op", row["op"])
        return None if operation is None else shown(operation)

    def begin(
        self, kind: str, scope: str, target: str, request: Row, seconds: float, **more: Any
    ) -> Row:
        """Accept a change; ``more`` is kept for when it is done. ``target``: path after scope."""
        self._refuse_too_many()
        name = self._name()
        operation: Row = {
            "kind": "compute#operation",
            "id": self.number(),
            "name": name,
            "operationType": kind,
            "targetLink": self.link(f"{scope}/{target}"),
            "targetId": more.pop("number", "0"),
            "status": "PENDING",
            "progress": 0,
            "user": "someone@example.com",
            "insertTime": self.stamp(),
            "selfLink": self.link(f"{scope}/operations/{name}"),
            scope.partition("/")[0].removesuffix("s"): self.link(scope),
            "_scope": scope,
            "_at": self.now(),
            "_target": target.rpartition("/")[2],
            **{f"_{key}": value for key, value in more.items()},
        }
        if request.get("id"):
            operation["clientOperationId"] = request["id"]
            mark = {"op": name, "at": self.now(), "mark": _mark(scope, request)}
            self.store.put("request", request["id"], mark)
        self.store.put("op", name, operation)
        self.later(seconds / 4, "running", name=name)
        self.later(seconds, "done", name=name)
        return shown(operation)

    def _refuse_too_many(self) -> None:
        limit = self.behaviour.operations_in_flight
        if limit is not None:
            busy = sum(row["status"] != "DONE" for _, row in self.store.all("op"))
            if busy >= limit:
                raise too_many_operations()

    def _name(self) -> str:
        chance = self.chance("op")
        tail = f"{chance.getrandbits(52):013x}-{chance.getrandbits(32):08x}"
        return f"operation-{int(self.now() * 1000)}-{tail}"

    def _on_running(self, name: str) -> None:
        operation = self.store.get("op", name)
        if operation is not None and operation["status"] == "PENDING":
            operation |= {"status": "RUNNING", "startTime": self.stamp()}
            self.store.put("op", name, operation)

    def _on_done(self, name: str) -> None:
        operation = self.store.get("op", name)
        if operation is None or operation["status"] == "DONE":
            return
        if getattr(self, f"_done_{operation['_done']}")(operation):
            self.finish(operation)

    def finish(self, operation: Row) -> None:
        """Set an operation to its end, failed if it was to fail."""
        operation |= {"status": "DONE", "progress": 100, "endTime": self.stamp()}
        operation.setdefault("startTime", operation["insertTime"])
        planned = operation.get("_failure")
        if planned is not None:
            fields = planned.get("fields", self.behaviour.error_fields)
            operation |= failure(planned["code"], planned["message"], fields=fields)
        self.store.put("op", operation["name"], operation)

    def get_operation(self, scope: str, name: str) -> Row:
        row = self.store.get("op", name)
        gone = row is None or row["_at"] + self.behaviour.operation_ttl < self.now()
        if row is None or gone or row["_scope"] != scope:
            raise not_found(self.path(f"{scope}/operations/{name}"))
        return shown(row)

    def list_operations(self, scope: str) -> list[Row]:
        oldest = self.now() - self.behaviour.operation_ttl
        rows = [row for _, row in self.store.all("op")]
        return [shown(row) for row in rows if row["_scope"] == scope and row["_at"] >= oldest]


def _mark(scope: str, request: Row) -> str:
    told = json.dumps([scope, request["verb"], request.get("body")], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
