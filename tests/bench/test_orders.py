from tests.bench.orders import Pace, Times, measure


def test_every_figure_of_an_order_is_measured():
    section = measure(Pace(rounds=4, journal=6))
    figures = {figure.what: figure.value for figure in section.figures}
    assert all(value > 0 for value in figures.values())
    assert figures["commits of an order in the journal, each with one fsync"] == 4
    ((_, rows),) = section.tables
    assert len(rows) == 6


def test_what_is_left_for_fsync_is_the_difference():
    times = Times([4.0] * 99 + [50.0], [1.0] * 100)
    assert times.rows("it")[0] == ["it, p50", "4.00", "1.00", "3.00", "75 %"]
    assert times.rows("it")[1][1:4] == ["50.00", "1.00", "49.00"]
