"""What the pages of a certification show, made here or taken in."""

from collections.abc import Iterable
from typing import Any

from app import current
from app.domain.certification import reports, runs
from app.domain.certification.reports import Seen, Standing
from app.domain.errors import Refused
from app.domain.venues import known
from app.forms.certifications import CertifyForm
from app.models import BacktestState, CertificationRun, Connection
from app.web import guards
from app.web.backtest_pages import WORDS
from runner.certify import envelope, outline
from runner.certify.envelope import Report

TONES = {"passed": "good", "failed": "bad", "skipped": "warn", "not_offered": "neutral"}
STANDINGS = {
    Standing.VALID: ("in force", "good"),
    Standing.EXPIRED: ("expired", "warn"),
    Standing.REVOKED: ("revoked", "bad"),
}


def asking(connection: Connection, form: CertifyForm) -> dict[str, Any]:
    """The page before one: what it needs, or why there can be none."""
    try:
        runs.check(connection)
        barred = ""
    except Refused as error:
        barred = str(error)
    return {
        "connection": connection,
        "venue": known(connection.exchange),
        "form": form,
        "barred": barred,
        "needs": outline.needs(connection.exchange),
        "does": outline.does(),
        "total": len(outline.STEPS),
        "now": current.now(),
    }


def told(run: CertificationRun) -> dict[str, Any]:
    """How far one is, or what came of it."""
    report = report_of(run)
    return {
        "run": run,
        "words": WORDS,
        "settled": run.over,
        "failed": run.state is BacktestState.FAILED,
        "steps": [_row(it) for it in run.lines],
        "total": len(outline.STEPS),
        "report": report,
        "verdict": verdict(report) if report else None,
        "may_change": guards.allowed("connection.manage_testnet"),
        "now": current.now(),
    }


def report_of(run: CertificationRun) -> Report | None:
    """The report of one that has come to an end and has one."""
    if run.report is None:
        return None
    return envelope.report_of(envelope.opened(run.report))


def public(seen: Seen) -> dict[str, Any]:
    """A report as everybody sees it."""
    return {
        "seen": seen,
        "report": seen.report,
        "standing": STANDINGS[seen.standing],
        "verdict": verdict(seen.report),
        "steps": [_row(_plain(line)) for line in seen.report.steps],
        "venue": known(seen.report.exchange),
    }


def verdict(report: Report) -> tuple[str, str]:
    """In a word, and its tone."""
    if report.passed:
        return "certified", "good"
    return ("stopped", "warn") if report.stopped else ("not certified", "bad")


def listed(rows: Iterable[Any]) -> list[tuple[Any, tuple[str, str]]]:
    """Reports with how they stand."""
    return [(row, STANDINGS[reports.standing(row)]) for row in rows]


def _plain(line: Any) -> dict[str, Any]:
    return {**vars(line), "verdict": line.verdict.value, "cause": line.cause}


def _row(line: dict[str, Any]) -> dict[str, Any]:
    """A line with its words: its title is ours where the step is known."""
    cause = str(line.get("cause") or "").replace("_", " ")
    return {
        "title": outline.STEPS.get(line["step"], line["title"]),
        "word": outline.VERDICTS[line["verdict"]] + (f" ({cause})" if cause else ""),
        "tone": TONES[line["verdict"]],
        "detail": line["detail"],
        "seconds": line["milliseconds"] / 1000,
    }
