"""How the work on a text grows with its length, told without a clock that a busy machine bends."""

import time

SHARE = 8
"""How much shorter the short text is."""
_MOST = SHARE * 3
"""Work in proportion to the length grows by ``SHARE``, work by its square by ``SHARE ** 2``."""
_LEAST = 0.002
"""Seconds; less than this says nothing about growth."""


def stays_in_proportion(act, text):
    """Whether ``act(text)`` costs at most some eight times what it costs for an eighth of it.

    Both are measured in one run, as processor time; a disturbed measurement is taken again.
    """
    return any(_spent(act, text) <= _MOST * _spent(act, text[: len(text) // SHARE]) for _ in "123")


def _spent(act, text):
    before = time.process_time()
    act(text)
    return max(time.process_time() - before, _LEAST)
