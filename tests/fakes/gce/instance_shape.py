"""What an instance and its disks look like in the API."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tests.fakes.gce.errors import invalid
from tests.fakes.gce.store import Row

if TYPE_CHECKING:
    from tests.fakes.gce.core import Core

_KEPT = ("description", "tags", "serviceAccounts", "deletionProtection", "canIpForward")


def shape(cloud: Core, zone: str, body: Row) -> Row:
    """A new instance; refused where the request lacks what the API demands."""
    if not body.get("disks") or not body.get("networkInterfaces"):
        raise invalid("Invalid value for field 'resource.disks': ''. No disks are specified.")
    name, number = body["name"], cloud.number()
    machine_type = str(body.get("machineType", "")).rpartition("/")[2]
    if not machine_type:
        raise invalid("Invalid value for field 'resource.machineType': ''.")
    labels = dict(body.get("labels") or {})
    link = cloud.link(f"zones/{zone}/instances/{name}")
    row: Row = {
        "kind": "compute#instance",
        "id": number,
        "creationTimestamp": cloud.stamp(),
        "name": name,
        "machineType": cloud.link(f"zones/{zone}/machineTypes/{machine_type}"),
        "status": "PROVISIONING",
        "zone": cloud.link(f"zones/{zone}"),
        "selfLink": link,
        "cpuPlatform": "Unknown CPU Platform",
        "labelFingerprint": cloud.fingerprint(labels, number),
        "metadata": _metadata(cloud, body, number),
        "networkInterfaces": [_network(cloud, part) for part in body["networkInterfaces"]],
        "disks": [_attached(cloud, zone, name, part) for part in body["disks"]],
        "scheduling": _scheduling(body),
        "shieldedInstanceConfig": _shielded(body),
        "shieldedInstanceIntegrityPolicy": {"updateAutoLearnPolicy": True},
        "startRestricted": False,
        "deletionProtection": False,
        "_region": cloud.region_of(zone),
    }
    if labels:
        row["labels"] = labels
    row |= {key: copy.deepcopy(body[key]) for key in _KEPT if body.get(key)}
    return row


def _metadata(cloud: Core, body: Row, number: str) -> Row:
    items = copy.deepcopy((body.get("metadata") or {}).get("items") or [])
    found: Row = {
        "kind": "compute#metadata",
        "fingerprint": cloud.fingerprint({"items": str(items)}, number),
    }
    return found | {"items": items} if items else found


def _scheduling(body: Row) -> Row:
    given = {"onHostMaintenance": "MIGRATE", "automaticRestart": True, "preemptible": False}
    return given | {"provisioningModel": "STANDARD"} | copy.deepcopy(body.get("scheduling") or {})


def _shielded(body: Row) -> Row:
    given = {"enableSecureBoot": False, "enableVtpm": True, "enableIntegrityMonitoring": True}
    return given | copy.deepcopy(body.get("shieldedInstanceConfig") or {})


def _network(cloud: Core, asked: Row) -> Row:
    part = copy.deepcopy(asked)
    part.setdefault("kind", "compute#networkInterface")
    part.setdefault("name", "nic0")
    part.setdefault("network", cloud.link("global/networks/default"))
    inside = cloud.chance("inside")
    part.setdefault("networkIP", f"10.132.{inside.randrange(256)}.{inside.randrange(2, 255)}")
    part.setdefault("fingerprint", cloud.fingerprint({}, part["networkIP"]))
    for config in part.get("accessConfigs") or []:
        config.setdefault("kind", "compute#accessConfig")
        config.setdefault("type", "ONE_TO_ONE_NAT")
        config.setdefault("name", "External NAT")
    return part


def _attached(cloud: Core, zone: str, name: str, asked: Row) -> Row:
    sized = asked.get("initializeParams") or {}
    disk = sized.get("diskName") or name
    return {
        "kind": "compute#attachedDisk",
        "type": asked.get("type") or "PERSISTENT",
        "mode": asked.get("mode") or "READ_WRITE",
        "source": cloud.link(f"zones/{zone}/disks/{disk}"),
        "deviceName": asked.get("deviceName") or "persistent-disk-0",
        "index": 0,
        "boot": bool(asked.get("boot")),
        "autoDelete": bool(asked.get("autoDelete")),
        "interface": "SCSI",
        "diskSizeGb": str(sized.get("diskSizeGb") or "10"),
    }


def disk_of(cloud: Core, zone: str, row: Row, body: Row) -> list[Row]:
    """The disks that come with an instance, as things of their own."""
    found = []
    for attached, asked in zip(row["disks"], body["disks"], strict=True):
        sized = asked.get("initializeParams") or {}
        name, number = attached["source"].rpartition("/")[2], cloud.number()
        labels = dict(sized.get("labels") or {})
        kind = str(sized.get("diskType") or "pd-standard").rpartition("/")[2]
        disk: Row = {
            "kind": "compute#disk",
            "id": number,
            "creationTimestamp": cloud.stamp(),
            "name": name,
            "sizeGb": attached["diskSizeGb"],
            "zone": row["zone"],
            "status": "READY",
            "sourceImage": sized.get("sourceImage", ""),
            "selfLink": attached["source"],
            "type": cloud.link(f"zones/{zone}/diskTypes/{kind}"),
            "labelFingerprint": cloud.fingerprint(labels, number),
            "users": [row["selfLink"]],
        }
        found.append(disk | {"labels": labels} if labels else disk)
    return found
