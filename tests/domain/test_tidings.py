"""Every letter about members and workspaces, as the person will read it."""

import pytest
from sqlalchemy import select

from app.domain import closures, letters, members, ownership, workspaces
from app.domain.letters import House
from app.extensions import db
from app.models import Mail, Notice
from tests.domain.test_ownership import WEEK, Desk
from tests.factories import NOW, TESTER

HOUSE = House("plutarc", "https://desk.example.org")
NASTY = '<b>Olga</b> "O"'


@pytest.fixture
def desk(app):
    made = Desk()
    made.owner.name = NASTY
    made.workspace.name = "Tide & <i>Moon</i>"
    db.session.commit()
    return made


def read():
    """All letters by template, rendered; the queue is emptied."""
    rows = list(db.session.scalars(select(Mail).order_by(Mail.created_at, Mail.id)))
    found = {}
    for row in rows:
        rendered = letters.render(row.letter, row.values, name=row.to_name, house=HOUSE)
        assert "<i>Moon</i>" not in rendered.html
        assert "<b>Olga</b>" not in rendered.html
        assert "\n\n\n" not in rendered.text
        assert "  " not in rendered.text
        found.setdefault(row.letter, []).append(rendered)
        db.session.delete(row)
    return found


def test_letters_about_members(desk):
    chief, tim = desk.member(desk.owner), desk.member(desk.tim)
    acts = {"acting": chief, "by": TESTER, "now": NOW}
    members.change_role(tim, "admin", page="/w/ws_x/", **acts)
    (role,) = read()["member_role"]
    assert role.subject == "You are admin of Tide & <i>Moon</i>"
    assert "from trader to admin" in role.text
    assert "https://desk.example.org/w/ws_x/" in role.text
    members.suspend(tim, **acts)
    (shut,) = read()["member_access"]
    assert shut.subject.startswith("You are suspended in")
    members.restore(tim, page="/w/ws_x/", **acts)
    (back,) = read()["member_access"]
    assert "in the role you had" in back.html
    members.remove(tim, **acts)
    assert "no member of" in read()["member_removed"][0].text
    members.leave(desk.member(desk.vera), by=TESTER, now=NOW, page="/w/ws_x/members")
    assert read()["member_left"][0].subject.startswith("Vera has left")


def test_letters_about_the_ownership(desk):
    tim = desk.member(desk.tim)
    desk.offer()
    assert f"{NASTY} offers you" in read()["ownership_offered"][0].text
    ownership.expire_one(NOW + WEEK)
    assert "has expired" in read()["ownership_answered"][0].text
    offer = desk.offer()
    ownership.decline(offer, acting=tim, by=TESTER, now=NOW)
    assert "Tim declined" in read()["ownership_answered"][0].html
    offer = desk.offer()
    ownership.cancel(offer, acting=desk.member(desk.owner), by=TESTER, now=NOW)
    assert "no longer on offer to you" in read()["ownership_answered"][0].text
    desk.accept(desk.offer())
    texts = {it.text for it in read()["ownership_answered"]}
    assert len(texts) == 2
    assert any("Tim is owner and you are admin now" in text for text in texts)
    assert any("you are an owner of" in text for text in texts)


def test_letters_about_the_workspace(desk):
    workspaces.suspend(desk.workspace, reason="The bill.", by=TESTER, now=NOW)
    (told,) = read()["workspace_suspension"]
    assert told.subject.endswith("was suspended")
    assert "The reason: The bill." in told.text
    workspaces.resume(desk.workspace, by=TESTER, now=NOW)
    assert "in use again" in read()["workspace_suspension"][0].text
    chief = desk.member(desk.owner)
    name = desk.workspace.name
    closures.delete(desk.workspace, typed_name=name, acting=chief, by=TESTER, now=NOW)
    assert len(read()["workspace_deleted"]) == 3


def test_who_is_out_still_reads_that_they_are(desk):
    members.remove(desk.member(desk.tim), acting=desk.member(desk.owner), by=TESTER, now=NOW)
    (notice,) = db.session.scalars(select(Notice).where(Notice.user_id == desk.tim.id))
    assert (notice.workspace_id, notice.path) == (None, "")
