"""Migrations change tables: here PostgreSQL is used as who owns them."""

import pytest


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    return request.getfixturevalue(request.param)
