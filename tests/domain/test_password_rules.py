from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import password_rules
from app.domain.errors import Invalid

ABOUT = ("alice.lidell@harbour.example", "Alice Lidell", "Harbour Desk")
GOOD = (
    "seven quiet harbours",
    "correct horse battery staple",
    "tide and moon",
    "Xk9#mQ2$vLp0",
    "ünïcödé wörds röck",
    "    spaces count    x",
    "binance makes my coffee bitter",
)


@pytest.mark.parametrize("password", GOOD)
def test_words_of_one_s_own_do(password):
    password_rules.check(password, ABOUT)


COMMON = (
    "1234567890",
    "qwertyuiop",
    "password123",
    "Password2024!",
    "P@ssw0rd2025",
    "iloveyou1234",
    "monkeymonkey",
    "superman1987!",
    "football!!!!",
    "abcdefghijkl",
    "zyxwvutsrqpo",
    "aaaaaaaaaaaa",
    "abcabcabcabc",
    "1q2w3e4r5t6y",
    "letmein letmein",
)


@pytest.mark.parametrize("password", COMMON)
def test_what_others_try_first_is_refused(password):
    with pytest.raises(Invalid, match="first passwords"):
        password_rules.check(password)


KNOWN = (
    "alicelidell",
    "Harbour-Desk-2026",
    "alice.lidell.harbour",
    "plutarc-trading",
    "binance+kraken 99",
)


@pytest.mark.parametrize("password", KNOWN)
def test_what_is_made_of_what_others_know_is_refused(password):
    with pytest.raises(Invalid, match="mostly"):
        password_rules.check(password, ABOUT)


def test_length_alone_is_asked_for():
    for password in ("short pw", "x y z" * 60):
        with pytest.raises(Invalid, match="10 to 256") as refused:
            password_rules.check(password)
        assert refused.value.field == "password"
    password_rules.check("quiet brass engine" * 5)


def test_the_list_is_sorted_and_refuses_thousands_of_the_length_that_is_allowed():
    marks = password_rules._marks()
    assert marks == sorted(set(marks))
    assert len(marks) > 39_000
    words = ("monkey", "dragon", "baseball", "football", "shadow", "master", "sunshine", "princess")
    endings = [f"{year}{sign}" for year in range(1950, 2030) for sign in ("", "!", ".", "?", "1")]
    refused = [word + ending for word in words for ending in endings if len(word + ending) >= 10]
    assert len(refused) > 3_000
    for password in refused:
        with pytest.raises(Invalid):
            password_rules.check(password)


@given(st.text(max_size=300), st.lists(st.text(max_size=30), max_size=3))
@settings(max_examples=40, deadline=None)
def test_whatever_is_typed_is_judged(password, about):
    """Any text is taken or refused with a reason; never by a failure."""
    with suppress(Invalid):
        password_rules.check(password, about)
        assert 10 <= len(password) <= 256
