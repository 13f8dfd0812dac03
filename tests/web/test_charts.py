from decimal import Decimal
from html.parser import HTMLParser

from app.web import charts


def numbers(svg):
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "polyline":
                pairs = dict(attrs)["points"].split()
                found.extend(tuple(map(float, pair.split(","))) for pair in pairs)

    Reader().feed(str(svg))
    return found


def test_the_line_stays_in_its_box_and_rises():
    points = numbers(charts.sparkline([Decimal(1), Decimal(5), Decimal(9)], "up"))
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[0][1] > points[1][1] > points[2][1]
    assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.HEIGHT for x, y in points)


def test_the_tone_tells_how_it_ended():
    assert "tone-good" in charts.sparkline([1, 0, 2], "t")
    assert "tone-bad" in charts.sparkline([2, 3, 1], "t")
    assert "tone-neutral" in charts.sparkline([2, 3, 2], "t")


def test_a_flat_line_is_in_the_middle():
    assert {y for _, y in numbers(charts.sparkline([3, 3, 3], "t"))} == {charts.HEIGHT / 2}


def test_the_title_is_escaped():
    assert "<script>" not in charts.sparkline([1, 2], "<script>")


def test_one_point_is_no_line():
    assert "polyline" not in charts.sparkline([1], "t")


def test_many_points_are_thinned_and_the_ends_stay():
    kept = charts.thin([float(n) for n in range(1000)])
    assert len(kept) == charts.MOST
    assert (kept[0], kept[-1]) == (0.0, 999.0)
