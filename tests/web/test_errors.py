"""Failures: a page that needs no database, a toast for htmx, and nothing said of the inside."""

import pytest
from sqlalchemy.exc import OperationalError

from app.domain import overview


@pytest.fixture
def broken(monkeypatch, house):
    def fail(*_args, **_options):
        raise OperationalError("SELECT secret_column", {}, Exception("disk I/O error"))

    monkeypatch.setattr(overview, "summaries", fail)
    monkeypatch.setitem(house.config, "PROPAGATE_EXCEPTIONS", False)


def test_a_failure_shows_a_number_and_no_inside(owner, desk, broken):
    page = owner.get(f"{desk.home}/", 500)
    assert "req_" in page.text
    assert "secret_column" not in owner.response.get_data(as_text=True)
    assert owner.response.headers["Cache-Control"] == "no-store"


def test_a_failure_under_htmx_is_a_toast_that_swaps_nothing_else(owner, desk, broken):
    piece = owner.fragment(f"{desk.home}/board", 500)
    assert piece.by_class("toast-bad")
    assert owner.response.headers["HX-Reswap"] == "none"


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503])
def test_each_page_says_what_to_do(house, code):
    from app.web import errors

    with house.test_request_context("/"):
        body = errors.page(code).get_data(as_text=True)
    assert f"Error {code}" in body
    assert "req_" in body
