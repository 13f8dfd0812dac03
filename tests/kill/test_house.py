"""Everything is killed while bots trade; afterwards three ledgers agree to the last unit.

``KILLS=50`` makes it long, ``SEED`` repeats one run's choice of victims and moments.
"""

import os
import random
import time

import pytest

from tests.kill.house import VICTIMS, House, Watcher
from tests.soak import ledgers
from tests.waiting import until

KILLS = int(os.environ.get("KILLS", "0"))


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path).start()
    yield made
    made.stop()
    assert made.machines() == {}


def salvos(chance):
    """Each program once in random order, the last few together; then as many as were asked for."""
    order = chance.sample(VICTIMS, len(VICTIMS))
    yield from ([victim] for victim in order[:-3])
    yield order[-3:]
    for _ in range(KILLS):
        yield chance.sample(VICTIMS, chance.choice((1, 1, 1, 2, 3)))


@pytest.mark.timeout(900 + 20 * KILLS)
def test_killing_anything_at_any_moment_loses_and_doubles_nothing(house):
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    print(f"SEED={seed}")
    house.furnish()
    until("first fills", lambda: house.trading({}))
    watcher = Watcher(house.var)
    watcher.start()
    for salvo in salvos(chance):
        time.sleep(chance.uniform(0.2, 2.0))
        killed = [victim for victim in salvo if house.kill(victim, chance)]
        print(f"{time.strftime('%H:%M:%S')} killed {killed}")
    until("every program is back", lambda: not house.missing())
    before = house.fills()
    until("every bot trades again", lambda: house.trading(before))
    house.quiet()
    until("every bot is asleep", house.asleep)
    watcher.end()

    assert watcher.doubled == []
    assert house.violations() == []
    assert len(watcher.seen) > 3, "no runner was ever replaced"
    assert house.broken_chains() == {}
    assert ledgers.compare(house.var) == []
