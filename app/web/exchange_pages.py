"""What everybody is shown of the exchanges: what is proven, by whom, and how to prove more."""

from typing import Any

from flask import abort, request

from app import current
from app.domain.certification import inviting, matrix, reports
from app.domain.certification.matrix import Place, Proof
from app.domain.certification.reports import Seen
from app.domain.venues import VENUES, facts
from app.models import TicketCategory
from app.web import certification_pages
from runner import __version__, capabilities
from runner.certify import outline

TONES = {
    Proof.PASSED: "good",
    Proof.NOT_OFFERED: "neutral",
    Proof.FAILED: "bad",
    Proof.EXPIRED: "warn",
    Proof.REVOKED: "revoked",
    Proof.NEVER: "unproven",
}


def everything() -> dict[str, Any]:
    """The whole matrix."""
    places = matrix.places()
    provable = [it for it in places if it.provable]
    return {"places": places, "provable": provable, "closed": capabilities.CLOSED, **_words()}


def one(exchange: str) -> dict[str, Any]:
    """One exchange with its reports, or 404."""
    venue = VENUES.get(exchange) or abort(404)
    found = reports.of_places([venue.id])
    return {
        "venue": venue,
        "places": matrix.places(venue.id),
        "found": [(it, certification_pages.STANDINGS[it.standing]) for it in found],
        "needs": outline.needs(venue.id),
        "does": outline.does(),
        "facts_of": facts.told(venue) if venue.id in capabilities.TABLE else {},
        **_words(),
    }


def report(certification_id: str) -> Seen:
    """A report that is what was signed, or 404."""
    return reports.find(certification_id) or abort(404)


def meant() -> dict[str, str]:
    """What a letter about the exchange that the address names begins with; nothing without one."""
    named = request.args.get("exchange", "")
    subject = inviting.subject(named)
    if not subject:
        return {}
    category = TicketCategory.TECHNICAL.value
    return {"subject": subject, "body": inviting.body(named), "category": category}


def row_of(place: Place, step: str) -> matrix.Cell:
    """The cell of a check at a place."""
    return next(cell for cell in place.cells if cell.step == step)


def _words() -> dict[str, Any]:
    return {
        "steps": outline.STEPS,
        "tones": TONES,
        "words": matrix.WORDS,
        "meanings": matrix.MEANINGS,
        "version": __version__,
        "cell": row_of,
        "now": current.now(),
    }
