"""Pages of certification and of exchanges, filled: accessible, and no wider than a phone."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from app.domain.certification import reports, testers
from app.extensions import db
from app.models import BacktestState, Connection, Workspace
from tests import certified, factories, site
from tests.browser.test_accessibility import look
from tests.views import desk as console

pytestmark = pytest.mark.browser


@pytest.fixture
def proofs(house, desk):
    """Every word of the matrix, and a certification made here in each state."""
    now, operator = datetime.now(UTC), console.made(house, "Opal").email
    with site.rows(house):
        grace, lost = certified.key(), certified.key()
        certified.pinned(grace, now, note="Met in Nairobi; read the key to me on the telephone.")
        certified.pinned(lost, now, name="Somebody whose machine was stolen")
        verdicts = {"stop": "failed", "post_only": "not_offered", "partial": "skipped"}
        found = [certified.taken(grace, now, verdicts=verdicts).id]
        found += [certified.taken(lost, now, exchange="okx").id]
        old = certified.report(now, exchange="binance", runner_version="0.0.9")
        taken = reports.accept(
            certified.content(grace, old), author=None, by=factories.TESTER, now=now
        )
        found += [taken[0].id]
        testers.revoke(testers.by_key(_public(lost)), by=factories.TESTER, now=now)
        workspace = db.session.get_one(Workspace, desk.id)
        from app import current

        connection = factories.connection(workspace, current.sealer(), label="Main")
        busy = factories.connection(workspace, current.sealer(), label="Busy")
        runs = [certified.run(connection, now).id]
        runs += [certified.run(busy, now, state=BacktestState.RUNNING).id]
        stopped = certified.run(connection, now, state=BacktestState.FAILED)
        stopped.fault = {"component": "certification", "field": "", "message": "it was killed"}
        runs += [stopped.id]
        assert db.session.get(Connection, connection.id)
        return SimpleNamespace(
            operator=operator,
            public=["/exchanges", "/exchanges/bybit", "/exchanges/okx", "/exchanges/practice"]
            + [f"/exchanges/reports/{it}" for it in found],
            connection=f"{desk.home}/connections/{connection.id}",
            runs=[f"{desk.home}/connections/certifications/{it}" for it in runs],
        )


def _public(private):
    from runner.certify import envelope

    return envelope.public_of(private)


def test_public_pages_of_exchanges(window, proofs):
    assert not [fault for url in proofs.public for fault in look(window, url)]


def test_pages_of_a_certification(signed_in, proofs):
    pages = [proofs.connection, f"{proofs.connection}/certify", *proofs.runs]
    assert not [fault for url in pages for fault in look(signed_in, url)]


def test_the_operators_page(window, proofs):
    window.goto("/login")
    window.fill("#email", proofs.operator)
    window.fill("#password", factories.PASSWORD)
    window.click("button:has-text('Sign in')")
    window.wait_for_url("**/w/**")
    assert not look(window, "/operator/certifications")


def test_never_proven_differs_without_colour(window, proofs):
    window.goto("/exchanges")
    unproven = window.locator(".badge-unproven").first
    assert unproven.evaluate("it => getComputedStyle(it).outlineStyle") == "dashed"
    assert unproven.inner_text() == "never proven"
    tones = {
        word: window.locator(f".proofs .badge:text-is('{word}')").first.evaluate(
            "it => getComputedStyle(it).color"
        )
        for word in ("passed", "failed", "expired", "not offered", "revoked", "never proven")
    }
    assert len(set(tones.values())) == len(tones), tones
