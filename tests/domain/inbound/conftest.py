import pytest

from tests.domain.inbound.post import World


@pytest.fixture
def world(app, tmp_path):
    """A desk with one ticket, on each database."""
    return World(tmp_path)
