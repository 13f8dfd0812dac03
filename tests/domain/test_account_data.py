"""The file of one's own data: complete, and nothing of the desk or of others in it."""

import json

import pytest

from app.domain import account_data, accounts, notices, workspaces
from app.domain.audit import Actor
from app.domain.support import moves, notes
from app.extensions import db
from app.models import AuditEvent, GuideProgress, Membership, MessageFile, Role
from tests import factories
from tests.domain.support.scene import Scene, count
from tests.factories import NOW


@pytest.fixture
def scene(app):
    return Scene()


def taken(scene):
    by = Actor("user", scene.owner.email, scene.owner_id)
    return account_data.taken_out(scene.owner, by=by, now=NOW)


def test_it_holds_the_account_the_tickets_and_what_was_said(scene):
    ticket = scene.waiting()
    db.session.add(
        MessageFile(
            workspace_id=scene.workspace_id,
            message_id=ticket.messages[0].id,
            name="log.txt",
            declared_type="text/plain",
            sniffed_type="text/plain",
            size=4,
            sha256="0" * 64,
            storage_key="attachments/x",
            created_at=NOW,
        )
    )
    accounts.open_session(
        scene.owner, ip="203.0.113.9", user_agent="Chrome", by=factories.TESTER, now=NOW
    )
    db.session.add(GuideProgress(user_id=scene.owner_id, guide="first_position", opened_at=NOW))
    notices.tell([scene.owner_id], "Hello", key="hello", now=NOW)
    moves.close(ticket, "enough", voice=scene.desk(), now=NOW)
    found = taken(scene)
    assert found["account"]["email"] == scene.owner.email
    assert [it["address"] for it in found["sessions"]] == ["203.0.113.9"]
    assert [it["role"] for it in found["memberships"]] == ["owner"]
    (told,) = found["tickets"]
    assert (told["ref"], told["state"]) == (ticket.ref, "closed")
    assert [(it["by"], it["text"]) for it in told["messages"]] == [
        ("you", "Why?"),
        ("operator", "Try this."),
    ]
    assert [it["name"] for it in told["messages"][0]["files"]] == ["log.txt"]
    assert told["events"][-1]["why"] == "enough"
    assert [it["saw_it_open_at"] for it in found["guides"]] == [NOW.isoformat()]
    assert "Hello" in [it["title"] for it in found["notices"]]
    assert "account.create" in [it["what"] for it in found["events"]]
    assert json.loads(json.dumps(found)) == found


def test_that_it_was_taken_out_is_kept(scene):
    taken(scene)
    assert count(AuditEvent, chain=scene.owner_id, action="account.export") == 1


def test_it_holds_nothing_of_the_desk_even_for_an_operator(scene):
    ticket = scene.waiting()
    canary = "kestrel-7"
    name = scene.owner.email_key.partition("@")[0]
    scene.owner.operator = True
    db.session.flush()
    notes.add(ticket, f"{canary} @{name}", voice=scene.desk(), now=NOW)
    found = json.dumps(taken(scene))
    assert canary not in found
    assert "ticket.note" not in found
    assert "named in a note" not in found


def test_it_holds_no_secret_and_nothing_of_other_people(scene):
    other = factories.user("Otto")
    place = factories.organisation(other)
    workspaces.add_member(place, scene.owner, Role.TRADER, by=factories.TESTER, now=NOW)
    token = accounts.open_session(
        scene.owner, ip="203.0.113.9", user_agent="Chrome", by=factories.TESTER, now=NOW
    )
    found = json.dumps(taken(scene))
    for secret in (token, scene.owner.password_hash, other.email, "token_hash", "password_hash"):
        assert secret not in found


def test_a_ticket_of_an_organisation_goes_with_the_membership(scene):
    other = Scene()
    ticket = other.waiting()
    ticket.opened_by = scene.owner_id
    db.session.flush()
    assert taken(scene)["tickets"] == []
    row = Membership(
        workspace_id=other.workspace_id, user_id=scene.owner_id, role=Role.VIEWER, created_at=NOW
    )
    db.session.add(row)
    db.session.flush()
    assert [it["ref"] for it in taken(scene)["tickets"]] == [ticket.ref]
