"""The same house as for pages."""

from tests.views.conftest import as_it_was, desk, house, owner, pages, people

__all__ = ["as_it_was", "desk", "house", "owner", "pages", "people"]
