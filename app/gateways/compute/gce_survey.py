"""Everything of this installation that the cloud shows, and what it did not show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from app.gateways.compute import gce_errors, gce_names
from app.gateways.compute.driver import (
    Quota,
    RegionFacts,
    SeenAddress,
    SeenDisk,
    SeenMachine,
    Survey,
)
from app.gateways.compute.gce_calls import Calls
from app.gateways.compute.gce_machine import ip_of
from app.gateways.compute.gce_reading import address_state, last, machine_state, moment, names
from app.gateways.compute.gce_settings import GceSettings

_METRICS = frozenset(
    {
        "STATIC_ADDRESSES",
        "IN_USE_ADDRESSES",
        "INSTANCES",
        "CPUS",
        "DISKS_TOTAL_GB",
        "SSD_TOTAL_GB",
    }
)
_FAILURES = (GoogleAPICallError, GoogleAuthError, RequestException)


class _Look:
    """One look around: what was found, and where nobody answered."""

    def __init__(self, settings: GceSettings, calls: Calls) -> None:
        self._settings, self._calls = settings, calls
        marks = f"(labels.managed-by={gce_names.MANAGED_BY})"
        self._mine = f"{marks} AND (labels.env={settings.env_label})"
        self.silent: set[str] = set()
        self.problems: list[str] = []

    def _try(self, look: Callable[[], Iterator[Any]]) -> tuple[Any, ...]:
        """What a listing gives, as far as it goes."""
        found: list[Any] = []
        try:
            found.extend(look())
        except _FAILURES as error:
            self.problems.append(gce_errors.of_exception(error, writing=False).detail)
        return tuple(found)

    def _parts(self, pages: Any) -> Iterator[tuple[str, Any]]:
        """Each place of each page; a place that did not answer is noted, never taken as empty."""
        for page in pages:
            self.silent.update(names(page.unreachables))
            for scope, part in page.items.items():
                if part.warning.code == "UNREACHABLE":
                    self.silent.add(last(scope))
                yield last(scope), part

    def machines(self) -> tuple[SeenMachine, ...]:
        return self._try(self._machines)

    def _machines(self) -> Iterator[SeenMachine]:
        for zone, part in self._parts(self._calls.machines(self._mine)):
            for it in part.instances:
                if gce_names.is_ours(self._settings, it.labels):
                    yield SeenMachine(
                        it.name,
                        _region_of(zone),
                        zone,
                        machine_state(it),
                        ip_of(it),
                        moment(it.creation_timestamp),
                        str(it.id),
                    )

    def addresses(self) -> tuple[SeenAddress, ...]:
        return self._try(self._addresses)

    def _addresses(self) -> Iterator[SeenAddress]:
        for region, part in self._parts(self._calls.addresses()):
            for it in part.addresses:
                named = gce_names.ADDRESS.fullmatch(it.name)
                if named and gce_names.is_our_address(self._settings, it.labels, it.description):
                    yield SeenAddress(
                        it.name,
                        region,
                        it.address or None,
                        address_state(it),
                        names(it.users),
                        moment(it.creation_timestamp),
                    )

    def disks(self) -> tuple[SeenDisk, ...]:
        return self._try(self._disks)

    def _disks(self) -> Iterator[SeenDisk]:
        for zone, part in self._parts(self._calls.disks(self._mine)):
            for it in part.disks:
                if gce_names.is_ours(self._settings, it.labels):
                    created = moment(it.creation_timestamp)
                    yield SeenDisk(it.name, _region_of(zone), zone, names(it.users), created)

    def regions(self, regions: tuple[str, ...]) -> tuple[RegionFacts, ...]:
        looks = [self._try(partial(self._fact, region)) for region in regions]
        return tuple(fact for found in looks for fact in found)

    def _fact(self, region: str) -> Iterator[RegionFacts]:
        found = self._calls.region(region)
        quotas = tuple(
            Quota(quota.metric, quota.usage, quota.limit)
            for quota in found.quotas
            if quota.metric in _METRICS
        )
        yield RegionFacts(region, tuple(sorted(names(found.zones))), quotas)


def survey(settings: GceSettings, calls: Calls, regions: tuple[str, ...]) -> Survey:
    """Look at everything once. Raises nothing; what was not seen makes it incomplete."""
    look = _Look(settings, calls)
    machines, addresses, disks = look.machines(), look.addresses(), look.disks()
    facts = look.regions(regions)
    return Survey(
        machines,
        addresses,
        disks,
        facts,
        complete=not look.silent and not look.problems,
        unreachable=tuple(sorted(look.silent)),
        problem="; ".join(dict.fromkeys(look.problems))[:400],
    )


def _region_of(zone: str) -> str:
    return zone.rpartition("-")[0]
