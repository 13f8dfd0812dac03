"""How the cloud's own words read here."""

from __future__ import annotations

from datetime import UTC, datetime

from google.cloud import compute_v1

from app.gateways.compute.driver import AddressState, MachineState

_MACHINES = {
    "PENDING": MachineState.STARTING,
    "PROVISIONING": MachineState.STARTING,
    "STAGING": MachineState.STARTING,
    "REPAIRING": MachineState.STARTING,
    "RUNNING": MachineState.RUNNING,
    "PENDING_STOP": MachineState.STOPPING,
    "STOPPING": MachineState.STOPPING,
    "DEPROVISIONING": MachineState.STOPPING,
    "SUSPENDING": MachineState.STOPPING,
    "STOPPED": MachineState.TERMINATED,
    "TERMINATED": MachineState.TERMINATED,
    "SUSPENDED": MachineState.TERMINATED,
}
_ADDRESSES = {
    "RESERVING": AddressState.RESERVING,
    "RESERVED": AddressState.RESERVED,
    "IN_USE": AddressState.IN_USE,
}


def machine_state(machine: compute_v1.Instance) -> MachineState:
    """Every state but a direct "not found" means that it exists and may hold its address."""
    return _MACHINES.get(machine.status, MachineState.UNKNOWN)


def address_state(address: compute_v1.Address) -> AddressState:
    """In use is also what has users, whatever the status says meanwhile."""
    if address.users:
        return AddressState.IN_USE
    return _ADDRESSES.get(address.status, AddressState.UNKNOWN)


def last(link: str) -> str:
    """The name at the end of a link."""
    return link.rpartition("/")[2]


def names(links: object) -> tuple[str, ...]:
    """The names at the ends of links."""
    return tuple(last(str(link)) for link in links)  # type: ignore[attr-defined]


def moment(text: str) -> datetime | None:
    """A time as the API writes it, in UTC."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
