"""A fan of quantiles as SVG, drawn on the server: the table beside it says the same."""

from collections.abc import Sequence

from markupsafe import Markup

from app.web.formatting import plain

WIDE, TALL, LEFT, BASE = 640, 220, 72, 24
_LINES = 4


def fan(bands: Sequence[Sequence[float]], start: float) -> Markup:
    """``bands``: rows of a place and its five quantiles, lowest first; a line marks ``start``."""
    low = min(*(row[1] for row in bands), start)
    high = max(*(row[5] for row in bands), start)
    room = (high - low) * 0.06 or max(abs(high) * 0.01, 1.0)
    low, high, last = low - room, high + room, bands[-1][0] or 1

    def x(place: float) -> float:
        return LEFT + (WIDE - LEFT - 8) * place / last

    def y(value: float) -> float:
        return 6 + (TALL - BASE - 6) * (high - value) / (high - low)

    def between(under: int, over: int) -> str:
        there = [f"{x(row[0]):.1f},{y(row[over]):.1f}" for row in bands]
        back = [f"{x(row[0]):.1f},{y(row[under]):.1f}" for row in reversed(bands)]
        return " ".join([*there, *back])

    middle = " ".join(f"{x(row[0]):.1f},{y(row[3]):.1f}" for row in bands)
    values = [low + (high - low) * (it + 0.5) / _LINES for it in range(_LINES)]
    places = sorted({0, round(last / 2), round(last)})
    labels = "".join(
        f'<text x="{LEFT - 8}" y="{y(it):.1f}" dy="0.35em" text-anchor="end">{plain(it, 0)}</text>'
        for it in values
    ) + "".join(
        f'<text x="{x(it):.1f}" y="{TALL - 6}" text-anchor="middle">{it:,}</text>' for it in places
    )
    grid = "".join(f"M{LEFT} {y(it):.1f}H{WIDE - 8}" for it in values)
    # Numbers and words of this file alone.
    return Markup(  # noqa: S704 -- see above
        f'<svg class="fan" viewBox="0 0 {WIDE} {TALL}" role="img">'
        "<title>Balance after each trade: the middle of all series, half of them within the darker "
        "band, nine of ten within the lighter one</title>"
        f'<path class="fan-grid" d="{grid}"/><polygon class="fan-wide" points="{between(1, 5)}"/>'
        f'<polygon class="fan-half" points="{between(2, 4)}"/>'
        f'<path class="fan-start" d="M{LEFT} {y(start):.1f}H{WIDE - 8}"/>'
        f'<polyline class="fan-middle" points="{middle}"/>{labels}</svg>'
    )
