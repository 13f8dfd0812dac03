"""Reading the audit log: filters, one event, everything around a moment, proof and exports."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from app.domain import audit_file, checkpoint_file, workspaces
from app.extensions import db
from app.models import AuditEvent, Membership, Role, User, Workspace
from tests import factories
from tests.pages import Pages
from tests.views.conftest import as_person


def rows(page):
    table = page.by_id("events")
    return [row.text for row in table.all("tbody")[0].all("tr")] if table else []


def log(pages, desk, status=200, **wanted):
    return pages.get(f"{desk.home}/audit?{urlencode(wanted)}", status)


@pytest.fixture
def busy(owner, desk):
    """A workspace where somebody did a few things."""
    owner.get(desk.resting)
    for verb in ("start", "pause", "resume", "stop"):
        owner.post(f"{desk.resting}/{verb}")
    return owner


def test_changes_are_listed_with_who_and_what(owner, desk):
    owner.get(desk.resting)
    owner.post(f"{desk.resting}/start")
    newest = rows(log(owner, desk))[0]
    assert desk.emails["owner"] in newest
    assert "bot start" in newest
    assert "Moon" in newest


def test_it_is_paged(owner, desk):
    owner.get(f"{desk.home}/audit?before=3")
    assert len(rows(owner.page)) == 2
    for none in ("nonsense", 10**30, -1, 0, 2**31):
        assert len(rows(owner.get(f"{desk.home}/audit?before={none}"))) > 2


def test_a_refused_attempt_is_kept(viewer, desk, house):
    viewer.get(f"{desk.home}/audit", 403)
    owner = as_person(Pages(house), desk, "owner")
    newest = rows(log(owner, desk))[0]
    assert "access denied" in newest
    assert desk.emails["viewer"] in newest
    assert "lacks audit.view" in newest


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"action": "bot.start"}, 1),
        ({"action": "bot.pa* bot.re*"}, 2),
        ({"action": "bot.*", "exclude": "bot.create, bot.stop"}, 3),
        ({"action": "bot.st%"}, 0),
        ({"target": "Moon", "text": "resume"}, 1),
        ({"outcome": "denied"}, 0),
        ({"source": "web", "action": "bot.*"}, 4),
        ({"actor": "tester@", "action": "bot.*"}, 2),
        ({"range": "1h", "action": "bot.stop"}, 1),
        ({"until": "2020-01-01"}, 0),
        ({"since": "2020-01-01 02:13", "action": "bot.stop"}, 1),
        ({"ip": "127.0.0.1", "action": "bot.*"}, 4),
        ({"ip": "192.0.2.200"}, 0),
    ],
)
def test_the_address_holds_the_filter(busy, desk, wanted, count):
    page = log(busy, desk, **wanted)
    assert len(rows(page)) == count
    assert f"{count} event" in page.text
    if "action" in wanted:
        assert page.by_id("action").get("value") == wanted["action"]


def test_a_filter_counts_in_the_zone_of_the_workspace(busy, desk, house):
    with house.app_context():
        db.session.execute(
            update(Workspace).where(Workspace.id == desk.id).values(zone="Asia/Tokyo")
        )
        moment = datetime(2026, 3, 1, 2, 13, tzinfo=UTC)
        change = update(AuditEvent).where(
            AuditEvent.chain == desk.id, AuditEvent.action == "bot.pause"
        )
        db.session.execute(change.values(occurred_at=moment))
        db.session.commit()
        db.session.remove()
    page = log(busy, desk, since="2026-03-01 11:00", until="2026-03-01 11:30")
    (row,) = rows(page)
    assert "1 Mar 2026 11:13:00 JST" in row
    assert "2026-03-01 02:13:00" in page.by_id("events").all("time")[0].get("title")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"since": "yesterday"}, "Write it as"),
        ({"until": "2026-13-41"}, "Write it as"),
        ({"range": "1y"}, "Not a valid choice"),
        ({"outcome": "perhaps"}, "Not a valid choice"),
    ],
)
def test_a_filter_that_cannot_be_read_says_so_and_shows_nothing(busy, desk, wanted, said):
    page = log(busy, desk, 422, **wanted)
    assert said in page.text
    assert rows(page) == []


def test_from_the_dashboard_two_clicks_tell_who_changed_a_bot_and_one_more_all_around_it(
    busy, desk
):
    busy.get(f"{desk.home}/")
    (bot,) = [a.get("href") for a in busy.page.all("a") if a.get("href", "") == desk.resting][:1]
    busy.get(bot)
    (changes,) = busy.links("Who changed it")
    page = busy.get(changes)
    told = rows(page)
    assert [line.split("Moon")[0].rpartition("bot ")[2] for line in told] == [
        *("stop", "resume", "pause", "start", "create")
    ]
    assert all(desk.emails["owner"] in line for line in told[:4])
    around = busy.get(busy.links("Around")[0])
    assert "bot stop Moon" in around.text
    assert "The moment" in around.text


def test_a_moment_shows_people_machines_runs_and_what_runners_said(owner, desk, house):
    page = owner.get(f"{desk.home}/audit/moment?minutes=360")
    for part in ("strategy create", "member add", "machine 1 runs", "a run in paper mode", "long"):
        assert part in page.text, part
    assert "sign in (success)" in page.text
    assert desk.emails["owner"] in page.text
    narrow = owner.get(f"{desk.home}/audit/moment?at=2020-01-01T00:00:00Z&minutes=2")
    assert "Nothing happened then" in narrow.text
    alone = owner.get(f"{desk.home}/audit/moment?bot={desk.resting.rpartition('/')[2]}")
    assert "machine 1" not in alone.text
    assert "strategy create" in alone.text


@pytest.mark.parametrize("at", ["noon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_a_moment_that_is_none(owner, desk, at):
    owner.get(f"{desk.home}/audit/moment?{urlencode({'at': at})}", 404)


def test_a_moment_tells_no_sign_in_of_strangers_nor_from_before_somebody_joined(
    owner, desk, house, people
):
    with house.app_context():
        member = db.session.scalar(
            select(Membership).where(
                Membership.workspace_id == desk.id, Membership.role == Role.VIEWER
            )
        )
        email = db.session.get(User, member.user_id).email
        db.session.remove()
    Pages(house).become(email)
    assert f"{email} sign in" in owner.get(f"{desk.home}/audit/moment?minutes=2").text
    with house.app_context():
        later = datetime.now(UTC) + timedelta(hours=1)
        db.session.execute(
            update(Membership).where(Membership.id == member.id).values(created_at=later)
        )
        db.session.commit()
        db.session.remove()
    assert f"{email} sign in" not in owner.get(f"{desk.home}/audit/moment?minutes=2").text


def test_a_moment_tells_of_who_has_left_since_but_not_of_what_came_after(owner, desk, house):
    with house.app_context():
        workspace = db.session.get(Workspace, desk.id)
        long_ago = datetime.now(UTC) - timedelta(days=1)
        person = factories.user("Gone")
        member = workspaces.add_member(
            workspace, person, Role.TRADER, by=factories.TESTER, now=long_ago
        )
        db.session.commit()
        email, member_id = person.email, member.id
        db.session.remove()
    Pages(house).become(email)
    owner.get(f"{desk.home}/members/{member_id}")
    owner.post(f"{desk.home}/members/{member_id}/remove")
    Pages(house).become(email)
    shown = owner.get(f"{desk.home}/audit/moment?minutes=2").text
    assert shown.count(f"{email} sign in") == 1


def test_an_event_leads_to_all_by_the_same_session(busy, desk):
    log(busy, desk, action="bot.pause")
    (link,) = [
        a.get("href") for a in busy.page.by_id("events").all("a") if "events/" in a.get("href")
    ]
    page = busy.get(link)
    assert "paused" in page.by_id("changes").text
    (session,) = [a.get("href") for a in page.all("a") if "session=ses_" in a.get("href", "")]
    assert len(rows(busy.get(session))) >= 4
    busy.get(f"{desk.home}/audit/events/evt_nowhere", 404)


def test_looking_is_noted_once_an_hour_for_each_session(owner, desk, house):
    for _ in range(3):
        log(owner, desk)
    assert sum("audit view" in row for row in rows(log(owner, desk))) == 1
    again = as_person(Pages(house), desk, "owner")
    log(again, desk)
    assert sum("audit view" in row for row in rows(log(again, desk))) == 2
    assert not any("audit view" in row for row in rows(log(owner, desk, exclude="audit.*")))


def test_an_export_is_what_was_filtered_and_verifies(busy, desk):
    page = log(busy, desk, action="bot.*", exclude="bot.create")
    shown = rows(page)
    sent = {"action": "bot.*", "exclude": "bot.create", "format": "jsonl"}
    body = busy.post(f"{desk.home}/audit/export", 200, **sent)
    header, *lines = map(json.loads, body.splitlines())
    whole = [line for line in lines if "action" in line]
    assert [line["action"] for line in whole] == [
        "bot.start",
        "bot.pause",
        "bot.resume",
        "bot.stop",
    ]
    assert header["count"] == len(whole) == len(shown) == 4
    assert header["filter"] == "action bot.*; exclude bot.create"
    finding = audit_file.verify(body.splitlines(keepends=True))
    assert finding.sound
    assert finding.stubs == len(lines) - 4
    newest = rows(log(busy, desk))[0]
    assert "audit export" in newest
    assert "filter: none → action bot.*; exclude bot.create" in newest
    assert "events: none → 4" in newest


def test_a_table_for_spreadsheets_computes_nothing(busy, desk, house):
    with house.app_context():
        change = update(AuditEvent).where(
            AuditEvent.chain == desk.id, AuditEvent.action == "bot.pause"
        )
        db.session.execute(change.values(target_label='=HYPERLINK("http://x")', reason="+1\n2"))
        db.session.commit()
        db.session.remove()
    body = busy.post(f"{desk.home}/audit/export", 200, action="bot.p*", format="csv")
    (row,) = csv.DictReader(io.StringIO(body))
    assert row["target_label"] == '\'=HYPERLINK("http://x")'
    assert row["reason"] == "'+1\n2"
    assert row["occurred_at"].endswith("Z")
    assert "paused: false → true" in row["changes"]
    assert busy.response.headers["X-Audit-Events"] == "1"
    assert busy.response.headers["Content-Disposition"].startswith('attachment; filename="audit-')


def test_an_export_needs_a_fresh_proof_of_who_it_is(owner, desk, house):
    with house.app_context():
        db.session.execute(db.text("UPDATE login_session SET confirmed_at = NULL"))
        db.session.commit()
        db.session.remove()
    owner.get(f"{desk.home}/audit")
    page = owner.post(f"{desk.home}/audit/export", 403, format="csv")
    assert "Confirm it is you" in page.text


def test_a_sound_log_says_so_and_a_falsified_one_where(busy, desk, house):
    assert "chain verifies" in log(busy, desk).text
    page = busy.get(f"{desk.home}/audit/verify")
    assert "Sound up to event" in page.text
    with house.app_context():
        change = update(AuditEvent).where(AuditEvent.chain == desk.id, AuditEvent.seq == 4)
        db.session.execute(change.values(reason="nothing to see here"))
        db.session.commit()
        db.session.remove()
    page = busy.get(f"{desk.home}/audit/verify")
    assert "Event 4 is edited" in page.text
    assert "Events up to 3 verify" in page.text


def test_a_checkpoint_can_be_asked_for_and_all_downloaded(owner, desk, house):
    owner.get(f"{desk.home}/audit/verify")
    owner.post(f"{desk.home}/audit/checkpoints")
    assert "being signed" in owner.page.text
    body = owner.get(f"{desk.home}/audit/checkpoints.jsonl")
    assert list(checkpoint_file.read(body.splitlines())) == []
    assert "audit checkpoint" in rows(log(owner, desk))[0]
