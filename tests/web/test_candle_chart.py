from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from app.web.candle_chart import MOST, Candle, Mark, candle_chart, merged, width

HOUR = 3600
ROSE, FELL = Candle(0, 10, 13, 9, 12), Candle(HOUR, 12, 14, 8, 9)


class Reader(HTMLParser):
    """Every element of a drawing with its attributes and its text."""

    def __init__(self, svg):
        super().__init__()
        self.found = []
        self.feed(str(svg))

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.found:
            self.found[-1][2] += data

    def of(self, look):
        return [it for it in self.found if look in (it[1].get("class") or "").split()]

    def texts(self, tag):
        return [text for name, _, text in self.found if name == tag]


def draw(candles=(ROSE, FELL), marks=(), title="two candles", places=2):
    return Reader(candle_chart(candles, marks, span=HOUR, title=title, places=places))


def percent(attributes):
    return float(attributes["x"].rstrip("%")), float(attributes["y"].rstrip("%"))


def test_rising_and_falling_candles_are_told_apart_by_form_and_not_by_colour_alone():
    drawn = draw()
    up, down = drawn.of("candles-up"), drawn.of("candles-down")
    assert [len(up), len(down)] == [2, 2]
    assert up[1][1]["class"] == "candles-body candles-up"


def test_an_entry_of_a_buy_stands_below_its_candle_and_that_of_a_sell_above():
    marks = [Mark(10, 12, "buy", "Long entry at 12"), Mark(HOUR, 9, "sell", "Short entry at 9")]
    below, above = draw(marks=marks).of("candles-mark")
    assert below[1]["class"].endswith("tone-entry")
    (x, y), (further, higher) = percent(below[1]), percent(above[1])
    assert x < further
    # 9 is the lowest price of the first candle, 14 the highest of the second; both have room.
    assert y > 50 > higher > 0


def test_an_exit_tells_what_it_came_to_and_where_it_began():
    gone = Mark(HOUR, 9, "sell", "Long exit at 9, lost", False, (0, 12))
    drawn = draw(marks=[gone])
    assert drawn.of("candles-mark")[0][1]["class"].endswith("tone-bad")
    assert len(drawn.of("candles-leg")) == 1
    assert "Long exit at 9, lost" in drawn.texts("title")


def test_marks_outside_of_the_candles_are_left_out():
    assert not draw(marks=[Mark(-HOUR, 9, "buy", "before"), Mark(9 * HOUR, 9, "buy", "after")]).of(
        "candles-mark"
    )


def test_all_words_are_escaped():
    drawn = candle_chart([ROSE], [Mark(0, 12, "buy", "<b>")], span=HOUR, title="<script>")
    assert "<script>" not in drawn
    assert "<b>" not in drawn


def labels(*prices, places=8):
    drawn = draw([Candle(0, *prices)], places=places)
    return [text for text in drawn.texts("text") if ":" not in text]


def test_prices_stand_beside_the_plot_with_the_decimals_that_tell_them_apart():
    assert all(text.endswith(",000") for text in labels(50_000, 76_000, 50_000, 76_000))
    assert all(len(text.split(".")[1]) == 4 for text in labels(0.0411, 0.0421, 0.0411, 0.0421))
    assert all("." not in text for text in labels(0.0411, 0.0421, 0.0411, 0.0421, places=0))


def test_a_market_that_stands_still_can_be_drawn():
    assert draw([Candle(0, 5, 5, 5, 5)]).of("candles-body")
    assert draw([Candle(0, 0, 0, 0, 0)]).of("candles-body")


def test_a_gap_stays_a_gap():
    late = Candle(9 * HOUR, 12, 14, 8, 9)
    wicks = draw([ROSE, late]).of("candles-wick")
    first, second = (float(it[1]["d"][1:].split()[0]) for it in wicks)
    assert second - first > 850


@st.composite
def histories(draw):
    count = draw(st.integers(1, 700))
    places = sorted(draw(st.sets(st.integers(0, 5000), min_size=1, max_size=count)))
    price = st.floats(0.0001, 1e6)
    found = []
    for place in places:
        begin, end = draw(price), draw(price)
        found.append(Candle(place * HOUR, begin, max(begin, end), min(begin, end), end))
    return found


@given(histories())
def test_however_many_there_are_few_are_drawn_and_none_is_lost(candles):
    drawn = merged(candles, width(candles, HOUR))
    assert len(drawn) <= MOST
    assert drawn[0].open == candles[0].open
    assert drawn[-1].close == candles[-1].close
    assert max(it.high for it in drawn) == max(it.high for it in candles)
    assert min(it.low for it in drawn) == min(it.low for it in candles)
    assert [it.at for it in drawn] == sorted({it.at for it in drawn})


@given(histories())
def test_everything_stays_in_its_box(candles):
    marks = [Mark(it.at, it.close, "buy", "entry") for it in candles[::7]]
    drawn = draw(candles, marks)
    for _, attributes, _ in drawn.of("candles-mark"):
        x, y = percent(attributes)
        assert 0 <= x <= 100
        assert 0 <= y <= 100


def test_midnight_is_written_with_its_hour():
    """Hours keep their leading zeros: ``:20`` is no time."""
    candles = [Candle(at * 1200, 10, 13, 9, 12) for at in range(37)]
    drawn = Reader(candle_chart(candles, (), span=1200, title="half a day", places=2))
    times = [text for text in drawn.texts("text") if ":" in text]
    assert {len(text) for text in times} == {5}
