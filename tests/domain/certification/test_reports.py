"""Reports are taken in if somebody believed signed them, and count by key and by runner."""

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import models
from app.domain.certification import reports, testers
from app.domain.certification.reports import Standing
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import db
from app.models import AuditEvent, Certification
from runner.certify import envelope
from runner.protocol import to_plain
from tests import certified
from tests.factories import NOW, TESTER

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def grace(app):
    private = certified.key()
    certified.pinned(private, NOW)
    db.session.commit()
    return private


def accept(content, now=NOW):
    found = reports.accept(content, author=None, by=TESTER, now=now)
    db.session.commit()
    return found


def refused(content, now=NOW):
    with pytest.raises(Invalid) as refusal:
        reports.accept(content, author=None, by=TESTER, now=now)
    assert refusal.value.field == "content"
    assert db.session.scalar(select(Certification.id)) is None
    return str(refusal.value)


def test_a_report_of_a_pinned_key_is_kept_as_it_came(grace):
    content = certified.content(grace, certified.report(NOW))
    made, new = accept(content)
    assert (new, made.exchange, made.environment, made.passed) == (True, "bybit", "testnet", True)
    found = reports.find(made.id)
    assert found.row.content == content
    assert found.vouches
    assert found.report.steps[0].detail == "Connect was seen"
    event = db.session.scalar(select(AuditEvent).where(AuditEvent.target_id == made.id))
    assert event.action == "certification.accept"


def test_the_same_report_twice_is_one_however_it_is_written(grace):
    told = certified.report(NOW)
    first, _new = accept(certified.content(grace, told))
    again = json.dumps(envelope.signed(told, grace), indent=2, sort_keys=True).encode()
    assert accept(again) == (first, False)
    assert len(db.session.scalars(select(Certification)).all()) == 1
    events = select(AuditEvent).where(AuditEvent.action == "certification.accept")
    assert len(db.session.scalars(events).all()) == 1


def test_a_key_that_nobody_pinned_vouches_for_nothing(grace):
    stranger = certified.key()
    said = refused(certified.content(stranger, certified.report(NOW)))
    assert f"the key {envelope.fingerprint(envelope.public_of(stranger))}, which is not" in said


def test_one_changed_word_is_told(grace):
    plain = envelope.signed(certified.report(NOW, verdicts={"limit": "failed"}), grace)
    plain["report"]["passed"] = True
    assert "it was changed, or cut" in refused(json.dumps(plain).encode())


def test_another_ones_name_on_a_report_is_told(grace):
    plain = envelope.signed(certified.report(NOW), certified.key())
    plain["public_key"] = envelope.public_of(grace)
    assert "it was changed, or cut" in refused(json.dumps(plain).encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "It is no report"),
        (b"{", "It is no report"),
        (b"[]", "It is no report of a certification"),
        (b'{"report": 1}', "It is no report of a certification"),
        (b"\xff\xfe", "It is no report"),
        (b'{"report": {}, "report": {}}', "stands in it twice"),
        (b"[" * 100_000, "It is no report"),
        (b" " * (envelope.MOST_BYTES + 1), "It is too large for a report"),
        (b'{"report": {"a": "\\ud800"}}', "it was changed, or cut"),
    ],
)
def test_what_is_no_report_is_said_to_be_none(grace, content, said):
    assert said in refused(content)


FAR = to_plain(NOW + timedelta(days=1))
LONG_AGO = to_plain(NOW - timedelta(days=2))


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({"format": 2}, "The report has format 2; here 1 is read"),
        ({"exchange": "elsewhere"}, "This installation knows no elsewhere testnet"),
        ({"environment": "live"}, "No certification is made with real money"),
        ({"environment": "paper"}, "No certification is made with real money"),
        ({"runner_version": "new"}, "Its runner version, new, is none"),
        ({"ended_at": FAR}, "took longer than a certification does"),
        ({"began_at": FAR, "ended_at": FAR}, "It ends in the future"),
        ({"began_at": FAR}, "It ended before it began"),
        ({"began_at": LONG_AGO}, "took longer than a certification does"),
        ({"passed": False}, "It says that it passed, and its steps say otherwise"),
        ({"left": ["order 1"]}, "It says that it passed, and its steps say otherwise"),
        ({"steps": []}, "It says that it passed, and its steps say otherwise"),
        ({"steps": certified.lines(NOW)[:5]}, "It has not the steps of a certification"),
        ({"api_key": "abc"}, "'api_key' does not belong into one"),
        ({"python": None}, "It is no report: Report.python"),
        ({"ended_at": "soon"}, "It is no report: Report.ended_at"),
        ({"symbol": "to 203.0.113.9:443"}, "It names a network address"),
        ({"bundle": "0" * 3_000}, "It has more or longer lines than a report has"),
    ],
)
def test_what_makes_no_sense_is_refused_though_it_is_signed(grace, otherwise, said):
    assert said in refused(certified.content(grace, certified.report(NOW, **otherwise)))


def test_a_line_holds_nothing_but_its_own(grace):
    told = certified.report(NOW)
    told["steps"][3]["secret"] = "abc"
    assert "'secret' does not belong into one" in refused(certified.content(grace, told))
    told = certified.report(NOW)
    told["steps"][4]["detail"] = "the venue sees 2001:db8::7"
    assert "It names a network address" in refused(certified.content(grace, told))


def test_what_was_changed_where_it_is_kept_is_shown_no_more(grace):
    made, _new = accept(certified.content(grace, certified.report(NOW, verdicts={"key": "failed"})))
    made.content = made.content.replace(b'"failed"', b'"passed"')
    db.session.commit()
    assert reports.find(made.id) is None
    assert reports.of_places(["bybit"]) == []


@pytest.mark.parametrize(
    ("here", "standing"),
    [("0.1.7", Standing.VALID), ("0.2.0", Standing.EXPIRED), ("1.1.0", Standing.EXPIRED)],
)
def test_a_report_proves_the_minor_version_it_was_made_with(grace, monkeypatch, here, standing):
    made, _new = accept(certified.content(grace, certified.report(NOW, runner_version="0.1.0")))
    monkeypatch.setattr(reports, "__version__", here)
    assert reports.standing(made) is standing


def test_a_revoked_key_stops_vouching_for_all_it_ever_signed(grace):
    made, _new = accept(certified.content(grace, certified.report(NOW)))
    testers.revoke(made.tester, by=TESTER, now=LATER)
    db.session.commit()
    assert reports.find(made.id).standing is Standing.REVOKED
    assert not reports.find(made.id).vouches
    told = certified.report(LATER)
    with pytest.raises(Invalid, match="the key of Grace of Nairobi, which is revoked"):
        reports.accept(certified.content(grace, told), author=None, by=TESTER, now=LATER)
    with pytest.raises(Conflict, match="revoked already"):
        testers.revoke(made.tester, by=TESTER, now=LATER)
    with pytest.raises(Refused, match="revoked here already"):
        certified.pinned(grace, LATER)
    actions = db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)).all()
    assert actions == ["tester.pin", "certification.accept", "tester.revoke"]


@pytest.mark.parametrize(
    ("name", "public_key", "field"),
    [
        ("", base64.b64encode(b"k" * 32).decode(), "name"),
        ("x" * 81, base64.b64encode(b"k" * 32).decode(), "name"),
        ("Grace", "no key", "public_key"),
        ("Grace", base64.b64encode(b"k" * 31).decode(), "public_key"),
    ],
)
def test_what_is_no_name_and_no_key_is_pinned_by_nobody(app, name, public_key, field):
    with pytest.raises(Invalid) as refusal:
        testers.pin(name, public_key, "", author=None, by=TESTER, now=NOW)
    assert refusal.value.field == field


def test_the_installation_makes_its_own_key_once_and_keeps_it_locked(app, locker):
    mine, private = testers.own("Here", locker=locker, by=TESTER, now=NOW)
    db.session.commit()
    again, same = testers.own("Here", locker=locker, by=TESTER, now=LATER)
    assert (again.id, same.private_bytes_raw()) == (mine.id, private.private_bytes_raw())
    assert private.private_bytes_raw() not in mine.sealed
    assert db.session.scalars(select(models.Tester)).all() == [mine]
    testers.revoke(mine, by=TESTER, now=LATER)
    other, _private = testers.own("Here", locker=locker, by=TESTER, now=LATER)
    assert other.id != mine.id
