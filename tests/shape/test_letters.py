"""Every letter: text and HTML side by side, saying the same, nothing let through unescaped."""

import re

import pytest
from jinja2 import Environment, meta

from tests.shape import source

HOME = source.ROOT / "templates" / "mail"
LETTERS = sorted(path.stem for path in HOME.glob("*.txt"))
MACROS = re.compile(r"{% macro .*?{% endmacro %}")  # writes nothing where it stands
OF_THE_FRAME = {"app_name", "base_url", "name", "subject"}


def wanted(path):
    """The values a template asks for, beside those that every letter knows."""
    return meta.find_undeclared_variables(Environment().parse(path.read_text())) - OF_THE_FRAME


def test_each_text_has_its_html_and_the_other_way_round():
    pages = {path.stem for path in HOME.glob("*.html")} - {"layout"}
    assert set(LETTERS) == {name for name in pages if not name.startswith("_")}


@pytest.mark.parametrize("letter", LETTERS)
def test_each_letter_is_whole(letter):
    text, page = HOME / f"{letter}.txt", HOME / f"{letter}.html"
    first, gap, *_ = text.read_text().split("\n")
    assert MACROS.sub("", first).startswith("Subject: ")
    assert gap == ""
    assert page.read_text().startswith('{% extends "mail/layout.html" %}')
    assert "|safe" not in page.read_text()
    assert wanted(text) == wanted(page), "its text and its HTML ask for other values"
    assert "url_for" not in text.read_text() + page.read_text(), "links are values"


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_loads_nothing_from_elsewhere(letter):
    """No picture that tells who has read it, no script, no form."""
    page = (HOME / f"{letter}.html").read_text() + (HOME / "layout.html").read_text()
    assert not [tag for tag in ("<img", "<script", "<form", "<link", "url(") if tag in page]


def test_each_letter_that_is_posted_is_written():
    code = "\n".join(path.read_text() for path in (source.ROOT / "app").rglob("*.py"))
    posted = set(re.findall(r"mail\.post\(\s*\"(\w+)\"", code))
    assert posted
    assert posted <= set(LETTERS)
