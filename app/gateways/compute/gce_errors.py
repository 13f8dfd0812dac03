"""What each refusal of Compute Engine means for what to do next, as tables.

A call that was to change something and got no clear answer is ``UNKNOWN``: it may have been done.
One that only looked is ``RETRY``.
"""

from __future__ import annotations

import re

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import compute_v1

from app.gateways.compute.driver import Cause, Outcome, Result

_RETRY, _FAILED, _UNKNOWN = Outcome.RETRY, Outcome.FAILED, Outcome.UNKNOWN
Verdict = tuple[Outcome, Cause]

# The message says more than the reason, which is a plain "invalid" in these.
MESSAGES: tuple[tuple[re.Pattern[str], Verdict], ...] = (
    (re.compile(r"IP.*(in-use|already being used)", re.IGNORECASE), (_RETRY, Cause.HELD)),
    (
        re.compile(r"external IP address.*was not found in region", re.IGNORECASE),
        (_FAILED, Cause.LOST),
    ),
)
REASONS: dict[str, Verdict] = {
    "rateLimitExceeded": (_RETRY, Cause.RATE),
    "userRateLimitExceeded": (_RETRY, Cause.RATE),
    "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED": (_RETRY, Cause.RATE),
    "RESOURCE_OPERATION_RATE_EXCEEDED": (_RETRY, Cause.RATE),
    "RATE_LIMIT_EXCEEDED": (_RETRY, Cause.RATE),
    "quotaExceeded": (_FAILED, Cause.QUOTA),
    "QUOTA_EXCEEDED": (_FAILED, Cause.QUOTA),
    "LIMIT_EXCEEDED": (_FAILED, Cause.QUOTA),
    "ZONE_RESOURCE_POOL_EXHAUSTED": (_RETRY, Cause.CAPACITY),
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": (_RETRY, Cause.CAPACITY),
    "IP_IN_USE_BY_ANOTHER_RESOURCE": (_RETRY, Cause.HELD),
    "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE": (_RETRY, Cause.HELD),
    "resourceInUseByAnotherResource": (_RETRY, Cause.HELD),
    "RESOURCE_NOT_READY": (_RETRY, Cause.TRANSIENT),
    "resourceNotReady": (_RETRY, Cause.TRANSIENT),
    "INTERNAL_ERROR": (_RETRY, Cause.TRANSIENT),
    "RESOURCE_ALREADY_EXISTS": (_RETRY, Cause.CONFLICT),
    "alreadyExists": (_RETRY, Cause.CONFLICT),
    "conditionNotMet": (_RETRY, Cause.CONFLICT),
    "CONDITION_NOT_MET": (_RETRY, Cause.CONFLICT),
    "PERMISSIONS_ERROR": (_FAILED, Cause.PERMISSION),
    "forbidden": (_FAILED, Cause.PERMISSION),
    "accessNotConfigured": (_FAILED, Cause.PERMISSION),
    "RESOURCE_NOT_FOUND": (_FAILED, Cause.INVALID),
}
CODES: dict[int, Verdict] = {
    400: (_FAILED, Cause.INVALID),
    401: (_FAILED, Cause.PERMISSION),
    403: (_FAILED, Cause.PERMISSION),
    404: (_FAILED, Cause.INVALID),
    409: (_RETRY, Cause.CONFLICT),
    412: (_RETRY, Cause.CONFLICT),
    429: (_RETRY, Cause.RATE),
}
_ANOTHER_ZONE = frozenset({"INTERNAL_ERROR"})
"""Where an insertion fails so, its zone is left like one without room."""


def of_exception(error: Exception, *, writing: bool) -> Result:
    """What a call that raised has come to. Whatever is not known is not assumed."""
    if isinstance(error, GoogleAPICallError):
        return _of_answer(error, writing=writing)
    if isinstance(error, TransportError):  # no token could be fetched, so nothing was asked
        return Result(_RETRY, _said(error), cause=Cause.TRANSIENT)
    if isinstance(error, GoogleAuthError):
        return Result(_FAILED, _said(error), cause=Cause.PERMISSION)
    outcome = _UNKNOWN if writing else _RETRY
    return Result(outcome, f"no answer: {type(error).__name__}", cause=Cause.TRANSIENT)


def _of_answer(error: GoogleAPICallError, *, writing: bool) -> Result:
    reasons = [entry.get("reason", "") for entry in error.errors if isinstance(entry, dict)]
    known = verdict((error.reason or "", *reasons), str(error.message))
    code = int(error.code or 0)
    if known is None and code >= 500:
        known = (_UNKNOWN if writing else _RETRY, Cause.TRANSIENT)
    outcome, cause = known or CODES.get(code, (_FAILED, Cause.INVALID))
    return Result(outcome, _said(error), cause=cause)


def of_operation(operation: compute_v1.Operation, *, inserting: bool) -> Result | None:
    """What a finished operation failed of, also where it carries no HTTP status; else nothing."""
    errors = list(operation.error.errors)
    status = int(operation.http_error_status_code or 0)
    if not errors and not status:
        return None
    first = errors[0] if errors else None
    codes = tuple(error.code for error in errors)
    words = "; ".join(f"{error.code}: {error.message}" for error in errors)
    known = verdict(codes, first.message if first else "")
    if inserting and _ANOTHER_ZONE.intersection(codes):
        known = (_RETRY, Cause.CAPACITY)
    if known is None and status >= 500:
        known = (_RETRY, Cause.TRANSIENT)
    outcome, cause = known or CODES.get(status, (_FAILED, Cause.INVALID))
    return Result(outcome, (words or operation.http_error_message)[:400], cause=cause)


def verdict(reasons: tuple[str, ...], message: str) -> Verdict | None:
    """By the tables, or nothing. A rate is told from a permission by the reason alone."""
    for pattern, found in MESSAGES:
        if pattern.search(message):
            return found
    return next((REASONS[reason] for reason in reasons if reason in REASONS), None)


def _said(error: Exception) -> str:
    """The cloud's own words, short."""
    return str(getattr(error, "message", "") or error or type(error).__name__)[:400]
