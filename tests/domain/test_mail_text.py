"""What a person newly wrote: our own collection of mails, and what holds for any text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.mail_text import MARKER, text_of_html, visible_reply
from tests.growth import stays_in_proportion

CASES = Path(__file__).with_name("mail_replies.txt")


def collected():
    """Each case: its language, its name, the mail, what is new in it."""
    for block in CASES.read_text().split("#### ")[1:]:
        title, _, rest = block.partition("\n")
        written, _, wanted = rest.partition("====\n")
        language, _, name = title.partition(" ")
        yield language, name, written, wanted or written


ALL = list(collected())


def same(one, other):
    return "".join(one.split()) == "".join(other.split())


def keeps(answer, wanted):
    return all(line.strip() in answer for line in wanted.splitlines())


@pytest.mark.parametrize(
    ("written", "wanted"),
    [case[2:] for case in ALL],
    ids=[f"{language}-{name.replace(' ', '-')}" for language, name, *_ in ALL],
)
def test_a_mail_of_our_collection(written, wanted):
    assert visible_reply(written).split() == wanted.split()


def test_the_collection_is_wide_and_the_figures_hold():
    answers = [(visible_reply(written), wanted) for *_, written, wanted in ALL]
    assert len(ALL) >= 80
    assert len({language for language, *_ in ALL}) >= 12
    assert sum(same(*it) for it in answers) >= 0.84 * len(ALL)
    assert sum(keeps(*it) for it in answers) >= 0.97 * len(ALL)


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_endings_change_nothing(ending):
    for *_, written, wanted in ALL:
        assert visible_reply(written.replace("\n", ending)).split() == wanted.split()


def test_what_would_leave_nothing_is_kept_whole():
    for text in (
        "> only a quote",
        "On 3 Mar 2026, at 09:14, Desk <d@x.example> wrote:\n> It.",
        "Sent from my iPhone",
        MARKER,
        "From: A <a@x.example>\nSent: 3 March 2026\nTo: B\nSubject: C",
    ):
        assert visible_reply(text) == text


LINES = st.sampled_from(
    [
        "It stopped.",
        "",
        "> quoted",
        ">> twice",
        "On 3 Mar 2026, at 09:14, Desk <d@x.example> wrote:",
        "Am 03.03.26 um 09:14 schrieb Desk:",
        "-- ",
        "________________________________",
        "From: Desk <d@x.example>",
        "Sent: 3 March 2026",
        "To: Olga",
        "Subject: Bot",
        "Sent from my iPhone",
        "-----Original Message-----",
        "```",
        MARKER,
        "wrote:",
        "It trades again, since noon.",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES | st.text(max_size=40), max_size=25))
def test_nothing_is_made_up_and_nothing_becomes_of_something(lines):
    text = "\n".join(lines)
    answer = visible_reply(text)
    rest = iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    for line in answer.split("\n"):
        assert any(found.strip().startswith(line.strip()) for found in rest), line
    assert bool(answer.strip()) == bool(text.strip())


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case[0]}-{case[1].replace(' ', '-')}")
def test_what_is_new_is_new_again(case):
    once = visible_reply(case[2])
    if not any(line.startswith(">") for line in once.splitlines()):
        assert visible_reply(once) == once


MEGA = 1_000_000
HOSTILE = {
    "quotes": ">" * MEGA,
    "quoted lines": "> a\n" * (MEGA // 4),
    "deep quotes": (">" * 400 + "\n") * (MEGA // 401),
    "one line": "a" * MEGA,
    "one line of words": "wrote " * (MEGA // 6),
    "beginnings": "On \n" * (MEGA // 4),
    "beginnings with dates": "On 3 Mar 2026\n" * (MEGA // 14),
    "verbs": "wrote:\n" * (MEGA // 7),
    "attributions": "On 3 Mar 2026 A <a@b.example> wrote:\n" * (MEGA // 37),
    "attributions and quotes": "a\nOn 3 Mar 2026 A wrote:\n> b\n" * (MEGA // 30),
    "colons": ":" * MEGA,
    "lines of colons": "a:\n" * (MEGA // 3),
    "headers": "From: a\n" * (MEGA // 8),
    "addresses": "From: a@b.example\n\n" * (MEGA // 19),
    "dashes": "-" * MEGA,
    "lines of dashes": "--\n" * (MEGA // 3),
    "rules": ("_" * 30 + "\n") * (MEGA // 31),
    "spaces": " " * MEGA,
    "empty lines": "\n" * MEGA,
    "fences": "```\n" * (MEGA // 4),
    "phones": "Sent from my iPhone\n" * (MEGA // 20),
    "almost phones": ("Sent from my " + "a " * 60 + "\n") * (MEGA // 134),
    "framed": ("---- " + "a " * 100 + "\n") * (MEGA // 206),
    "addresses in a line": ("<a@" * 160 + "\n") * (MEGA // 481),
    "digits": "1:11 " * (MEGA // 5),
    "inside": ("x On 3 wrote " * 30 + "\n") * (MEGA // 391),
    "long rules": ("-" * 499 + "\n") * (MEGA // 500),
    "rules with gaps": ("* " * 249 + "x\n") * (MEGA // 500),
    "indented": (" " * 498 + "x\n") * (MEGA // 500),
    "invisible": "\u200b" * (MEGA // 3),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_million_hostile_characters_cost_no_more_than_their_number(text):
    assert stays_in_proportion(visible_reply, text)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello</p><p>there</p>", "Hello\n\nthere"),
        ("one<br>two<br/><br>three", "one\ntwo\n\nthree"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<style>p{}</style><script>alert(1)</script><title>t</title>a &amp; b", "a & b"),
        ("a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e", "a\n> b\n> c\n>> d\ne"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("  a \n  b  <b>c</b> d", "a b c d"),
        ("<div class='yahoo_quoted'>old</div>", "> old"),
        ("a<!-- hidden -->b", "ab"),
        ("</p></div>a<p>b", "a\nb"),
        ("", ""),
    ],
)
def test_html_as_it_is_seen(html, text):
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    "html",
    [
        (
            "<div>Works.</div><br><div class='gmail_quote'><div class='gmail_attr'>On Tue, Mar 3, "
            "2026 at 9:14 AM Nina &lt;<a href='x'>d@x.example</a>&gt; wrote:<br></div>"
            "<blockquote>Old</blockquote></div>"
        ),
        (
            "<p>Works.</p><div style='border-top:solid'><p><b>From:</b> Desk &lt;d@x.test&gt;<br>"
            "<b>Sent:</b> 3 March 2026 9:14<br><b>To:</b> Olga<br><b>Subject:</b> Bot</p></div>"
            "<p>Old</p>"
        ),
        (
            "Works.<div class='moz-cite-prefix'>Am 03.03.26 um 09:14 schrieb Desk:<br></div>"
            "<blockquote type='cite'><p>Old</p></blockquote>"
        ),
        (
            "<div>Works.</div><div>Sent from my iPhone</div><blockquote type='cite'>On 3 Mar 2026, "
            "at 09:14, Desk wrote:<br><br>Old</blockquote>"
        ),
        "<div>Works.</div><div class='yahoo_quoted'>On Tuesday, Desk wrote:<p>Old</p></div>",
    ],
)
def test_what_is_new_in_a_mail_of_html(html):
    assert visible_reply(text_of_html(html)) == "Works."


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "a",
        "<" * MEGA,
        "<a href='" * 50_000,
        "&" * MEGA,
        "<p>a" * 250_000,
        "<blockquote>" * 80_000 + "a",
        "</div>" * 150_000,
        "<!--" * 100_000,
        "<b>" * 199 + "</i>" * 250_000,
        "<blockquote>" * 190 + "a<br>" * 200_000,
    ],
    ids=[
        "deep",
        "angles",
        "open",
        "ampersands",
        "paragraphs",
        "quotes",
        "ends",
        "comments",
        "ends of what never began",
        "lines in many quotes",
    ],
)
def test_hostile_html_costs_no_more_than_its_length(html):
    assert stays_in_proportion(text_of_html, html)
    assert len(text_of_html(html)) < 8 * MEGA
