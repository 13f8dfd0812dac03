"""What tests share is the same for each of them."""

import pytest
from sqlalchemy import func, select

from app.extensions import db
from app.models import User
from tests import factories, site


def people(app):
    with site.rows(app) as session:
        return session.scalar(select(func.count()).select_from(User))


def join(app, name):
    with site.rows(app):
        factories.user(name)


def test_what_is_written_to_a_shared_application_is_undone(tmp_path):
    shared = site.build(tmp_path / "shared")
    join(shared, "Ada")
    with site.as_it_was():
        own = site.build(tmp_path / "own")
        join(shared, "Bo")
        join(own, "Cy")
        assert people(shared) == 2
    assert people(shared) == 1
    assert people(own) == 1


def test_it_is_undone_after_a_failure_and_under_an_open_transaction(tmp_path):
    shared = site.build(tmp_path / "shared")
    with pytest.raises(ZeroDivisionError):
        _begin_and_fail(shared)
    assert people(shared) == 0


def _begin_and_fail(shared):
    with site.as_it_was(), shared.app_context():
        factories.user("Ada")
        db.session.commit()
        factories.user("Bo")
        db.session.flush()
        raise ZeroDivisionError
