"""Where machines live and how soon they come and go, as the settings say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.domain import price_book
from app.domain.lifecycle import Tempo
from app.domain.price_book import Book
from app.gateways.compute.gce_settings import ANONYMOUS, GceSettings
from app.settings import Reader, is_loopback

_DEFAULTS = {
    # driver: shortest pause worth sleeping, flat for, wake lead
    "local": ("20s", "3s", "3s"),
    "gce": ("30min", "5min", "150s"),
}
_FURTHER: dict[str, dict[str, timedelta]] = {
    "local": {"observe_every": timedelta(seconds=2), "longest_lead": timedelta(seconds=15)},
    "gce": {
        # A sweep looks at all of them once a minute, with one call.
        "observe_every": timedelta(minutes=2),
        "patience": timedelta(minutes=5),
        "boot_deadline": timedelta(minutes=6),
        "first_lead": timedelta(minutes=5),
        "lead_margin": timedelta(minutes=1),
        "longest_lead": timedelta(minutes=15),
        "spread": timedelta(minutes=1),
        "longest_run": timedelta(days=120),
    },
}
"""What no setting changes; see ``Tempo``."""
_PROJECT = re.compile(r"[a-z][a-z0-9:.-]{4,60}[a-z0-9]", re.ASCII)
_REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+", re.ASCII)
_MACHINE_TYPE = re.compile(r"[a-z][a-z0-9-]{1,59}", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9:/._-]{3,300}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII)


@dataclass(frozen=True)
class Compute:
    """What machines there are to be had. The local driver has one region and no zones."""

    gce: GceSettings | None = None

    @property
    def regions(self) -> tuple[str, ...]:
        """Where bots can live."""
        return ("local",) if self.gce is None else self.gce.regions

    @property
    def zoned(self) -> bool:
        """Whether a zone has to be chosen for each machine."""
        return self.gce is not None

    @property
    def machine_type(self) -> str:
        """What kind of machine each bot gets."""
        return "local" if self.gce is None else self.gce.machine_type


def read_compute(read: Reader) -> dict[str, Any]:
    """The settings of compute; faults go to ``read``."""
    driver = read.choice("COMPUTE_DRIVER", tuple(_DEFAULTS), "local")
    compute = Compute(_read_gce(read) if driver == "gce" else None)
    gap, flat, lead = _DEFAULTS[driver]
    tempo = Tempo(
        wake_lead=read.period("WAKE_LEAD_MIN", lead),
        sleep_min_gap=read.period("SLEEP_MIN_GAP", gap),
        flat_for=read.period("SLEEP_FLAT_FOR", flat),
        machine_type=compute.machine_type,
        **_FURTHER[driver],
    )
    return {
        "compute": compute,
        "compute_driver": driver,
        "code_strategies": _read_code(read, driver),
        "compute_in_flight": read.number("COMPUTE_IN_FLIGHT", 8, 1, 100),
        "tempo": tempo,
        "exchange_endpoints": read.endpoints("EXCHANGE_ENDPOINTS"),
        "runner_streams": read.flag("RUNNER_STREAMS", "1"),
        "prices": _read_book(read),
    }


def _read_code(read: Reader, driver: str) -> bool:
    """Classes run on machines of their own in a cloud; local ones share this computer."""
    return read.flag("ALLOW_CODE_STRATEGIES", "0" if driver == "local" else "1")


def _read_book(read: Reader) -> Book:
    """The house's own price book, or the shipped one."""
    path = Path(read.text("PRICE_BOOK") or price_book.SHIPPED)
    try:
        return price_book.load(path)
    except price_book.Unreadable as error:
        read.fault(
            "PRICE_BOOK",
            f"({path}) {error} Copy {price_book.SHIPPED.name} of app/domain/data and change it, "
            "or leave the setting empty.",
        )
        return price_book.load(price_book.SHIPPED)


def _read_gce(read: Reader) -> GceSettings:
    if read.flag("DEMO"):
        read.fault("DEMO", "is on, and demo bots would cost money; set DEMO=0 or the local driver.")
    endpoint, credentials = _endpoint(read), read.text("GCE_CREDENTIALS")
    _refuse_credentials(read, endpoint, credentials)
    _refuse_gate(read, endpoint)
    checked = partial(_checked, read)
    return GceSettings(
        project=checked(_PROJECT, "GCE_PROJECT", read.text("GCE_PROJECT")),
        regions=_regions(read),
        machine_type=checked(
            _MACHINE_TYPE, "GCE_MACHINE_TYPE", read.text("GCE_MACHINE_TYPE", "e2-micro")
        ),
        network_tier=read.choice("GCE_NETWORK_TIER", ("standard", "premium"), "standard").upper(),
        image=checked(_IMAGE, "GCE_IMAGE", read.text("GCE_IMAGE", GceSettings.image)),
        env_label=checked(_LABEL, "GCE_ENV_LABEL", read.text("GCE_ENV_LABEL", "prod")),
        endpoint=endpoint,
        credentials=credentials,
    )


_CURES = {
    "GCE_PROJECT": "set the id of the project.",
    "GCE_MACHINE_TYPE": "set one such as e2-micro.",
    "GCE_IMAGE": "set the path of an image or family.",
    "GCE_ENV_LABEL": "set small letters, digits, - and _ only.",
}


def _checked(read: Reader, form: re.Pattern[str], name: str, value: str) -> str:
    """A setting of a given form; one without a default is required."""
    if not value:
        read.fault(name, f"is not set, and COMPUTE_DRIVER is gce; {_CURES[name]}")
    elif not form.fullmatch(value):
        read.fault(name, f"is {value!r}; {_CURES[name]}")
    return value


def _regions(read: Reader) -> tuple[str, ...]:
    text = read.text("GCE_REGIONS")
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found or not all(map(_REGION.fullmatch, found)):
        read.fault("GCE_REGIONS", f"is {text!r}; set regions such as europe-west1,us-central1.")
    return found


def _endpoint(read: Reader) -> str:
    """Empty: Google's own."""
    if not read.text("GCE_API_ENDPOINT"):
        return ""
    endpoint = read.url("GCE_API_ENDPOINT", "")
    parts = urlsplit(endpoint)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        read.fault("GCE_API_ENDPOINT", "would send the token unencrypted; set an https address.")
    return endpoint


def _refuse_credentials(read: Reader, endpoint: str, credentials: str) -> None:
    local = is_loopback(urlsplit(endpoint).hostname or "")
    if credentials == ANONYMOUS and not local:
        read.fault(
            "GCE_CREDENTIALS", "is anonymous; that is for a GCE_API_ENDPOINT on loopback only."
        )
        return
    needed = read.role in ("worker", "cli") and credentials not in ("", ANONYMOUS)
    if needed and not Path(credentials).is_file():
        read.fault(
            "GCE_CREDENTIALS",
            "is no file that can be read; set the path of a service account's key file, or "
            "leave it empty for the application default credentials.",
        )


def _refuse_gate(read: Reader, endpoint: str) -> None:
    """Credentials of exchanges travel over TLS; machines in a cloud reach no loopback of ours."""
    gate = urlsplit(read.text("RUNNER_BASE_URL", "http://127.0.0.1:8001"))
    pretended = is_loopback(urlsplit(endpoint).hostname or "") and is_loopback(gate.hostname or "")
    if gate.scheme != "https" and not pretended:
        read.fault("RUNNER_BASE_URL", "is no https address; machines at gce need one to reach.")
