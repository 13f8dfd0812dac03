"""What the preflight makes of the rights of a key."""

from datetime import UTC, datetime, timedelta

import pytest

from runner.exchange.base import Rights
from runner.preflight import rights_checks

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
GOOD = Rights(trade=True, withdraw=False, bound_addresses=("1.2.3.4",), account="4711")


def checks(rights, address="1.2.3.4", *, live=True):
    return {c.name: (c.ok, c.detail) for c in rights_checks(rights, address, NOW, live=live)}


def test_a_bound_key_that_trades_and_cannot_withdraw_passes():
    told = checks(GOOD)
    assert {name: ok for name, (ok, _) in told.items()} == {
        "trading right": True,
        "withdrawal right": True,
        "key binding": True,
        "account": True,
    }
    assert told["account"][1] == "4711"


@pytest.mark.parametrize("withdraw", [True, None])
def test_a_live_key_that_may_withdraw_or_may_not_be_asked_is_refused(withdraw):
    rights = Rights(trade=True, withdraw=withdraw)
    assert checks(rights)["withdrawal right"][0] is False
    assert checks(rights, live=False)["withdrawal right"][0] is None


def test_a_key_that_may_not_trade_is_refused_in_every_mode():
    for live in (True, False):
        assert checks(Rights(trade=False), live=live)["trading right"][0] is False
    assert checks(Rights())["trading right"] == (None, "the venue does not tell here")


@pytest.mark.parametrize(
    ("bound", "ok", "words"),
    [
        ((), None, "works from every address; bind it to the bot's"),
        (("1.2.3.4", "5.6.7.8"), True, "bound to 1.2.3.4, 5.6.7.8"),
        (("5.6.7.8",), False, "add the bot's address 1.2.3.4"),
    ],
)
def test_a_key_bound_to_nothing_is_warned_about_and_one_bound_elsewhere_refused(bound, ok, words):
    told = checks(Rights(trade=True, withdraw=False, bound_addresses=bound))["key binding"]
    assert told[0] is ok
    assert words in told[1]


def test_a_machine_of_this_computer_is_seen_by_another_address_than_its_own():
    rights = Rights(trade=True, withdraw=False, bound_addresses=("1.2.3.4",))
    told = rights_checks(rights, "127.64.0.5", NOW, live=True)
    (binding,) = [check for check in told if check.name == "key binding"]
    assert binding.ok
    assert "takes it from this machine" in binding.detail


def test_where_the_venue_tells_no_addresses_nothing_is_claimed():
    assert "key binding" not in checks(Rights(trade=True, withdraw=False))


@pytest.mark.parametrize(
    ("left", "ok"),
    [(timedelta(0), False), (timedelta(days=6), None), (timedelta(days=8), True)],
)
def test_a_key_that_ends_soon_is_said_in_time(left, ok):
    told = checks(Rights(trade=True, withdraw=False, expires_at=NOW + left))["key expiry"]
    assert told[0] is ok
    assert ("make a new one" in told[1]) is (ok is not True)
