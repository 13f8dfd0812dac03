"""The same house as for pages."""

import pytest

from tests import site
from tests.views.conftest import desk, house, owner, pages, people

__all__ = ["desk", "house", "owner", "pages", "people"]


@pytest.fixture(autouse=True)
def as_it_was():
    """What a test writes is gone after it, in every application that several tests share."""
    with site.as_it_was():
        yield
