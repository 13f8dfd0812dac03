"""The same house as for pages."""

from tests.views.conftest import desk, generations, house, owner, pages, people

__all__ = ["desk", "generations", "house", "owner", "pages", "people"]
