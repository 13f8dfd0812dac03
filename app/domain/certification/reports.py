"""Reports: taken in only if somebody believed here signed them, kept exactly as they came."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import undefer

from app.domain import audit
from app.domain.audit import Actor, changes_between
from app.domain.certification import testers
from app.domain.errors import Invalid
from app.domain.venues import VENUES
from app.extensions import db
from app.models import Certification, Tester, User
from runner import __version__
from runner.certify import envelope, outline
from runner.certify.envelope import NotAReport, Report

FIELD = "content"
AHEAD = timedelta(minutes=5)
LONGEST = timedelta(hours=6)
MOST_STEPS, MOST_TEXT = 100, 2_000
SHOWN = 200
WEIGHED = 50
"""Of one exchange; what is older says nothing any more."""
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.[0-9A-Za-z.+-]{1,10}")
_STEP = re.compile(r"[a-z_]{1,24}")


class Standing(StrEnum):
    """Whether a report vouches: it does, an other runner made it, or its key is revoked."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Seen:
    """A report that is kept, opened."""

    row: Certification
    report: Report
    standing: Standing

    @property
    def vouches(self) -> bool:
        """Whether it says, here and now, that all of it holds."""
        return self.standing is Standing.VALID and self.report.passed

    @property
    def key(self) -> str:
        """The short name of the key it is signed with."""
        return envelope.fingerprint(self.row.tester.public_key)


def accept(
    content: bytes, *, author: User | None, by: Actor, now: datetime
) -> tuple[Certification, bool]:
    """Keep a report, and say whether it is new: the same one twice is one.

    Raises:
        Invalid: it is none, was changed, is signed by nobody believed here, or makes no sense.
    """
    plain = _opened(content)
    tester = _signer(plain)
    report = _read(plain, now)
    digest = hashlib.sha256(
        tester.public_key.encode() + envelope.canonical(plain["report"])
    ).hexdigest()
    known = _by_digest(digest)
    if known is not None:
        return known, False
    made = Certification(
        tester_id=tester.id,
        digest=digest,
        exchange=report.exchange,
        environment=report.environment,
        runner_version=report.runner_version,
        ended_at=report.ended_at,
        passed=report.passed,
        content=content,
        received_by=author.id if author else None,
        received_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        known = _by_digest(digest)
        if known is None:
            raise
        return known, False
    _record(made, tester, by, now)
    return made, True


def find(certification_id: str) -> Seen | None:
    """One of them, opened anew."""
    query = select(Certification).where(Certification.id == certification_id)
    row = db.session.scalar(query.options(undefer(Certification.content)))
    return seen(row) if row is not None else None


def newest(limit: int = SHOWN) -> list[Certification]:
    """Those that came last."""
    query = select(Certification).order_by(Certification.received_at.desc(), Certification.id)
    return list(db.session.scalars(query.limit(limit)))


def of_places(exchanges: Sequence[str]) -> list[Seen]:
    """The latest on each of these exchanges, the newest first."""
    return [it for exchange in exchanges for it in _of_place(exchange)]


def _of_place(exchange: str) -> list[Seen]:
    query = select(Certification).where(Certification.exchange == exchange)
    query = query.order_by(Certification.ended_at.desc(), Certification.id).limit(WEIGHED)
    rows = db.session.scalars(query.options(undefer(Certification.content)))
    return [it for it in map(seen, rows) if it is not None]


def seen(row: Certification) -> Seen | None:
    """Opened and verified again; ``None`` if it is not what was signed any more."""
    try:
        plain = envelope.opened(row.content)
        sound = envelope.is_signed(plain) and plain["public_key"] == row.tester.public_key
        return Seen(row, envelope.report_of(plain), standing(row)) if sound else None
    except NotAReport:
        return None


def standing(row: Certification) -> Standing:
    """Whether it counts: by its key, then by the runner it was made with."""
    if row.tester.revoked_at is not None:
        return Standing.REVOKED
    same = minor(row.runner_version) == minor(__version__)
    return Standing.VALID if same else Standing.EXPIRED


def minor(version: str) -> tuple[int, int] | None:
    """The part of a version that a report proves; ``None`` if it is none."""
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2])) if found else None


def _opened(content: bytes) -> dict[str, Any]:
    try:
        return envelope.opened(content)
    except NotAReport as error:
        raise Invalid(_sentence(error), FIELD) from error


def _signer(plain: dict[str, Any]) -> Tester:
    """Whose it is. Raises ``Invalid``: the signature does not belong to it, or is not believed."""
    if not envelope.is_signed(plain):
        raise Invalid("The signature does not belong to it: it was changed, or cut.", FIELD)
    key = str(plain["public_key"])
    tester = testers.by_key(key)
    if tester is None:
        name = envelope.fingerprint(key)
        raise Invalid(
            f"It is signed by the key {name}, which is not pinned here. Pin it first, if you know "
            "from elsewhere whose it is.",
            FIELD,
        )
    if tester.revoked_at is not None:
        raise Invalid(f"It is signed by the key of {tester.name}, which is revoked.", FIELD)
    return tester


def _read(plain: dict[str, Any], now: datetime) -> Report:
    try:
        report = envelope.report_of(plain)
    except NotAReport as error:
        raise Invalid(_sentence(error), FIELD) from error
    fault = _fault(report, now)
    if fault:
        raise Invalid(fault, FIELD)
    return report


def _fault(report: Report, now: datetime) -> str:
    """What makes no sense of it, though it is signed; empty if all does."""
    venue = VENUES.get(report.exchange)
    if venue is None or report.environment not in venue.modes:
        return f"This installation knows no {report.exchange:.24} {report.environment:.24}."
    if report.environment not in outline.ENVIRONMENTS:
        return "No certification is made with real money."
    if minor(report.runner_version) is None:
        return f"Its runner version, {report.runner_version:.20}, is none."
    if report.began_at > report.ended_at or report.ended_at - report.began_at > LONGEST:
        return "It ended before it began, or took longer than a certification does."
    if report.ended_at > now + AHEAD:
        return "It ends in the future; its tester's clock is wrong."
    if report.passed != report.holds:
        return "It says that it passed, and its steps say otherwise."
    return _fault_of_steps(report)


def _fault_of_steps(report: Report) -> str:
    ids = [line.step for line in report.steps]
    if minor(report.runner_version) == minor(__version__) and ids != list(outline.STEPS):
        return "It has not the steps of a certification by this runner."
    known = len(ids) == len(set(ids)) <= MOST_STEPS and all(_STEP.fullmatch(it) for it in ids)
    texts = (report.symbol, report.bundle, report.python, *report.left)
    texts += tuple(text for line in report.steps for text in (line.title, line.detail))
    if not known or any(len(text) > MOST_TEXT for text in texts):
        return "It has more or longer lines than a report has."
    return ""


def _by_digest(digest: str) -> Certification | None:
    query = select(Certification).where(Certification.digest == digest)
    found: Certification | None = db.session.scalar(query)
    return found


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _record(made: Certification, tester: Tester, by: Actor, now: datetime) -> None:
    told = {
        "tester": tester.name,
        "passed": made.passed,
        "runner_version": made.runner_version,
        "ended_at": made.ended_at,
        "digest": made.digest,
    }
    audit.record(
        "certification.accept",
        by=by,
        now=now,
        target_id=made.id,
        target_label=f"{made.exchange} {made.environment}",
        changes=changes_between({}, told),
    )
