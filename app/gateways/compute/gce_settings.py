"""What the driver for Compute Engine has to know."""

from __future__ import annotations

from dataclasses import dataclass

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class GceSettings:
    """``endpoint`` empty: Google's own. ``credentials`` empty: the application default ones;
    else the path of a service account's key file, or ``anonymous``.

    ``env_label`` tells apart the installations that share a project.
    """

    project: str
    regions: tuple[str, ...]
    machine_type: str = "e2-micro"
    network_tier: str = "STANDARD"
    image: str = "projects/debian-cloud/global/images/family/debian-12"
    env_label: str = "prod"
    endpoint: str = ""
    credentials: str = ""
