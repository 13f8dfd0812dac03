"""Which tickets a member's list shows, in which order, with which words: all from public rows."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.support import listing, moves, notes
from app.domain.support.listing import Standing, Wish
from app.extensions import db
from app.models import Membership, Role
from tests import factories, tickets
from tests.factories import NOW

EVERYBODY = Wish(everybody=True)


class Desk:
    def __init__(self):
        self.owner = factories.user("Olga")
        self.workspace = factories.organisation(self.owner)
        self.tim = factories.joined(self.workspace, Role.TRADER, "Tim")

    def member(self, person):
        mine = select(Membership).where(Membership.workspace_id == self.workspace.id)
        return db.session.scalars(mine.where(Membership.user_id == person.id)).one()

    def subjects(self, person, wish=EVERYBODY, number=1):
        found = listing.page(self.member(person), wish, number)
        assert number > 1 or len(found) <= listing.count(self.member(person), wish)
        return [row.ticket.subject for row in found]


@pytest.fixture
def desk(app):
    made = Desk()
    tickets.opened(made.workspace, made.owner, "Olga's", now=NOW)
    tickets.opened(made.workspace, made.tim, "Tim's", now=NOW + timedelta(seconds=1))
    db.session.commit()
    return made


def test_who_may_not_see_all_sees_the_own_whatever_is_asked_for(desk):
    assert desk.subjects(desk.tim) == ["Tim's"]
    assert listing.count(desk.member(desk.tim), EVERYBODY) == 1
    assert desk.subjects(desk.owner) == ["Tim's", "Olga's"]
    assert desk.subjects(desk.owner, Wish()) == ["Olga's"]


def test_where_they_stand(desk):
    new, waiting, over = (
        tickets.opened(desk.workspace, desk.owner, name, now=NOW + timedelta(minutes=at))
        for at, name in enumerate(("new", "waiting", "over"), 1)
    )
    tickets.answered(waiting, now=NOW + timedelta(minutes=9))
    moves.resolve(over, voice=tickets.voice_of(desk.owner), now=NOW + timedelta(minutes=9))
    shown = {it: desk.subjects(desk.owner, Wish(standing=it)) for it in Standing}
    assert shown == {
        Standing.ALL: ["waiting", "over", "new", "Olga's"],
        Standing.OPEN: ["waiting", "new", "Olga's"],
        Standing.WAITING: ["waiting"],
        Standing.OVER: ["over"],
    }
    assert new.ref == "T-1003"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CLOCK", ["skew"]),
        ("ärger", ["\u00c4RGER"]),
        ("\u00c4rger", ["\u00c4RGER"]),
        ("t-1003", ["skew"]),
        ("1003", ["skew"]),
        ("100%", ["\u00c4RGER"]),
        ("1_0", []),
        ("\\", []),
        ("nowhere", []),
    ],
)
def test_search_finds_subject_message_and_number_in_any_case(desk, text, found):
    tickets.opened(desk.workspace, desk.owner, "skew", "The clock\nis late")
    tickets.opened(desk.workspace, desk.owner, "\u00c4RGER", "at 100% load")
    assert desk.subjects(desk.owner, Wish(text=text)) == found
    assert listing.count(desk.member(desk.owner), Wish(text=text)) == len(found)


def test_nothing_of_a_note_is_found_counted_shown_or_moves_a_row(desk):
    first = tickets.opened(desk.workspace, desk.owner, "first", now=NOW)
    tickets.opened(desk.workspace, desk.owner, "second", now=NOW + timedelta(hours=1))
    before = [(it.ticket.id, it.snippet, it.unread) for it in everything(desk)]
    notes.add(first, "qzx7 secret", voice=tickets.desk_voice(), now=NOW + timedelta(hours=2))
    db.session.commit()
    assert [(it.ticket.id, it.snippet, it.unread) for it in everything(desk)] == before
    assert desk.subjects(desk.owner, Wish(text="qzx7")) == []
    assert listing.unread(desk.member(desk.owner)) == 0


def everything(desk):
    return listing.page(desk.member(desk.owner), EVERYBODY, 1)


def test_a_snippet_is_the_last_message_or_the_last_that_was_searched_for(desk):
    ticket = tickets.opened(desk.workspace, desk.owner, "Long", "x " * 200 + "needle" + " y" * 200)
    tickets.answered(ticket, "Looking.")
    (row,) = listing.page(desk.member(desk.owner), Wish(text="NEEDLE"), 1)
    assert "needle" in row.snippet
    assert (row.snippet[0], row.snippet[-1]) == ("…", "…")
    assert len(row.snippet) < 200
    assert listing.page(desk.member(desk.owner), Wish(), 1)[0].snippet == "Looking."


def test_answers_are_unread_for_the_owner_of_the_ticket_alone(desk):
    ticket = tickets.opened(desk.workspace, desk.tim, "Read me", now=NOW + timedelta(hours=1))
    tickets.answered(ticket, now=NOW + timedelta(hours=2))
    assert listing.unread(desk.member(desk.tim)) == 1
    assert listing.unread(desk.member(desk.owner)) == 0
    assert everything(desk)[0].unread == 0
    assert listing.page(desk.member(desk.tim), Wish(), 1)[0].unread == 1


def test_pages_hold_no_row_twice_and_leave_none_out(desk, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(5):
        ticket = tickets.opened(desk.workspace, desk.tim, f"n{number}", now=NOW)
        moves.resolve(ticket, voice=tickets.voice_of(desk.tim), now=NOW)
    rows = [desk.subjects(desk.tim, Wish(), page)[:2] for page in (1, 2, 3)]
    assert rows == [["Tim's", "n4"], ["n3", "n2"], ["n1", "n0"]]
    assert desk.subjects(desk.tim, Wish(), 4) == []
