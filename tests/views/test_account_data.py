"""The pages about one's own data, and the end of an account."""

import json
from datetime import timedelta

from sqlalchemy import select, update

from app.extensions import db
from app.models import LoginSession, Role, User, Workspace
from tests import factories, site
from tests.pages import Pages


def somebody(house, pages, name="Lena"):
    with house.app_context():
        made = factories.user(name)
        found = made.id, made.email
        db.session.commit()
        db.session.remove()
    pages.become(found[1])
    return found


def stale(house, person_id):
    """The last proof of who it is lies an hour back."""
    with house.app_context():
        mine = update(LoginSession).where(LoginSession.user_id == person_id)
        found = db.session.scalars(select(LoginSession).filter_by(user_id=person_id)).one()
        past = found.confirmed_at - timedelta(hours=1)
        db.session.execute(mine.values(confirmed_at=past))
        db.session.commit()
        db.session.remove()


def test_the_file_is_a_download_of_ones_own(house, pages):
    person_id, email = somebody(house, pages)
    page = pages.get("/account/data")
    assert "Download my data" in page.text
    body = pages.post("/account/data", 200)
    found = json.loads(body)
    assert (found["account"]["id"], found["account"]["email"]) == (person_id, email)
    headers = pages.response.headers
    assert headers["Content-Disposition"] == f'attachment; filename="{person_id}.json"'
    assert "no-store" in headers["Cache-Control"]


def test_both_ask_first_who_it_is(house, pages):
    person_id, email = somebody(house, pages)
    stale(house, person_id)
    for address in ("/account/data", "/account/delete"):
        pages.post(address, 403, email=email)
        assert "Confirm it is you" in pages.page.text
    with house.app_context():
        assert db.session.get(User, person_id).deleted_at is None
        db.session.remove()


def test_an_account_is_deleted_and_its_session_with_it(house, pages):
    person_id, email = somebody(house, pages)
    page = pages.get("/account/delete")
    assert f"Type {email} to confirm" in page.text
    pages.post("/account/delete", 422, email="wrong@example.com")
    assert "exactly as it stands" in pages.page.text
    page = pages.post("/account/delete", email=email)
    assert "Your account is deleted" in page.text
    assert pages.at == "/login"
    assert pages.client.get("/account").status_code == 303
    with house.app_context():
        assert db.session.get(User, person_id).name == "Somebody who left"
        db.session.remove()
    pages.get("/login")
    pages.post("/login", 422, email=email, password=factories.PASSWORD)


def test_what_stands_in_the_way_is_listed(owner, desk):
    page = owner.get("/account/delete")
    assert "Harbour Desk: you are its only active owner" in page.text
    owner.post("/account/delete", 422, email=desk.emails["owner"])
    assert "only active owner" in owner.page.text


def test_both_work_where_the_database_binds_every_request(fenced_url, tmp_path):
    """On PostgreSQL, as a role that sees a person's rows and no workspace's by itself."""
    app = site.build(tmp_path, fenced_url)
    pages = Pages(app)
    person_id, email = somebody(app, pages)
    with app.app_context():
        factories.organisation(db.session.get(User, person_id))
        db.session.commit()
        db.session.remove()
    pages.get("/account/data")
    found = json.loads(pages.post("/account/data", 200))
    assert len(found["memberships"]) == 2
    pages.get("/account/delete")
    pages.post("/account/delete", 422, email=email)
    assert "only active owner" in pages.page.text
    with app.app_context():
        place = db.session.scalars(select(Workspace).filter_by(kind="organisation")).one()
        factories.joined(place, Role.OWNER)
        db.session.commit()
        db.session.remove()
    pages.post("/account/delete", email=email)
    assert pages.at == "/login"
    with app.app_context():
        assert db.session.get(User, person_id).name == "Somebody who left"
        db.session.remove()
        db.engine.dispose()
