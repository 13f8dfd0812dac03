"""Student's t: how sure a mean is. No resampling, so the same trades always say the same."""

from math import exp, inf, lgamma, log, log1p, sqrt

TINY = 1e-300
STEPS = 300


def p_value(t: float, freedom: int) -> float:
    """How often a mean of zero would show a ``t`` at least so far from zero, either way."""
    if abs(t) == inf:
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def quantile(freedom: int, confidence: float = 0.95) -> float:
    """The ``t`` between whose signs lies ``confidence`` of the distribution."""
    low, high = 0.0, 1.0
    while p_value(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if p_value(middle, freedom) > 1 - confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def interval(
    count: int, mean: float, deviation: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Between what the true mean lies with ``confidence``; ``count`` at least two."""
    reach = quantile(count - 1, confidence) * deviation / sqrt(count)
    return mean - reach, mean + reach


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Its continued fraction, evaluated from the front (modified Lentz)."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = 1 / _away(1 + part * d)
            c = _away(1 + part / c)
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _away(value: float) -> float:
    """Not zero, so that it may be divided by."""
    return value if abs(value) > TINY else TINY
