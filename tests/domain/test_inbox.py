"""Notices told, counted, read, on each database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import func, select

from app.domain import inbox, notices
from app.extensions import db
from app.models import Notice, NoticeKind
from tests import factories
from tests.factories import NOW


def told(user, title, **values):
    notices.tell([user.id], title, key=values.pop("key", title), now=NOW, **values)


def titles(user, number=1):
    return [notice.title for notice in inbox.page(user, None, number)]


def test_unread_first_then_the_newest(app):
    bo = factories.user("Bo")
    for minute, title in enumerate(("first", "second", "third")):
        notices.tell([bo.id], title, key=title, now=NOW + timedelta(minutes=minute))
    newest = inbox.page(bo, None, 1)[0]
    inbox.mark_read(newest, NOW)
    assert titles(bo) == ["second", "first", "third"]
    assert inbox.unread(bo) == 2
    assert inbox.mark_all_read(bo, None, NOW + timedelta(hours=1)) == 2
    assert inbox.unread(bo) == 0
    db.session.refresh(newest)
    assert newest.read_at == NOW
    assert inbox.mark_all_read(bo, None, NOW) == 0


def test_everybody_gets_one_of_their_own_and_each_key_once(app):
    bo, eve = factories.user("Bo"), factories.user("Eve")
    told(bo, "hello")
    notices.tell([bo.id, eve.id, bo.id], "hello", key="hello", now=NOW, kind=NoticeKind.ALARM)
    notices.tell([], "hello", key="hello", now=NOW)
    assert titles(bo) == titles(eve) == ["hello"]
    inbox.mark_all_read(eve, None, NOW)
    assert (inbox.unread(bo), inbox.unread(eve)) == (1, 0)


def test_what_was_told_to_staff_is_for_whoever_is_staff_now(app):
    bo = factories.user("Bo")
    bo.operator = True
    told(bo, "New ticket: T-1 of others", path="/operator/tickets/tkt_1")
    told(bo, "Welcome", path="/account")
    assert set(titles(bo)) == {"New ticket: T-1 of others", "Welcome"}
    staff = next(it for it in inbox.page(bo, None, 1) if it.path != "/account")
    bo.operator = False
    db.session.flush()
    assert titles(bo) == ["Welcome"]
    assert inbox.unread(bo) == 1
    assert inbox.find(bo, staff.id) is None


def test_what_is_too_long_is_cut(app):
    bo = factories.user("Bo")
    told(bo, "t" * 300, key="long", body="b" * 900)
    (found,) = inbox.page(bo, None, 1)
    assert (len(found.title), len(found.body)) == (120, 500)
    assert found.title.endswith("…")


def test_told_twice_at_once_is_one_entry(app):
    """Two transactions that know nothing of each other."""
    bo = factories.user("Bo").id
    db.session.commit()
    gate = threading.Barrier(2)

    def tell(_):
        with app.app_context():
            gate.wait(20)
            notices.tell([bo], "once", key="once", now=NOW)
            db.session.commit()
            db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(tell, range(2))) == [None, None]
    assert db.session.scalar(select(func.count()).where(Notice.user_id == bo)) == 1
