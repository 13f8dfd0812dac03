"""What the library says that templates did is what they do: worked out anew, to the last digit."""

import pytest

from app.web import behaviour
from runner.strategy import TEMPLATES
from tests import behaviours
from tests.runner.machine import Practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory):
    with Practice(tmp_path_factory.mktemp("practice")) as market:
        yield market


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Candles, kept between templates."""
    return tmp_path_factory.mktemp("history")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: it.key)
def test_each_template_does_what_its_page_shows(template, practice, folder):
    """After a change that is meant: ``python -m tests.behaviours``, and look at the pages."""
    found = behaviours.written(behaviours.told(template, folder, practice.url))
    assert found == behaviour.path_of(template).read_text()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: it.key)
def test_each_page_has_entries_to_look_at(template):
    shown = behaviour.of(template.key, template.rules["direction"])
    assert shown.told["entries"] > 0
    assert "candles-mark" in shown.chart
    assert shown.rows
