"""Instances and disks of a fake cloud."""

from __future__ import annotations

from typing import Any

from tests.fakes.gce.addresses import Addresses, checked_name
from tests.fakes.gce.core import shown
from tests.fakes.gce.errors import Refusal, exists, invalid, not_found, quota
from tests.fakes.gce.instance_shape import disk_of, shape
from tests.fakes.gce.store import Row

_HELD = "IP_IN_USE_BY_ANOTHER_RESOURCE"


class Instances(Addresses):
    """An instance is seen from the moment it is asked for, and until it is quite gone."""

    def insert_instance(self, zone: str, body: Row, request: Row) -> Row:
        region, scope = self.region_of(zone), f"zones/{zone}"
        name = checked_name(body)
        repeated = self.remembered(scope, request)
        if repeated is not None:
            return repeated
        key = f"{zone}/{name}"
        if self.store.get("instance", key) is not None:
            raise exists(self.path(f"{scope}/instances/{name}"))
        failing = self._failure(zone, region)
        row = shape(self, zone, body)
        nat = self._nat(region, row)
        if nat is not None and self.users_of(nat):
            message = f"IP '{nat}' is already being used by another resource."
            if self.behaviour.held_sync:
                raise Refusal(400, "invalid", f"Specified IP address is in-use: {message}")
            failing = failing or {"code": _HELD, "message": message}
        row["_nat"] = None if failing and failing["code"] == _HELD else nat
        self.store.put("instance", key, row)
        for disk in disk_of(self, zone, row, body):
            self.store.put("disk", f"{zone}/{disk['name']}", disk)
        seconds = self.behaviour.stockout if failing else self.behaviour.insert
        self.later(seconds / 2, "staging", key=key, number=row["id"])
        return self.begin(
            "insert", scope, f"instances/{name}", request, seconds,
            done="insert", number=row["id"], failure=failing,
        )  # fmt: skip

    def _failure(self, zone: str, region: str) -> dict[str, Any] | None:
        """Why an insertion is going to fail, if it is."""
        planned = self.planned_failure("insert")
        if planned is not None:
            return planned
        if zone in self.stockouts:
            code = "ZONE_RESOURCE_POOL_EXHAUSTED"
            if self.behaviour.detailed_stockout:
                code += "_WITH_DETAILS"
            place = self.path(f"zones/{zone}")
            text = f"The zone '{place}' does not have enough resources available to fulfill"
            return {"code": code, "message": f"{text} the request.  Try a different zone."}
        here = [row for _, row in self.store.all("instance") if row["_region"] == region]
        for metric, limit in (
            ("INSTANCES", self.behaviour.instances),
            ("IN_USE_ADDRESSES", self.behaviour.in_use_addresses),
        ):
            if len(here) >= limit:
                refusal = quota(metric, limit, region)
                if self.behaviour.quota_sync:
                    raise refusal
                return {"code": "QUOTA_EXCEEDED", "message": refusal.message}
        return None

    def _nat(self, region: str, row: Row) -> str | None:
        """The address that the instance is to have; given one, or one for now."""
        configs = row["networkInterfaces"][0].get("accessConfigs") or []
        if not configs:
            return None
        config = configs[0]
        config.setdefault("networkTier", "PREMIUM")
        if not config.get("natIP"):
            config["natIP"] = self.free_ip()
            return str(config["natIP"])
        ip = str(config["natIP"])
        found = [(key, it) for key, it in self.store.all("address") if it.get("address") == ip]
        if not found or not found[0][0].startswith(f"{region}/"):
            field = "resource.networkInterfaces[0].accessConfigs[0].natIP"
            raise invalid(
                f"Invalid value for field '{field}': '{ip}'. The specified external IP address "
                f"'{ip}' was not found in region '{region}'."
            )
        if found[0][1]["networkTier"] != config["networkTier"]:
            raise invalid(
                "The network tier of external IP address must be the same as that of the "
                f"access config: {found[0][1]['networkTier']} and {config['networkTier']}."
            )
        return ip

    def _on_staging(self, key: str, number: str) -> None:
        row = self.store.get("instance", key)
        if row is not None and row["id"] == number and row["status"] == "PROVISIONING":
            row["status"] = "STAGING"
            self.store.put("instance", key, row)

    def _done_insert(self, operation: Row) -> bool:
        key = f"{operation['_scope'].partition('/')[2]}/{operation['_target']}"
        row = self.store.get("instance", key)
        if row is None or row["id"] != operation["targetId"] or row["status"] == "STOPPING":
            return True
        if operation.get("_failure"):
            self._erase(key, row, linger=False)
            return True
        self.run(key, row)
        longest = (row["scheduling"].get("maxRunDuration") or {}).get("seconds")
        if longest:
            row["_longest"] = float(longest)
            self.later(float(longest), "too_long", key=key, number=row["id"])
        self.store.put("instance", key, row)
        return True

    def run(self, key: str, row: Row) -> None:
        """Let an instance run, now and as if it had just been switched on."""
        row |= {"status": "RUNNING", "lastStartTimestamp": self.stamp(), "_started": self.now()}
        self.store.put("instance", key, row)
        self.hosts.start(shown(row))

    def _on_too_long(self, key: str, number: str) -> None:
        row = self.store.get("instance", key)
        if row is None or row["id"] != number or row["status"] not in ("RUNNING", "STAGING"):
            return
        left = row["_started"] + row["_longest"] - self.now()
        if left > 0.001:
            self.later(left, "too_long", key=key, number=number)
        elif row["scheduling"].get("instanceTerminationAction") == "DELETE":
            zone, _, name = key.partition("/")
            self.delete_instance(zone, name, {"verb": "expire"})
        else:
            row["status"] = "TERMINATED"
            self.store.put("instance", key, row)
            self.hosts.stop(number)

    def get_instance(self, zone: str, name: str) -> Row:
        self.region_of(zone)
        row = self.store.get("instance", f"{zone}/{name}")
        if row is None:
            row = self.store.get("ghost", f"{zone}/{name}")
            if row is not None and row["_until"] < self.now():
                row = None
        if row is None:
            raise not_found(self.path(f"zones/{zone}/instances/{name}"))
        return shown(row)

    def list_instances(self, zone: str) -> list[Row]:
        found = dict(self.store.all("instance"))
        for key, ghost in self.store.all("ghost"):
            if ghost["_until"] >= self.now():
                found.setdefault(key, ghost)
        return [shown(row) for key, row in sorted(found.items()) if key.startswith(f"{zone}/")]

    def delete_instance(self, zone: str, name: str, request: Row) -> Row:
        scope, key = f"zones/{zone}", f"{zone}/{name}"
        self.region_of(zone)
        repeated = self.remembered(scope, request)
        if repeated is not None:
            return repeated
        row = self.store.get("instance", key)
        if row is None:
            raise not_found(self.path(f"{scope}/instances/{name}"))
        if row.get("deletionProtection"):
            raise invalid(f"Resource cannot be deleted if it's protected: '{name}'")
        failing = self.planned_failure("delete")
        seconds = self.behaviour.delete
        if row["status"] == "STOPPING":
            seconds = max(0.0, row["_gone_at"] - self.now())
        elif failing is None:
            row |= {"status": "STOPPING", "_gone_at": self.now() + seconds}
            self.store.put("instance", key, row)
            self.hosts.stop(row["id"])
        return self.begin(
            "delete", scope, f"instances/{name}", request, seconds,
            done="delete", number=row["id"], failure=failing,
        )  # fmt: skip

    def _done_delete(self, operation: Row) -> bool:
        if operation.get("_failure"):
            return True
        if not self.hosts.idle(operation["targetId"]):
            self.later(0.1, "done", name=operation["name"])
            return False
        key = f"{operation['_scope'].partition('/')[2]}/{operation['_target']}"
        row = self.store.get("instance", key)
        if row is not None and row["id"] == operation["targetId"]:
            self._erase(key, row, linger=True)
        return True

    def _erase(self, key: str, row: Row, *, linger: bool) -> None:
        zone = key.partition("/")[0]
        self.store.drop("instance", key)
        if linger and self.behaviour.address_lag and row.get("_nat"):
            until = self.now() + self.behaviour.address_lag
            self.store.put("linger", row["_nat"], {"until": until, "link": row["selfLink"]})
        if linger and self.behaviour.ghost:
            self.store.put("ghost", key, row | {"_until": self.now() + self.behaviour.ghost})
        for disk in row["disks"]:
            name = disk["source"].rpartition("/")[2]
            found = self.store.get("disk", f"{zone}/{name}")
            if disk.get("autoDelete") and not self.behaviour.leak_disks:
                self.store.drop("disk", f"{zone}/{name}")
            elif found is not None:
                found.pop("users", None)
                self.store.put("disk", f"{zone}/{name}", found)

    def set_instance_labels(self, zone: str, name: str, body: Row, request: Row) -> Row:
        self.get_instance(zone, name)
        row = self.store.get("instance", f"{zone}/{name}")
        if row is None:
            raise not_found(self.path(f"zones/{zone}/instances/{name}"))
        return self.relabel("instance", f"{zone}/{name}", row, f"zones/{zone}", body, request)

    def set_scheduling(self, zone: str, name: str, body: Row, request: Row) -> Row:
        self.get_instance(zone, name)
        row = self.store.get("instance", f"{zone}/{name}")
        if row is None:
            raise not_found(self.path(f"zones/{zone}/instances/{name}"))
        row["scheduling"] |= body
        longest = (body.get("maxRunDuration") or {}).get("seconds")
        if longest:
            row["_longest"] = float(longest)
        self.store.put("instance", f"{zone}/{name}", row)
        return self.begin(
            "setScheduling", f"zones/{zone}", f"instances/{name}", request, self.behaviour.labels,
            done="nothing", number=row["id"],
        )  # fmt: skip

    def serial_output(self, zone: str, name: str, start: int) -> Row:
        row = self.get_instance(zone, name)
        console = self.store.get("console", row["id"])
        text = self.hosts.console(row["id"]) or (console or {"text": ""})["text"]
        octets = text.encode()
        # The cloud keeps the last mebibyte; ``start`` says where what it gives begins.
        begin = min(max(start, len(octets) - 2**20, 0), len(octets))
        return {
            "kind": "compute#serialPortOutput",
            "contents": octets[begin:].decode(errors="replace"),
            "start": str(begin),
            "next": str(len(octets)),
            "selfLink": f"{row['selfLink']}/serialPort",
        }
