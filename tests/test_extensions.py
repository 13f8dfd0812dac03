import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.extensions import db


def test_a_failed_statement_does_not_tell_its_values(app):
    with pytest.raises(DBAPIError) as failure:
        db.session.execute(text("SELECT nothing FROM nowhere WHERE it = :it"), {"it": "ada@x.org"})
    assert "ada@x.org" not in str(failure.value)
