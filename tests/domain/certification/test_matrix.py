"""What is proven of which exchange, and what a person is told by it before going live."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.certification import matrix, reports, testers, vouching
from app.domain.certification.matrix import Proof
from app.domain.venues import VENUES
from app.extensions import db
from runner.certify import outline
from tests import certified
from tests.factories import NOW, TESTER

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def grace(app):
    private = certified.key()
    certified.pinned(private, NOW)
    db.session.commit()
    return private


def place(exchange="bybit", environment="testnet"):
    return next(it for it in matrix.places(exchange) if it.environment == environment)


def proofs(**only):
    return {cell.step: cell.proof for cell in place(**only).cells}


def test_without_a_report_nothing_is_proven(app):
    found = place()
    assert {cell.proof for cell in found.cells} == {Proof.NEVER}
    assert [cell.step for cell in found.cells] == list(outline.STEPS)
    assert (found.overall, found.shown, found.newest, found.since) == (Proof.NEVER, 0, None, None)
    assert found.command == "python -m runner certify --exchange bybit --env testnet"


def test_every_exchange_has_its_environments_and_real_money_is_never_proven(app):
    found = [(it.venue.id, it.environment) for it in matrix.places()]
    assert ("practice", "testnet") in found
    assert ("okx", "live") in found
    assert not [it for it in found if it[1] == "paper"]
    live = place(environment="live")
    assert not live.provable
    assert live.overall is Proof.NEVER


def test_a_report_says_what_of_it_passed_and_what_did_not(grace):
    made = certified.taken(
        grace,
        NOW,
        verdicts={"post_only": "not_offered", "stop": "failed", "partial": "skipped"},
    )
    found = proofs()
    assert found["limit"] is Proof.PASSED
    assert found["post_only"] is Proof.NOT_OFFERED
    assert found["stop"] is Proof.FAILED
    assert found["partial"] is Proof.NEVER
    assert place().overall is Proof.FAILED
    assert place().cells[0].by.row.id == made.id
    assert proofs(exchange="okx")["limit"] is Proof.NEVER


def test_the_newest_that_says_anything_counts(grace):
    older = certified.taken(grace, NOW)
    newer = certified.taken(grace, LATER, verdicts={"stop": "failed", "partial": "skipped"})
    cells = {cell.step: cell for cell in place().cells}
    assert (cells["stop"].proof, cells["stop"].by.row.id) == (Proof.FAILED, newer.id)
    assert (cells["partial"].proof, cells["partial"].by.row.id) == (Proof.PASSED, older.id)
    assert place().newest.row.id == newer.id


def test_expired_is_not_failed_and_not_never(grace, monkeypatch):
    certified.taken(grace, NOW, verdicts={"stop": "failed"})
    monkeypatch.setattr(reports, "__version__", "0.2.0")
    found = proofs()
    assert (found["limit"], found["stop"]) == (Proof.EXPIRED, Proof.NEVER)
    assert place().newest is None
    assert place().since is not None


def test_what_a_revoked_key_vouched_for_is_shown_as_revoked(grace):
    certified.taken(grace, NOW)
    testers.revoke(testers.everybody()[0], by=TESTER, now=LATER)
    db.session.commit()
    assert set(proofs().values()) == {Proof.REVOKED}
    other = certified.key()
    certified.pinned(other, LATER, name="Mary")
    certified.taken(other, LATER)
    assert set(proofs().values()) == {Proof.PASSED}


BYBIT = VENUES["bybit"]


def test_without_a_report_the_words_are_the_exchanges_own(app):
    assert vouching.word(BYBIT) == vouching.Word(BYBIT.unproven)
    assert vouching.words()["practice"].text == ""


def test_with_one_they_say_who_vouches_and_that_real_money_is_unproven(grace):
    made = certified.taken(grace, NOW)
    word = vouching.word(BYBIT)
    assert word.by.row.id == made.id
    assert word.text.startswith("Never proven with real money at Bybit. In its test environment")
    assert "as Grace of Nairobi vouches: on 24 November 2026, with runner 0.1.0" in word.text
    assert vouching.words()["bybit"] == word
    assert vouching.words()["okx"].text == VENUES["okx"].unproven


@pytest.mark.parametrize("fault", ["failed", "expired", "revoked"])
def test_what_does_not_vouch_leaves_the_exchanges_own_words(grace, monkeypatch, fault):
    certified.taken(grace, NOW)
    vouched = vouching.word(BYBIT).text
    if fault == "failed":
        certified.taken(grace, LATER, verdicts={"stop": "failed"})
    elif fault == "expired":
        monkeypatch.setattr(reports, "__version__", "0.2.0")
    else:
        testers.revoke(testers.everybody()[0], by=TESTER, now=LATER)
        db.session.commit()
    assert vouching.word(BYBIT).text == BYBIT.unproven != vouched


def test_another_report_makes_other_words_so_that_they_are_accepted_anew(grace):
    certified.taken(grace, NOW)
    before = vouching.word(BYBIT).text
    certified.taken(grace, NOW + timedelta(days=1))
    assert vouching.word(BYBIT).text != before


def test_an_exchange_of_which_everything_was_seen_needs_no_word(grace, monkeypatch):
    certified.taken(grace, NOW)
    assert vouching.word(replace(BYBIT, unproven="")).text == ""
