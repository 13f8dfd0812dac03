"""One user of an account at a time, or it is written down."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice import keys
from app.practice.store import Store
from app.practice.watch import Watch
from tests.practice.client import Process, ask, get, trade
from tests.practice.floor import START

A, B, C = ("plutarc-runner/0.1.0 (boot aaaa1)", "x (boot bbbb2)", "Mozilla/5.0")


def used(watch, *uses, account="me"):
    """Each use is (User-Agent, source address)."""
    for k, (agent, address) in enumerate(uses):
        watch.seen(account, address, agent, 5000 + k, START + k)


def found(watch):
    return [(row["kind"], row["count"]) for row in watch.violations()]


@pytest.mark.parametrize(
    ("uses", "kinds"),
    [
        ([(A, "127.0.0.1"), (A, "127.0.0.1")], []),
        ([(A, "127.0.0.1"), (B, "127.0.0.1"), (B, "127.0.0.1")], []),
        ([(A, "127.0.0.1"), (B, "127.0.0.1"), (A, "127.0.0.1")], [("overlap", 1)]),
        (
            [(A, "127.0.0.1"), (B, "127.0.0.2"), (A, "127.0.0.1"), (B, "127.0.0.2")],
            [("overlap", 2)],
        ),
        ([(C, "127.0.0.1"), (C, "127.0.0.2"), (C, "127.0.0.1")], [("overlap", 1)]),
        ([(C, "127.0.0.1"), (C, "127.0.0.1"), (C, "127.0.0.1")], []),
        ([(A, "127.0.0.1"), (A, "127.0.0.2")], [("moved", 1)]),
    ],
)
def test_an_overlap_is_a_process_seen_again_after_another(floor, uses, kinds):
    watch = Watch(floor.store)
    used(watch, *uses)
    assert found(watch) == kinds


@settings(max_examples=30, deadline=None)
@given(order=st.lists(st.sampled_from("abcd"), max_size=12))
def test_uses_overlap_unless_each_process_has_one_stretch(tmp_path_factory, order):
    store = Store(tmp_path_factory.mktemp("watch"))
    watch = Watch(store)
    used(watch, *((f"(boot {one * 4})", "127.0.0.1") for one in order))
    stretches = [one for k, one in enumerate(order) if k == 0 or order[k - 1] != one]
    returns = len(stretches) - len(set(stretches))
    assert sum(count for _kind, count in found(watch)) == returns
    store.close()


def test_accounts_and_bots_do_not_mix(floor):
    watch = Watch(floor.store)
    for account in ("one", "two", "one"):
        agent = A if account == "one" else B
        used(watch, (agent, "127.0.0.1"), account=account)
    # Paper: two bots on addresses of their own, and a machine that has but one address.
    for address, agent in (("127.64.0.2", A), ("127.64.0.3", B), ("127.64.0.2", A)):
        used(watch, (agent, address), account="")
    for agent in (A, B, A):
        used(watch, (agent, "127.0.0.1"), account="")
    assert found(watch) == []


def test_two_runners_of_a_paper_bot_overlap(floor):
    watch = Watch(floor.store)
    used(watch, (A, "127.64.0.2"), (B, "127.64.0.2"), (A, "127.64.0.2"), account="")
    [row] = watch.violations()
    assert (row["kind"], row["account"]) == ("overlap", "paper at 127.64.0.2")
    assert "aaaa1 and bbbb2" in row["what"]


def test_overlaps_are_seen_over_a_restart_of_the_market(floor):
    watch = Watch(floor.store)
    used(watch, (A, "127.0.0.1"), (B, "127.0.0.1"))
    watch.save(START)
    again = Watch(floor.store)
    used(again, (B, "127.0.0.1"))
    assert found(again) == []
    used(again, (A, "127.0.0.1"))
    assert found(Watch(floor.store)) == [("overlap", 1)]
    assert again.clear_violations() == 1
    assert found(Watch(floor.store)) == []


def test_old_sessions_are_forgotten(floor):
    watch = Watch(floor.store)
    used(watch, (A, "127.0.0.1"))
    watch.save(START + 86_400_001)
    assert watch.sessions() == []


def test_two_ccxt_clients_on_one_key_are_told_apart(tmp_path):
    process = Process(tmp_path)
    key, secret = keys.new_key()

    async def look(client):
        await client.fetch_balance()
        await client.fetch_balance()

    try:
        for agent in (A, B):
            trade(process.base, look, (key, secret), userAgent=agent)
        url = f"{process.base}/practice/v1/violations"
        assert get(url)[1] == []
        trade(process.base, look, (key, secret), userAgent=A)
        [row] = get(url)[1]
        assert (row["kind"], row["account"], row["count"]) == ("overlap", keys.masked(key), 1)
        sessions = get(f"{process.base}/practice/v1/sessions")[1]
        mine = {row["process"]: row for row in sessions if row["account"] == keys.masked(key)}
        assert {name: row["requests"] for name, row in mine.items()} == {"aaaa1": 4, "bbbb2": 2}
        assert mine["aaaa1"]["connections"] == 2
        assert mine["aaaa1"]["agent"] == A
        assert "in use by two at a time" in get(f"{process.base}/")[1]
        assert key not in str(sessions)
        assert ask("DELETE", url)[1] == {"cleared": 1}
    finally:
        process.end()
