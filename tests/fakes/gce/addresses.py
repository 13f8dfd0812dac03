"""Regional addresses of a fake cloud."""

from __future__ import annotations

import re
from ipaddress import IPv4Network

from tests.fakes.gce.core import shown
from tests.fakes.gce.errors import Refusal, exists, invalid, not_found, quota
from tests.fakes.gce.operations import Operations
from tests.fakes.gce.store import Row

NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


class Addresses(Operations):
    """An address knows its holders by looking at the instances, never by itself."""

    def insert_address(self, region: str, body: Row, request: Row) -> Row:
        scope = f"regions/{self.known_region(region)}"
        name = checked_name(body)
        repeated = self.remembered(scope, request)
        if repeated is not None:
            return repeated
        if self.store.get("address", f"{region}/{name}") is not None:
            raise exists(self.path(f"{scope}/addresses/{name}"))
        failing = self.planned_failure("address")
        if failing is None and self._quota_reached(region):
            refusal = quota("STATIC_ADDRESSES", self.behaviour.static_addresses, region)
            if self.behaviour.quota_sync:
                raise refusal
            failing = {"code": "QUOTA_EXCEEDED", "message": refusal.message}
        number = self.number()
        labels = dict(body.get("labels") or {}) if self.behaviour.address_labels else {}
        row: Row = {
            "kind": "compute#address",
            "id": number,
            "creationTimestamp": self.stamp(),
            "name": name,
            "description": body.get("description", ""),
            "status": "RESERVING",
            "region": self.link(scope),
            "selfLink": self.link(f"{scope}/addresses/{name}"),
            "networkTier": body.get("networkTier") or "PREMIUM",
            "addressType": body.get("addressType") or "EXTERNAL",
            "labelFingerprint": self.fingerprint(labels, number),
            "_ip": self.free_ip(),
        }
        if labels:
            row["labels"] = labels
        self.store.put("address", f"{region}/{name}", row)
        return self.begin(
            "insert", scope, f"addresses/{name}", request, self.behaviour.reserve,
            done="reserve", number=number, failure=failing,
        )  # fmt: skip

    def _quota_reached(self, region: str) -> bool:
        taken = [key for key, _ in self.store.all("address") if key.startswith(f"{region}/")]
        return len(taken) >= self.behaviour.static_addresses

    def free_ip(self) -> str:
        """The next address of the range that nothing has."""
        network = IPv4Network(self.behaviour.addresses)
        taken = {row["_ip"] for _, row in self.store.all("address")}
        taken |= {row.get("_nat") for _, row in self.store.all("instance")}
        while True:
            ip = str(network[self.store.count("ip") % network.num_addresses])
            if ip not in taken and ip.rsplit(".", 1)[1] not in ("0", "255"):
                return ip

    def _done_reserve(self, operation: Row) -> bool:
        key = f"{operation['_scope'].partition('/')[2]}/{operation['_target']}"
        row = self.store.get("address", key)
        if row is not None and row["id"] == operation["targetId"]:
            if operation.get("_failure"):
                self.store.drop("address", key)
            else:
                row |= {"status": "RESERVED", "address": row["_ip"]}
                self.store.put("address", key, row)
        return True

    def get_address(self, region: str, name: str) -> Row:
        row = self.store.get("address", f"{self.known_region(region)}/{name}")
        if row is None:
            raise not_found(self.path(f"regions/{region}/addresses/{name}"))
        return self.with_users(row)

    def list_addresses(self, region: str) -> list[Row]:
        found = self.store.all("address")
        return [self.with_users(row) for key, row in found if key.startswith(f"{region}/")]

    def with_users(self, row: Row) -> Row:
        """The address as it is shown, in use by whoever has it."""
        users = self.users_of(row["_ip"]) if row["status"] != "RESERVING" else []
        told = shown(row)
        return told | {"status": "IN_USE", "users": users} if users else told

    def users_of(self, ip: str) -> list[str]:
        """Links of the instances that hold an address, and of those that just did."""
        live = [row["selfLink"] for _, row in self.store.all("instance") if row.get("_nat") == ip]
        late = self.store.get("linger", ip)
        if late is not None and late["until"] > self.now() and late["link"] not in live:
            live.append(late["link"])
        return live

    def delete_address(self, region: str, name: str, request: Row) -> Row:
        scope = f"regions/{region}"
        repeated = self.remembered(scope, request)
        if repeated is not None:
            return repeated
        row = self.get_address(region, name)
        path = self.path(f"{scope}/addresses/{name}")
        if row.get("users") and not self.behaviour.release_in_use:
            user = row["users"][0].partition("/v1/")[2]
            message = f"The address resource '{path}' is already being used by '{user}'"
            raise Refusal(400, "resourceInUseByAnotherResource", message)
        if row["status"] == "RESERVING":
            raise Refusal(400, "resourceNotReady", f"The resource '{path}' is not ready")
        return self.begin(
            "delete", scope, f"addresses/{name}", request, self.behaviour.release,
            done="release", number=row["id"], failure=self.planned_failure("release"),
        )  # fmt: skip

    def _done_release(self, operation: Row) -> bool:
        key = f"{operation['_scope'].partition('/')[2]}/{operation['_target']}"
        row = self.store.get("address", key)
        same = row is not None and row["id"] == operation["targetId"]
        if same and not operation.get("_failure"):
            self.store.drop("address", key)
        return True

    def set_address_labels(self, region: str, name: str, body: Row, request: Row) -> Row:
        self.get_address(region, name)
        row = self.store.get("address", f"{region}/{name}")
        assert row is not None
        return self.relabel("address", f"{region}/{name}", row, f"regions/{region}", body, request)

    def relabel(self, kind: str, key: str, row: Row, scope: str, body: Row, request: Row) -> Row:
        """Set labels, if the caller has seen the present ones."""
        if body.get("labelFingerprint") != row["labelFingerprint"]:
            text = "Labels fingerprint either invalid or resource labels have changed"
            raise Refusal(412, "conditionNotMet", text)
        row["labels"] = dict(body.get("labels") or {})
        row["labelFingerprint"] = self.fingerprint(row["labels"], self.number())
        self.store.put(kind, key, row)
        plural = {"address": "addresses", "instance": "instances"}[kind]
        return self.begin(
            "setLabels", scope, f"{plural}/{row['name']}", request, self.behaviour.labels,
            done="nothing", number=row["id"],
        )  # fmt: skip

    def _done_nothing(self, operation: Row) -> bool:
        return True


def checked_name(body: Row) -> str:
    name = str(body.get("name", ""))
    if not NAME.fullmatch(name):
        text = f"Invalid value for field 'resource.name': '{name}'. Must be a match of regex"
        raise invalid(f"{text} '(?:[a-z](?:[-a-z0-9]{{0,61}}[a-z0-9])?)'")
    return name
