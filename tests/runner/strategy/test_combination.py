"""Combination modes against a slow second opinion, for every vote of up to four signals."""

import itertools
from fractions import Fraction

import pytest

from runner.strategy.combination import Combination, needed

WEIGHTS = {1: (1.0,), 2: (0.6, 0.5), 3: (0.7, 0.2, 0.1), 4: (2, 1, 1, 0.5)}


def asked(mode, threshold, weights, votes):
    """The rule as it would be read out aloud."""
    if None in votes:
        return None
    up, down = votes.count(1), votes.count(-1)
    exact = [Fraction(str(w)) for w in weights]
    score = sum(w * v for w, v in zip(exact, votes, strict=True))
    wanted = {
        "weighted": lambda: Fraction(str(threshold)) * sum(exact),
        "min_score": lambda: Fraction(str(threshold)),
    }
    if mode in wanted:
        return (score >= wanted[mode]()) - (score <= -wanted[mode]())
    enough = {
        "min_signals": lambda n: n >= threshold,
        "all": lambda n: n == len(votes),
        "any": lambda n: n >= 1,
        "majority": lambda n: 2 * n > len(votes),
    }[mode]
    if up > down and enough(up):
        return 1
    return -1 if down > up and enough(down) else 0


@pytest.mark.parametrize(
    ("mode", "threshold"),
    [
        ("weighted", 0.5),
        ("weighted", 1),
        ("weighted", 0.05),
        ("min_score", 0.5),
        ("min_score", 1),
        ("min_signals", 1),
        ("min_signals", 2),
        ("all", 1),
        ("any", 1),
        ("majority", 1),
    ],
)
@pytest.mark.parametrize("count", WEIGHTS)
def test_every_vote_comes_to_what_the_mode_says(mode, threshold, count):
    weights = WEIGHTS[count]
    judge = Combination({"mode": mode, "threshold": threshold}, weights).judge
    for votes in itertools.product((-1, 0, 1, None), repeat=count):
        # what filters say behind the signals is no vote
        assert judge([*votes, 1, -1]) == asked(mode, threshold, weights, votes), votes


@pytest.mark.parametrize(
    ("combination", "votes", "words"),
    [
        ({"mode": "weighted", "threshold": 0.5}, (1, 0, 0), "score 0.7 reached the threshold 0.5"),
        (
            {"mode": "weighted", "threshold": 0.8},
            (-1, 0, 1),
            "no signal reached the threshold 0.8 (score -0.6)",
        ),
        ({"mode": "all"}, (1, 1, 0), "2 of 3 signals agree, 3 needed"),
        ({"mode": "majority"}, (-1, -1, 1), "2 of 3 signals agree, 2 needed"),
        ({"mode": "any"}, (0, 0, 0), "0 of 3 signals agree, 1 needed"),
    ],
)
def test_the_sum_is_said_in_words(combination, votes, words):
    found = Combination(combination, WEIGHTS[3])
    assert found.words([*votes, None], found.judge(votes)) == words


def test_the_sum_of_rounded_weights_still_reaches_their_sum():
    assert sum(WEIGHTS[3]) < 1  # 0.7 + 0.2 + 0.1 in floating point
    assert Combination({"mode": "min_score", "threshold": 1}, WEIGHTS[3]).judge((1, 1, 1)) == 1
    assert needed({"mode": "weighted", "threshold": 0.5}, (3, 1)) == 2
