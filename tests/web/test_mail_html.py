"""Mail as HTML: what may stay, what never does, and what hostile HTML costs."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.web.mail_html import DEEPEST, HEADERS, TAGS, clean
from tests.growth import stays_in_proportion

MEGA = 1_000_000
TAG = re.compile(r"<(/?)([a-zA-Z0-9]+)([^>]*)>")
LINK = re.compile(r' href="(?:https?|mailto):[^"<>]*"')
REL = ' rel="nofollow noopener noreferrer"'


def harmless(html):
    """Whether there are known tags alone, and on links alone the two attributes that may be."""
    for _, name, attributes in TAG.findall(html):
        left = LINK.sub("", attributes, count=1).replace(REL, "") if name == "a" else attributes
        if name not in TAGS or left.strip():
            return False
    return "<" not in TAG.sub("", html)


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("<p>Hello <b>you</b></p>", "<p>Hello <b>you</b></p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>p{}</style>b<title>c</title>", "ab"),
        (
            "<p onclick='x()' class='btn' id='main' style='x' data-hx-get='/x' hx-get='/x'>a</p>",
            "<p>a</p>",
        ),
        (
            "<a hx-post='/w/x' href='https://x.example/?a=1&amp;b=2'>a</a>",
            f'<a href="https://x.example/?a=1&amp;b=2"{REL}>a</a>',
        ),
        ("<a href='mailto:a@b.example'>a</a>", f'<a href="mailto:a@b.example"{REL}>a</a>'),
        ("<a href='javascript:alert(1)'>a</a>", f"<a{REL}>a</a>"),
        ("<a href='java\tscript:alert(1)'>a</a>", f"<a{REL}>a</a>"),
        ("<a href='&#106;avascript:x'>a</a>", f"<a{REL}>a</a>"),
        ("<a href='//evil.example'>a</a>", f"<a{REL}>a</a>"),
        ("<a href='/operator'>a</a>", f"<a{REL}>a</a>"),
        ("<a href='data:text/html,x'>a</a>", f"<a{REL}>a</a>"),
        ("a<img src='https://x.example/p.gif'>b<img src=cid:1 onerror=x>", "ab"),
        ("a<iframe src='https://x.example'>b</iframe>c", "ac"),
        ("<form action='https://x.example'><input name=a>words<button>b</button></form>", "wordsb"),
        ("a<svg><script>x</script><a href='javascript:x'>b</a></svg>c", "ac"),
        ("a<meta http-equiv=refresh content='0;url=//x'><base href='//x'><link rel=x>b", "ab"),
        ("<math><mi xlink:href='javascript:x'>a</mi></math>b", "b"),
        ("<template><p hx-get='/x'>a</p></template>b", "b"),
        ("a<!-- <b>hidden</b> -->b", "ab"),
        (
            "<table><tr><td>a<td>b<tr><td>c</table>",
            "<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>",
        ),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("</b></p>a", "a"),
    ],
)
def test_what_stays_of_it(html, wanted):
    assert clean(html) == wanted


@pytest.mark.parametrize(
    "html",
    [
        "<x title='></div><script>alert(1)</script>'>a",
        '<a title="--><img src=x onerror=alert(1)>" href="https://x.example/\'onclick=x">a</a>',
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<svg></p><style><a title='</style><img src=x onerror=alert(1)>'>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img onerror=x&gt;'>",
        "<<script>script>alert(1)<</script>/script>",
        '<a href=https://x.example/"onmouseover=alert(1)>a</a>',
        "<div hx-on:click='alert(1)' hx-trigger='load' hx-get='/x'>a</div>",
        "\x00<\x00script>alert(1)</script>",
        "<plaintext><script>alert(1)</script>",
        "<textarea></textarea><script>alert(1)</script>",
        "<select><option><script>alert(1)</script></select>",
        "<p/onclick=alert(1)>a",
    ],
)
def test_what_parsers_read_differently_is_harmless_too(html):
    once = clean(html)
    assert harmless(once), once
    assert clean(once) == once


PIECES = st.sampled_from(
    [
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "'",
        '"',
        "<p>",
        "</p>",
        "<b>",
        "<table>",
        "<td>",
        "<a href=",
        "javascript:x",
        "https://x.example",
        "<svg>",
        "<style>",
        "</style>",
        "<script>",
        "hx-get=/x",
        " onclick=x ",
        "&lt;",
        "&#60;",
        "<div class=x>",
        "</div>",
        "<li>",
        "\x00",
        "ä",
        "<math>",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=30))
def test_whatever_it_is_made_of(pieces):
    once = clean("".join(pieces))
    assert harmless(once), once
    assert clean(once) == once


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "a",
        "<div><br title='></div>'>" * 20_000,
        "<b><p>" * 100_000,
        "<table><tr><td>" * 50_000,
        "<" * MEGA,
        "<a href='" * 50_000,
        "&" * MEGA,
        "<p>a" * 200_000,
        "<div><table></div></table>" * 20_000,
        "<svg>" * 100_000,
        "<!--" * 100_000,
    ],
    ids=[
        "deep",
        "attributes",
        "formatting",
        "tables",
        "angles",
        "open",
        "ampersands",
        "paragraphs",
        "misnested",
        "foreign",
        "comments",
    ],
)
def test_hostile_html_neither_ends_the_process_nor_holds_it_up(html):
    assert harmless(clean(html))
    assert stays_in_proportion(clean, html)


def test_words_that_are_too_deep_stay():
    assert "deep" in clean("<div>" * (DEEPEST * 3) + "deep")


def test_the_page_loads_and_runs_nothing():
    assert HEADERS["Content-Security-Policy"] == "default-src 'none'; style-src 'none'; sandbox"
