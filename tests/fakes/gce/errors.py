"""Refusals in the shapes of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class Refusal(Exception):
    """An HTTP error with Google's envelope."""

    def __init__(
        self, code: int, reason: str, message: str, *, domain: str = "global", info: str = ""
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.domain, self.info = domain, info

    def body(self) -> dict[str, Any]:
        entry = {"domain": self.domain, "reason": self.reason, "message": self.message}
        error: dict[str, Any] = {"code": self.code, "message": self.message, "errors": [entry]}
        if self.info:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            detail = {"@type": kind, "reason": self.info, "domain": "compute.googleapis.com"}
            error["details"] = [detail]
        return {"error": error}


def not_found(path: str) -> Refusal:
    return Refusal(404, "notFound", f"The resource '{path}' was not found")


def exists(path: str) -> Refusal:
    return Refusal(409, "alreadyExists", f"The resource '{path}' already exists")


def invalid(message: str) -> Refusal:
    return Refusal(400, "invalid", message)


def rate() -> Refusal:
    return Refusal(
        403,
        "rateLimitExceeded",
        "Quota exceeded for quota metric 'Mutate requests' of service 'compute.googleapis.com'.",
        domain="usageLimits",
    )


def too_many_operations() -> Refusal:
    return Refusal(
        403,
        "rateLimitExceeded",
        "Quota exceeded for quota group of concurrent operations.",
        domain="usageLimits",
        info="CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
    )


def quota(metric: str, limit: int, region: str) -> Refusal:
    text = f"Quota '{metric}' exceeded.  Limit: {limit:.1f} in region {region}."
    return Refusal(403, "quotaExceeded", text, domain="usageLimits")


HTTP_OF = {
    "ZONE_RESOURCE_POOL_EXHAUSTED": 503,
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": 503,
    "INTERNAL_ERROR": 503,
    "QUOTA_EXCEEDED": 403,
    "PERMISSIONS_ERROR": 403,
    "RESOURCE_NOT_FOUND": 404,
    "RESOURCE_NOT_READY": 400,
    "IP_IN_USE_BY_ANOTHER_RESOURCE": 400,
    "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE": 400,
    "RESOURCE_OPERATION_RATE_EXCEEDED": 403,
}
_WORDS = {403: "FORBIDDEN", 503: "SERVICE UNAVAILABLE", 404: "NOT FOUND", 400: "BAD REQUEST"}


def failure(code: str, message: str, *, fields: bool) -> dict[str, Any]:
    """What a failed operation carries; without the HTTP fields the client library sees nothing."""
    entry: dict[str, Any] = {"code": code, "message": message}
    if code.endswith("_WITH_DETAILS"):
        info = {"reason": "resource_availability", "domain": "compute.googleapis.com"}
        entry["errorDetails"] = [{"errorInfo": info}]
    found: dict[str, Any] = {"error": {"errors": [entry]}}
    if fields:
        status = HTTP_OF.get(code, 400)
        words = _WORDS.get(status, HTTPStatus(status).phrase.upper())
        found |= {"httpErrorStatusCode": status, "httpErrorMessage": words}
    return found
