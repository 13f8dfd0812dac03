"""A bot's page says how it hears of its venue, and why not by streams."""

import pytest

from app.web.hearing import told


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"hears_by": "streams", "hears_why": ""}, "streams, each one checked by requests"),
        ({"hears_by": "requests", "hears_why": "they broke"}, "requests alone: they broke"),
        ({"hears_by": "requests"}, "requests alone"),
        ({"hears_by": "pigeons"}, "–"),
        ({}, "–"),
    ],
)
def test_what_a_runner_said_of_itself(health, words):
    assert told(health) == words
