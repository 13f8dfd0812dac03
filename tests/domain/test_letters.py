import pytest

from app.domain import letters
from app.domain.letters import House, Unreadable

HOUSE = House("plutarc", "https://plutarc.test")


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Templates of the test's own."""
    monkeypatch.setattr(letters, "_TEMPLATES", tmp_path)
    letters._templates.cache_clear()
    (tmp_path / "mail").mkdir()

    def write(text, html="<p>{{ word }}</p>"):
        (tmp_path / "mail" / "hello.txt").write_text(text)
        (tmp_path / "mail" / "hello.html").write_text(html)

    yield write
    letters._templates.cache_clear()


def render(word="harbour"):
    return letters.render("hello", {"word": word}, name="Bo", house=HOUSE)


def test_subject_text_and_html(written):
    written("Subject: {{ word }} for {{ name }}\n\nHello {{ name }},\n\n{{ base_url }}\n\n")
    said = render("<b>harbour</b>")
    assert said.subject == "<b>harbour</b> for Bo"
    assert said.text == "Hello Bo,\n\nhttps://plutarc.test\n"
    assert said.html == "<p>&lt;b&gt;harbour&lt;/b&gt;</p>"


def test_a_subject_is_one_line(written):
    written("Subject: {{ word }}\n\nHello")
    assert render("one\rBcc: eve@example.org\x00\u2028two").subject == (
        "one Bcc: eve@example.org two"
    )
    assert "\n" not in render("one\nBcc: eve@example.org").subject


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello\n\nno subject", "<p></p>"),
        ("Subject: \n\nnothing", "<p></p>"),
        ("Subject: x\n\n{{ absent }}", "<p></p>"),
        ("Subject: x\n\nHello", "{{ absent }}"),
        ("Subject: x\n\n{% if %}", "<p></p>"),
        ("Subject: x\n\nHello", "{% extends 'mail/absent.html' %}"),
    ],
)
def test_what_cannot_be_written_is_refused(written, text, html):
    written(text, html)
    with pytest.raises(Unreadable, match="hello"):
        render()


def test_a_letter_nobody_wrote():
    with pytest.raises(Unreadable, match="no_such_letter"):
        letters.render("no_such_letter", {}, name="", house=HOUSE)
