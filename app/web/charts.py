"""Small charts as SVG, drawn on the server: no script, right in lists and mails."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from markupsafe import Markup, escape

Row = TypeVar("Row")
MOST = 200
WIDTH, HEIGHT, PAD = 120, 32, 2
NO_LINE = Markup('<span class="sparkline sparkline-none" aria-hidden="true"></span>')


def sparkline(points: Sequence[Decimal | float], title: str) -> Markup:
    """A line through ``points``, oldest first, toned by whether it ends above its start.

    ``title`` says in words what the line shows; it is what a screen reader reads.
    """
    values = thin([float(point) for point in points])
    if len(values) < 2:
        return NO_LINE
    line = " ".join([f"{x:.1f},{y:.1f}" for x, y in _place(values)])
    tone = "good" if values[-1] > values[0] else "bad" if values[-1] < values[0] else "neutral"
    # Everything but the title is made of numbers and of words that stand here.
    return Markup(  # noqa: S704 -- see above
        f'<svg class="sparkline tone-{tone}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'preserveAspectRatio="none"><title>{escape(title)}</title>'
        f'<polygon points="{PAD},{HEIGHT} {line} {WIDTH - PAD},{HEIGHT}" class="sparkline-area"/>'
        f'<polyline points="{line}" class="sparkline-line"/></svg>'
    )


def plain_share(value: float, most: float, steps: int) -> int:
    """Into which of ``steps`` equal parts of ``most`` a value falls; 0 is none of it."""
    return 0 if not value or not most else min(int(steps * value / most) + 1, steps)


def thin(values: Sequence[Row], most: int = MOST) -> list[Row]:
    """At most ``most`` values, evenly picked, first and last always kept."""
    if len(values) <= most:
        return list(values)
    step = (len(values) - 1) / (most - 1)
    return [values[round(index * step)] for index in range(most)]


def _place(values: list[float]) -> list[tuple[float, float]]:
    low, high = min(values), max(values)
    span = high - low
    wide = (WIDTH - 2 * PAD) / (len(values) - 1)
    tall = HEIGHT - 2 * PAD
    return [
        (PAD + index * wide, PAD + (tall / 2 if span == 0 else tall * (high - value) / span))
        for index, value in enumerate(values)
    ]
