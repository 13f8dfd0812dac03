from tests.bench.backtests import Ran, compared

HOUR = 1_767_225_600  # 2026-01-01 00:00 UTC


def ran(*trades):
    return Ran("a peer", "cross", 1.0, 1.0, 2.0, 100.0, tuple(trades))


def test_trades_are_shared_by_entry_and_exit_and_the_first_that_differs_is_named():
    same, early = (HOUR, HOUR + 60), (HOUR + 120, HOUR + 180)
    theirs = ran(same, early, (HOUR + 600, HOUR + 660))
    ours = ran(same, (HOUR + 120, HOUR + 240), (HOUR + 900, HOUR + 960), (HOUR + 990, HOUR + 999))
    name, rule, *counts, first = compared(theirs, ours)
    assert (name, rule) == ("a peer", "cross")
    assert counts == ["3", "4", "1", "1", "1", "2"]
    assert first == "2026-01-01 00:02"


def test_equal_trades_name_none_that_differs():
    assert compared(ran((HOUR, HOUR + 60)), ran((HOUR, HOUR + 60)))[-1] == "none"
