import pytest

from app.practice.errors import Refusal
from app.practice.limits import Limits

MINUTE = 29_000_000 * 60_000


def test_weight_is_counted_per_address_and_minute():
    limits = Limits()
    assert limits.spend("a", 5, MINUTE) == {"X-MBX-USED-WEIGHT-1M": "5"}
    assert limits.spend("a", 5, MINUTE + 59_999) == {"X-MBX-USED-WEIGHT-1M": "10"}
    assert limits.spend("b", 1, MINUTE + 59_999) == {"X-MBX-USED-WEIGHT-1M": "1"}
    assert limits.spend("a", 5, MINUTE + 60_000) == {"X-MBX-USED-WEIGHT-1M": "5"}


def test_above_the_weight_limit_the_answer_says_when_to_come_back():
    limits = Limits(weight_per_minute=10)
    limits.spend("a", 10, MINUTE + 15_000)
    limits.check("a", MINUTE + 15_000)
    limits.spend("a", 1, MINUTE + 15_000)
    with pytest.raises(Refusal) as caught:
        limits.check("a", MINUTE + 15_000)
    assert (caught.value.code, caught.value.status) == (-1003, 429)
    assert caught.value.retry_after == 45
    limits.check("b", MINUTE + 15_000)
    limits.check("a", MINUTE + 60_000)


def test_orders_are_counted_per_account():
    limits = Limits()
    for _ in range(300):
        headers = limits.order("me", MINUTE)
    assert headers == {"X-MBX-ORDER-COUNT-10S": "300", "X-MBX-ORDER-COUNT-1M": "300"}
    with pytest.raises(Refusal) as caught:
        limits.order("me", MINUTE)
    assert (caught.value.code, caught.value.retry_after) == (-1015, 10)
    limits.order("you", MINUTE)
    limits.order("me", MINUTE + 10_000)
