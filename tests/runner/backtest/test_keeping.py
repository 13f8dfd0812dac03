"""What a search kept, by hand: a share only of something that is more than about zero."""

from types import SimpleNamespace

import pytest

from runner.backtest.keeping import efficiency, kept_little


def kept(share, inside):
    return {
        "efficiency": SimpleNamespace(value=share),
        "daily_in": SimpleNamespace(value=inside),
    }


def test_the_share_is_of_the_means():
    """In sample 2 and 4 a day, mean 3, error 1; out of sample 1 and 2, mean 1.5: a half."""
    assert efficiency([2, 4], [1, 2]) == (pytest.approx(50), "")


def test_about_zero_is_less_than_its_own_error():
    """-1 and 1.2: a mean of 0.1 and an error of 1.1; 2 out of sample would be 2,000 %."""
    share, why = efficiency([-1, 1.2], [2, 2])
    assert share is None
    assert why.startswith("Not meaningful: in sample 0.1 % a day were earned, give or take 1.1 %")


def test_one_window_has_no_error_but_nothing_is_still_nothing():
    assert efficiency([0.0009], [0.5])[0] is None
    assert efficiency([0.002], [0.001])[0] == pytest.approx(50)


def test_a_loss_in_sample_is_nothing_to_compare_with():
    assert efficiency([-1, 1], [3, 3]) == (
        None,
        "In sample nothing was earned, so there is nothing to compare with.",
    )
    assert efficiency([], [])[0] is None


@pytest.mark.parametrize(
    ("share", "inside", "code"),
    [
        (None, 0.05, "about_zero"),
        (None, -1, "no_edge"),
        (None, None, "no_edge"),
        (20, 1, "weak"),
        (-20, 1, "weak"),
    ],
)
def test_it_is_said_on_the_page(share, inside, code):
    ((found, text),) = kept_little(kept(share, inside))
    assert found == code
    assert ("not meaningful" in text) == (code == "about_zero")


def test_half_or_more_needs_no_word():
    assert kept_little(kept(50, 1)) == []
