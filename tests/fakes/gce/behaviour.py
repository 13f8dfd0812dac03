"""How a fake cloud behaves while nobody interferes."""

from __future__ import annotations

from dataclasses import dataclass, field

REGIONS = {
    "europe-west1": ("europe-west1-b", "europe-west1-c", "europe-west1-d"),
    "us-central1": ("us-central1-a", "us-central1-b", "us-central1-c"),
}


@dataclass
class Behaviour:
    """Seconds are of the cloud's own clock. ``None`` as a limit: there is none."""

    project: str = "demo-project"
    regions: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(REGIONS))
    addresses: str = "127.80.0.0/16"
    """The range that addresses are handed out of."""
    reserve: float = 0.2
    release: float = 0.2
    insert: float = 0.4
    delete: float = 0.4
    labels: float = 0.1
    stockout: float = 0.3
    """How long an insertion takes to fail for want of capacity; its instance is seen meanwhile."""
    address_lag: float = 0.0
    """How long an address stays in use after its instance is gone."""
    ghost: float = 0.0
    """How long an instance is still answered for after it is gone."""
    request_ttl: float = 3600.0
    """How long a requestId is remembered."""
    operation_ttl: float = 86400.0
    """How long an operation can be asked for."""
    error_fields: bool = True
    """Whether a failed operation carries httpErrorStatusCode and httpErrorMessage."""
    detailed_stockout: bool = False
    held_sync: bool = False
    """An address in use is refused at once, instead of by the operation."""
    quota_sync: bool = True
    """A reached quota is refused at once, instead of by the operation."""
    release_in_use: bool = False
    """Whether an address can be deleted while an instance has it."""
    address_labels: bool = True
    """Whether labels sent with addresses.insert stick."""
    leak_disks: bool = False
    """Boot disks stay behind although autoDelete was set."""
    static_addresses: int = 1000
    in_use_addresses: int = 1000
    instances: int = 1000
    operations_in_flight: int | None = None
    page: int = 500
