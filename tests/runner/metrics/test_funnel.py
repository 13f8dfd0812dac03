"""A hand-worked funnel: each candle in one place, each signal stopped by one thing."""

from runner.metrics.funnel import MEANINGS, STAGES, Funnel, Reason, plain

HAND = (
    *((Reason.WARMING_UP, "", 20), (Reason.GAP, "", 2), (Reason.NOT_TRUE, "", 1)),
    *((Reason.NO_SIGNAL, "", 281), (Reason.HOLDS, "", 63), (Reason.LEAVES, "", 7)),
    *((Reason.FILTERED, "funding_gate", 21), (Reason.BLOCKED, "daily loss", 4)),
    *((Reason.ENTERS, "", 13),),
)
"""412 candles: 38 signals, 21 blocked by the funding gate, 4 by daily loss, 13 entries."""


def test_the_funnel_of_412_candles():
    funnel = Funnel()
    for code, blocker, count in HAND:
        for _ in range(count):
            funnel.add(code, blocker)
    assert funnel.plain() == {
        "candles": 412,
        "unfit": 3,
        "warming_up": 20,
        "no_signal": 281,
        "held": 70,
        "exits": 7,
        "signals": 38,
        "other_side": 0,
        "signals_blocked": 25,
        "entries": 13,
        "blocked": {"funding_gate": 21, "daily loss": 4},
    }


def test_a_signal_for_the_other_side_is_a_signal():
    funnel = Funnel()
    funnel.add(Reason.OTHER_SIDE)
    assert (funnel.plain()["signals"], funnel.plain()["other_side"]) == (1, 1)
    assert funnel.plain()["blocked"] == {}


def test_what_blocked_as_often_stands_by_its_name():
    funnel = Funnel()
    for name, count in (("b", 2), ("a", 2), ("c", 5)):
        funnel.add(Reason.BLOCKED, name, count)
    assert list(funnel.plain()["blocked"]) == ["c", "a", "b"]


def test_every_reason_has_its_place_and_every_count_its_meaning():
    assert set(STAGES) == set(Reason)
    funnel = Funnel()
    funnel.add_external(Reason.ENTERS)
    assert set(funnel.plain()) - {"blocked"} | {"filled"} == set(MEANINGS)


def test_what_a_signal_from_outside_led_to_is_no_candle():
    funnel = Funnel()
    funnel.add(Reason.ENTERS)
    funnel.add_external(Reason.ENTERS, 2)
    funnel.add_external(Reason.BLOCKED)
    found = funnel.plain()
    assert (found["candles"], found["signals"], found["entries"]) == (1, 1, 1)
    assert (found["external"], found["external_entries"]) == (3, 2)
    assert found["blocked"] == {}


def test_alike_reasons_are_one_without_their_numbers():
    one, other = "limit: daily loss 12.50 reached 10;", "limit: daily loss 7 reached 7;"
    assert plain(one) == plain(other) == "limit: daily loss … reached …"
