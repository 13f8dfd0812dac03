"""How figures of trading are spelt, and the fields of a heat map."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from markupsafe import Markup, escape

from app.web import formatting
from app.web.charts import plain_share
from runner.metrics import Cell, Figure

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
STEPS = 3
LEAST = 0.0001
"""A ratio smaller than this is said to be below it: nothing is shown as a false zero."""


def init_app(app: Flask) -> None:
    """Give templates the filters."""
    app.jinja_env.filters.update(figure_value=value, figure_about=about)


def value(figure: Figure, currency: str) -> Markup:
    """A figure's value with its unit; what is undefined is a dash, and the reason stands by."""
    it = figure.value
    if it is None:
        return formatting.NO_NUMBER
    if figure.unit == "money":
        return formatting.amount(it, 2, currency)
    if figure.unit == "seconds":
        return escape(formatting.seconds(it))
    places = {"count": 0, "days": 0, "bp": 1, "percent": 2}.get(figure.unit, 2)
    if figure.unit == "ratio" and 0 < abs(it) < LEAST:
        return escape(f"below {LEAST}")
    if figure.unit == "ratio" and 0 < abs(it) < 0.01:
        places = 4
    unit = {"percent": "%", "bp": "bp", "days": "d"}.get(figure.unit, "")
    return formatting.amount(it, places, unit)


def about(figure: Figure) -> str:
    """Period and sample of a figure in words."""
    start, end = figure.period.start, figure.period.end
    span = f"{start:%d %b %Y} to {end:%d %b %Y} (UTC)"
    length = (end - start) // timedelta(days=1)
    return f"{span}, {length} d. Sample: {figure.sample:,}."


@dataclass(frozen=True)
class Field:
    """One hour of one weekday; ``tone`` names its colour, the text says the same."""

    cell: Cell | None
    tone: str
    text: str


def heat(hours: dict[int, Cell]) -> Iterator[tuple[int, list[Field]]]:
    """By hour of the day a row of seven weekdays."""
    most = max((abs(cell.net) for cell in hours.values()), default=0.0)
    for hour in range(24):
        yield hour, [_field(hours.get(day * 24 + hour), day, hour, most) for day in range(7)]


def _field(cell: Cell | None, day: int, hour: int, most: float) -> Field:
    when = f"{WEEKDAYS[day]} {hour:02}:00"
    if cell is None:
        return Field(None, "none", f"{when}: no trade")
    step = plain_share(abs(cell.net), most, STEPS)
    side = "good" if cell.net > 0 else "bad"
    tone = f"{side}-{step}" if step else "flat"
    trades = f"{cell.count} trade{'' if cell.count == 1 else 's'}"
    return Field(cell, tone, f"{when}: {trades}, {cell.wins} won, {cell.net:+,.2f}")
