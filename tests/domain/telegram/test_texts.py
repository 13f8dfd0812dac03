"""What Telegram is sent: it fits, it is whole, and nothing in it can be pressed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.telegram import texts
from tests.fakes.telegram_api import entities_in

BAIT = st.sampled_from(
    [
        *("http://evil.example/a", "https://x.y", "evil.com", "WWW.EVIL.COM", "a.b.co/path?x"),
        *("@admin", "mail@evil.com", "/close", "/close@bot", "#now", "$USD", "+4915112345678"),
        *("tg://user?id=1", "t.me/evil", "4111111111111111", "<b>x</b>", "[a](http://b.cd)"),
        *("*bold*", "`code`", "\u202e", "\u200b", "\u2060", "\ufeff", "\x00", "\ud83d\ude00", "😀"),
        *("é", "ا", "👩\u200d👩\u200d👧", "\n", " ", ".", "x" * 90),
    ]
)
WORDS = st.lists(st.one_of(BAIT, st.text(max_size=12)), max_size=60).map("".join)


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_nothing_that_a_person_typed_can_be_pressed(words):
    found = texts.defused(words)
    assert entities_in(found) == []
    for hidden in ("\u202e", "\u200b", "\ufeff", "\x00"):
        assert hidden not in found


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_defusing_changes_no_word(words):
    """Without what is invisible it reads as it was written."""
    assert texts.defused(words).replace(texts.JOINER, "") == texts.clean(words)


@settings(max_examples=200, deadline=None)
@given(WORDS.map(lambda it: it * 3), st.integers(20, 400))
def test_parts_fit_and_together_they_are_the_whole(words, room):
    text = texts.defused(words) or "x"
    parts = texts.split(text, room)
    assert all(texts.units(part) <= room + 20 for part in parts)
    assert all(part.encode("utf-16", "strict") for part in parts)  # no half of a pair
    if len(parts) > 1:
        assert [p.partition("\n")[0] for p in parts] == [
            f"({n}/{len(parts)})" for n in range(1, len(parts) + 1)
        ]
        parts = [part.partition("\n")[2] for part in parts]
    assert squeezed("".join(parts)) == squeezed(text)


def squeezed(text):
    return "".join(text.split()).replace(texts.JOINER, "")


@pytest.mark.parametrize(
    ("text", "length"), [("abc", 3), ("😀", 2), ("é", 1), ("\U0001f469\u200d\U0001f469", 5)]
)
def test_lengths_are_counted_as_telegram_counts(text, length):
    assert texts.units(text) == length


def test_the_longest_message_fits_with_all_its_marks():
    for filler in ("x", "😀", "ab ", "line\n"):
        parts = texts.split(filler * 20_000)
        assert all(
            texts.units(f"(sent again: the first time may have arrived too)\n{p}") <= 4096
            for p in parts
        )


def test_joiners_that_a_script_needs_stay():
    persian = "می\u200cخواهم"
    family = "👩\u200d👧"
    assert texts.clean(persian) == persian
    assert texts.clean(family) == family
    assert texts.clean("ab\u200dcd") == "abcd"


def test_one_line_is_cut_to_fit():
    assert texts.shortened("a  b\nc", 10) == "a b c"
    assert texts.units(texts.shortened("😀" * 200, 128)) <= 128
