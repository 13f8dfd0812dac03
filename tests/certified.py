"""Reports of certifications as testers send them, and certifications as rows."""

import json
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain.certification import reports, testers
from app.extensions import db
from app.models import BacktestState, CertificationRun
from runner import __version__
from runner.certify import envelope, outline
from runner.protocol import to_plain
from tests.factories import TESTER

SYMBOL = outline.SYMBOL


def key():
    return Ed25519PrivateKey.generate()


def lines(now, **verdicts):
    """The steps of a report; all pass but those named, e.g. ``partial="failed"``."""
    return [
        {
            "step": step,
            "title": title,
            "verdict": verdicts.get(step, "passed"),
            "detail": f"{title} was seen",
            "began_at": to_plain(now - timedelta(minutes=1)),
            "milliseconds": 1200,
            "cause": "unexpected" if verdicts.get(step) == "failed" else None,
        }
        for step, title in outline.STEPS.items()
    ]


def report(now, *, exchange="bybit", verdicts=None, **otherwise):
    """What a tester saw who ended a minute ago."""
    steps = lines(now, **(verdicts or {}))
    good = all(it["verdict"] in ("passed", "not_offered") for it in steps)
    return {
        "format": 1,
        "exchange": exchange,
        "environment": "testnet",
        "symbol": SYMBOL,
        "runner_version": __version__,
        "bundle": "0" * 64,
        "python": "3.12.1",
        "began_at": to_plain(now - timedelta(minutes=3)),
        "ended_at": to_plain(now - timedelta(minutes=1)),
        "passed": good,
        "stopped": False,
        "left": [],
        "steps": steps,
    } | otherwise


def content(private, told):
    """The file it comes in."""
    return json.dumps(envelope.signed(told, private)).encode()


def pinned(private, now, name="Grace of Nairobi", note=""):
    """Believed from now on."""
    public = envelope.public_of(private)
    return testers.pin(name, public, note, author=None, by=TESTER, now=now)


def taken(private, now, **otherwise):
    """A report that was taken in."""
    made, _new = reports.accept(
        content(private, report(now, **otherwise)), author=None, by=TESTER, now=now
    )
    return made


def run(connection, now, *, state=BacktestState.DONE, log="said", detail=None, private=None):
    """One that was made here and is over, or as ``state`` says; with its report if it has one."""
    steps = lines(now)
    if detail:
        steps[0]["detail"] = detail
    told = report(now, exchange=connection.exchange, steps=steps)
    made = CertificationRun(
        workspace_id=connection.workspace_id,
        connection_id=connection.id,
        symbol=SYMBOL,
        lines=steps if state is BacktestState.DONE else steps[:3],
        report=content(private or key(), told) if state is BacktestState.DONE else None,
        state=state,
        heard_at=now,
        created_at=now,
        log=log,
    )
    db.session.add(made)
    db.session.flush()
    return made
