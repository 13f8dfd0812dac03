"""Rate limits per source address and order limits per account, in the exchange's windows."""

from __future__ import annotations

from app.practice import errors

WEIGHT_PER_MINUTE = 2400
ORDERS = (("10S", 10_000, 300), ("1M", 60_000, 1200))  # header suffix, window in ms, limit


class Window:
    """Counts per key in consecutive windows of ``length`` milliseconds."""

    def __init__(self, length: int):
        self.length = length
        self._current = -1
        self._counts: dict[str, int] = {}

    def add(self, key: str, amount: int, ms: int) -> int:
        """Add and return the count of the window that ``ms`` lies in."""
        if ms // self.length != self._current:
            self._current = ms // self.length
            self._counts.clear()
        self._counts[key] = self._counts.get(key, 0) + amount
        return self._counts[key]

    def left(self, ms: int) -> int:
        """Whole seconds until the window ends, at least one."""
        return max(1, -(-(self.length - ms % self.length) // 1000))


class Limits:
    """Raises the exchange's refusals; the headers it returns belong on every answer."""

    def __init__(self, weight_per_minute: int = WEIGHT_PER_MINUTE):
        self.weight_per_minute = weight_per_minute
        self._weight = Window(60_000)
        self._orders = [(suffix, Window(length), limit) for suffix, length, limit in ORDERS]

    def spend(self, address: str, weight: int, ms: int) -> dict[str, str]:
        """Weight is spent even by refused requests; the answer carries the header either way."""
        used = self._weight.add(address, weight, ms)
        return {"X-MBX-USED-WEIGHT-1M": str(used)}

    def check(self, address: str, ms: int) -> None:
        if self._weight.add(address, 0, ms) > self.weight_per_minute:
            raise errors.too_much_weight(self.weight_per_minute, self._weight.left(ms))

    def order(self, account: str, ms: int) -> dict[str, str]:
        """Count one new order of ``account``."""
        headers = {}
        for suffix, window, limit in self._orders:
            count = window.add(account, 1, ms)
            headers[f"X-MBX-ORDER-COUNT-{suffix}"] = str(count)
            if count > limit:
                raise errors.too_many_orders(limit, suffix, window.left(ms))
        return headers
