from decimal import Decimal

from tests.soak.orders.naked import Change, Naked, Stop, Told, naked, unreported

ONE, TWO = Decimal(1), Decimal(2)


def test_a_position_is_naked_until_its_stop_rests():
    changes = [Change(1000, ONE), Change(9000, -ONE)]
    assert naked(changes, [Stop(2500, 9100, ONE)], 10_000) == [Naked(1000, 2500)]


def test_a_stop_of_the_other_side_protects_nothing():
    assert naked([Change(1000, -ONE)], [Stop(500, None, ONE)], 4000) == [Naked(1000, 4000)]


def test_a_stop_for_a_part_leaves_the_rest_naked():
    stops = [Stop(0, None, ONE), Stop(3000, 5000, ONE)]
    assert naked([Change(1000, TWO)], stops, 6000) == [Naked(1000, 3000), Naked(5000, 6000)]


def test_one_stop_in_the_place_of_another_leaves_no_gap():
    stops = [Stop(1000, 5000, ONE), Stop(5000, None, ONE)]
    assert naked([Change(1000, ONE)], stops, 8000) == []


def test_without_a_position_nothing_is_naked():
    changes = [Change(1000, ONE), Change(1000, -ONE), Change(2000, -ONE), Change(3000, ONE)]
    assert naked(changes, [], 9000) == [Naked(2000, 3000)]


def test_what_lasted_and_was_not_told_is_found():
    short, long, late = Naked(0, 900), Naked(2000, 6000), Naked(20_000, 30_000)
    told = [Told(3000, "verified"), Told(31_000, "missing")]
    assert unreported([short, long, late], told, [], least=1000, grace=5000) == [long]
    assert unreported([long], [Told(2000, "missing")], [], least=1000, grace=0) == []
    assert unreported([long], [Told(6001, "missing")], [], least=1000, grace=0) == [long]


def test_what_was_told_afterwards_stands_for_the_last_time_before_it_and_no_other():
    first, second, short = Naked(2000, 6000), Naked(20_000, 30_000), Naked(40_000, 40_100)
    times = [first, second, short]
    assert unreported(times, [], [90_000], least=1000, grace=0) == [first, second]
    assert unreported(times, [], [35_000], least=1000, grace=0) == [first]
    assert unreported(times, [], [1000, 5000, 35_000], least=1000, grace=0) == []
