import pytest

from tests import site
from tests.bench import village

FEW, MANY = 3, 30


@pytest.fixture(scope="module")
def villages(tmp_path_factory):
    """Two workspaces of one application that differ in the number of their bots alone."""
    app = site.build(tmp_path_factory.mktemp("villages"))
    return app, village.build(app, FEW), village.build(app, MANY, told=6)


@pytest.mark.parametrize("page", ["dashboard", "bots", "bot"])
def test_queries_do_not_grow_with_the_bots(villages, page):
    app, few, many = villages
    counts = [village.queries(app, found, page) for found in (few, many)]
    assert len(counts[0]) == len(counts[1]), "\n".join(sorted(set(counts[1]) - set(counts[0])))
