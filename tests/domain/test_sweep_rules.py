"""Whose a thing is, and when too many would go: for any cloud and any rows."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain import sweep_rules
from app.domain.sweep_rules import APART, LATELY, MOST, Books, Known, Patience, Whose
from app.gateways.compute.driver import (
    AddressState,
    MachineState,
    SeenAddress,
    SeenDisk,
    SeenMachine,
    Survey,
)
from tests.factories import NOW

BOTS = st.sampled_from(["a", "b", "c"])
GENERATIONS = st.integers(1, 9)
AGES = st.none() | st.integers(0, 7200).map(lambda n: NOW - timedelta(seconds=n))
USERS = st.sampled_from([(), ("b-a-g1",)])
KNOWN = st.builds(
    Known, GENERATIONS, alive=st.booleans(), busy=st.booleans(), stranded=st.booleans()
)
MACHINES = st.builds(
    lambda bot, n, at: SeenMachine(f"b-{bot}-g{n}", "r", "z", MachineState.RUNNING, None, at),
    BOTS,
    GENERATIONS,
    AGES,
)
ADDRESSES = st.builds(
    lambda bot, users, at: SeenAddress(f"b-{bot}-ip", "r", "1", AddressState.RESERVED, users, at),
    BOTS,
    USERS,
    AGES,
)
DISKS = st.builds(
    lambda bot, n, users, at: SeenDisk(f"b-{bot}-g{n}", "r", "z", users, at),
    *(BOTS, GENERATIONS, USERS, AGES),
)
NAMES = st.builds(lambda bot, n: f"b-{bot}-g{n}", BOTS, GENERATIONS)
BOOKS = st.builds(
    Books,
    st.frozensets(NAMES, max_size=4),
    st.frozensets(BOTS.map("b-{}-ip".format), max_size=2),
    st.dictionaries(BOTS.map("bot_{}".format), KNOWN, max_size=3),
    st.integers(0, 4),
    st.frozensets(NAMES, max_size=4),
)
PATIENCE = Patience()


def goes(found):
    return found.whose is Whose.NOBODY and not found.hold


@given(MACHINES, BOOKS)
def test_a_machine_goes_only_if_it_is_old_idle_and_nobody_s(seen, books):
    found = sweep_rules.of_machine(seen, books, NOW, PATIENCE)
    bot = books.bots.get(sweep_rules.bot_of(seen.name))
    if not goes(found):
        return
    assert seen.name not in books.machines
    assert seen.created_at is None or NOW - seen.created_at >= PATIENCE.machine
    assert bot is None or not (bot.busy or bot.stranded)
    assert bot is None or sweep_rules.generation_of(seen.name) <= bot.generation


@given(ADDRESSES, BOOKS)
def test_the_address_of_a_living_bot_never_goes(seen, books):
    found = sweep_rules.of_address(seen, books, NOW, PATIENCE)
    bot = books.bots.get(sweep_rules.bot_of(seen.name))
    if found.whose is Whose.NOBODY:
        assert bot is None or not bot.alive
        assert seen.name not in books.addresses
        assert found.busy == bool(seen.users)
    if bot is not None and bot.alive:
        assert found.whose is Whose.OURS


@given(DISKS, BOOKS)
def test_a_disk_in_use_or_of_a_machine_that_is_known_never_goes(seen, books):
    found = sweep_rules.of_disk(seen, books, NOW, PATIENCE)
    if found.whose is Whose.NOBODY:
        assert not seen.users
        assert seen.name not in books.machines


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 10_000))
def test_few_go_unasked_and_never_more_than_one_in_five(wanted, lately, existing):
    refused = sweep_rules.too_many(wanted, lately, existing)
    if wanted and not refused:
        assert wanted + lately <= MOST
        assert (wanted + lately) * 5 <= existing


@given(st.lists(MACHINES, max_size=6, unique_by=lambda it: it.name), BOOKS)
def test_a_database_that_knows_less_than_the_cloud_is_not_trusted(found, books):
    strangers = [it for it in found if it.name not in books.machines]
    assume(strangers)
    newer = [
        it.name
        for it in strangers
        if (bot := books.bots.get(sweep_rules.bot_of(it.name)))
        and sweep_rules.generation_of(it.name) > bot.generation
    ]
    said = sweep_rules.mistrust(Survey(tuple(found)), books)
    assert bool(said) == (len(found) > books.living or bool(newer))


@given(st.integers(0, 3600), st.integers(1, 5), AGES)
def test_nothing_is_ripe_before_it_was_seen_twice_ten_minutes_apart(seconds, sightings, born):
    first = NOW - timedelta(seconds=seconds)
    if sweep_rules.ripe(first, NOW, sightings, born, PATIENCE.machine):
        assert sightings >= 2
        assert NOW - first >= APART
        assert NOW - (born or first) >= PATIENCE.machine


def test_a_name_that_is_not_ours_is_for_a_person():
    stranger = SeenMachine("db-1", "r", "z", MachineState.RUNNING, None)
    found = sweep_rules.of_machine(stranger, Books(), NOW, PATIENCE)
    assert found.hold
    assert found.why == "its name is not one of ours"
    assert LATELY > APART


def test_a_name_that_no_machine_ever_bore_is_for_a_person():
    seen = SeenMachine("b-a-g1", "r", "z", MachineState.RUNNING, None)
    known = Books(bots={"bot_a": Known(generation=1, alive=True)}, living=1)
    assert sweep_rules.of_machine(seen, known, NOW, PATIENCE).hold
    borne = replace(known, borne=frozenset({seen.name}))
    assert goes(sweep_rules.of_machine(seen, borne, NOW, PATIENCE))
