"""Calls of the client library as the driver makes them: one HTTP exchange each, never longer.

The library's own waiting is left alone: it polls Google whatever endpoint is set, and for a long
time; operations are asked for by name instead.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import compute_v1
from google.oauth2 import service_account

from app.gateways.compute.gce_settings import ANONYMOUS, GceSettings

TIMEOUT = 15.0
"""Seconds for one call; the library's default is ten minutes."""
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_PLACE_MISSING = re.compile(r"'projects/[^/']+(/(zones|regions)/[^/']+)?' was not found")
_ONCE: dict[str, Any] = {"retry": None, "timeout": TIMEOUT}


class Calls:
    """Clients are made at their first use, which is after the worker forked."""

    def __init__(self, settings: GceSettings) -> None:
        self._project = settings.project
        self._settings = settings

    @cached_property
    def _how(self) -> dict[str, Any]:
        endpoint = self._settings.endpoint
        options = {"api_endpoint": endpoint} if endpoint else None
        return {"credentials": _credentials(self._settings.credentials), "client_options": options}

    @cached_property
    def _machines(self) -> compute_v1.InstancesClient:
        return compute_v1.InstancesClient(**self._how)

    @cached_property
    def _addresses(self) -> compute_v1.AddressesClient:
        return compute_v1.AddressesClient(**self._how)

    @cached_property
    def _disks(self) -> compute_v1.DisksClient:
        return compute_v1.DisksClient(**self._how)

    @cached_property
    def _zonal(self) -> compute_v1.ZoneOperationsClient:
        return compute_v1.ZoneOperationsClient(**self._how)

    @cached_property
    def _regional(self) -> compute_v1.RegionOperationsClient:
        return compute_v1.RegionOperationsClient(**self._how)

    @cached_property
    def _regions(self) -> compute_v1.RegionsClient:
        return compute_v1.RegionsClient(**self._how)

    # -- looking: ``None`` is a direct "not found" --------------------------------------------

    def address(self, region: str, name: str) -> compute_v1.Address | None:
        """One address."""
        try:
            return self._addresses.get(project=self._project, region=region, address=name, **_ONCE)
        except NotFound as error:
            _prove(error)
            return None

    def machine(self, zone: str, name: str) -> compute_v1.Instance | None:
        """One machine."""
        try:
            return self._machines.get(project=self._project, zone=zone, instance=name, **_ONCE)
        except NotFound as error:
            _prove(error)
            return None

    def disk(self, zone: str, name: str) -> compute_v1.Disk | None:
        """One disk."""
        try:
            return self._disks.get(project=self._project, zone=zone, disk=name, **_ONCE)
        except NotFound as error:
            _prove(error)
            return None

    def console(self, zone: str, name: str) -> str | None:
        """All that a machine wrote to its serial port, as far as the cloud keeps it."""
        try:
            found = self._machines.get_serial_port_output(
                project=self._project, zone=zone, instance=name, **_ONCE
            )
        except NotFound as error:
            _prove(error)
            return None
        return found.contents

    def region(self, region: str) -> compute_v1.Region:
        """A region with its zones and quotas."""
        return self._regions.get(project=self._project, region=region, **_ONCE)

    def operation(self, place: str, name: str) -> compute_v1.Operation | None:
        """An operation of a zone or a region; forgotten ones are not found."""
        try:
            if _is_zone(place):
                return self._zonal.get(project=self._project, zone=place, operation=name, **_ONCE)
            return self._regional.get(project=self._project, region=place, operation=name, **_ONCE)
        except NotFound as error:
            _prove(error)
            return None

    def under_way(self, place: str, kind: str, cloud_id: int) -> str:
        """The name of an operation at work on one incarnation of something, if there is one."""
        expression = f"(operationType={kind}) AND (targetId={cloud_id})"
        request: dict[str, Any] = {"project": self._project, "filter": expression}
        found: Any
        if _is_zone(place):
            found = self._zonal.list(request=request | {"zone": place}, **_ONCE)
        else:
            found = self._regional.list(request=request | {"region": place}, **_ONCE)
        done = compute_v1.Operation.Status.DONE
        return next((str(it.name) for it in found if it.status != done), "")

    # -- whole listings: pages of (scope, part) -----------------------------------------------

    def machines(self, expression: str) -> Any:
        """Pages of machines of all zones."""
        request = {"project": self._project, "filter": expression}
        return self._machines.aggregated_list(request=request, **_ONCE).pages

    def addresses(self) -> Any:
        """Pages of addresses of all regions; their labels cannot be relied on."""
        return self._addresses.aggregated_list(request={"project": self._project}, **_ONCE).pages

    def disks(self, expression: str) -> Any:
        """Pages of disks of all zones."""
        request = {"project": self._project, "filter": expression}
        return self._disks.aggregated_list(request=request, **_ONCE).pages

    # -- changing: each answers with an operation at once -------------------------------------

    def reserve(
        self, region: str, body: compute_v1.Address, request_id: str
    ) -> compute_v1.Operation:
        """Ask for an address."""
        request = {"region": region, "address_resource": body}
        return self._addresses.insert_unary(request=self._ask(request, request_id), **_ONCE)

    def label_address(
        self, region: str, name: str, labels: dict[str, str], fingerprint: str
    ) -> compute_v1.Operation:
        """Mark an address whose labels did not stick."""
        body = {"labels": labels, "label_fingerprint": fingerprint}
        request = {"region": region, "resource": name, "region_set_labels_request_resource": body}
        request["project"] = self._project
        return self._addresses.set_labels_unary(request=request, **_ONCE)

    def release(self, region: str, name: str, request_id: str) -> compute_v1.Operation:
        """Give an address up."""
        request = {"region": region, "address": name}
        return self._addresses.delete_unary(request=self._ask(request, request_id), **_ONCE)

    def insert(self, zone: str, body: compute_v1.Instance, request_id: str) -> compute_v1.Operation:
        """Ask for a machine."""
        request = {"zone": zone, "instance_resource": body}
        return self._machines.insert_unary(request=self._ask(request, request_id), **_ONCE)

    def delete(self, zone: str, name: str, request_id: str) -> compute_v1.Operation:
        """Delete a machine."""
        request = {"zone": zone, "instance": name}
        return self._machines.delete_unary(request=self._ask(request, request_id), **_ONCE)

    def delete_disk(self, zone: str, name: str, request_id: str) -> compute_v1.Operation:
        """Delete a disk."""
        request = {"zone": zone, "disk": name}
        return self._disks.delete_unary(request=self._ask(request, request_id), **_ONCE)

    def _ask(self, request: dict[str, Any], request_id: str) -> dict[str, Any]:
        return request | {"project": self._project, "request_id": request_id}


def _prove(error: NotFound) -> None:
    """A thing that is not found is absent; in a project or place that is not there, it is not."""
    if _PLACE_MISSING.search(str(error.message)):
        raise error


def _is_zone(place: str) -> bool:
    """``europe-west1-b`` is a zone, ``europe-west1`` a region."""
    return place.count("-") >= 2


def _credentials(name: str) -> Credentials | None:
    """``None``: the library looks for the application default ones itself."""
    if not name:
        return None
    if name == ANONYMOUS:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    of_file = service_account.Credentials.from_service_account_file
    return of_file(name, scopes=[_SCOPE])  # type: ignore[no-untyped-call,no-any-return]
