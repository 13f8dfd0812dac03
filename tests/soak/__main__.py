"""``python -m tests.soak MINUTES=60 BOTS=6 SEED=7``: live through random faults, then audit all.

Exit code 1 if any ledger differs, anything stands twice, or a bot does not come back.
"""

import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests import results
from tests.kill.house import Watcher
from tests.soak import ledgers, report, tally
from tests.soak.home import Home
from tests.soak.weather import Weather

PAUSE = (0.5, 4.0)
RECOVERY_SECONDS = 240


def say(text):
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


class Stuck(Exception):
    """Something did not come about in time."""


def until(what, look, seconds=RECOVERY_SECONDS):
    """Wait for it. Raises ``Stuck``."""
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            raise Stuck(f"in vain waited {seconds} s until {what}")
        time.sleep(0.5)


def weather(home, outcome, chance):
    """Random events for the given time."""
    drawn = Weather(home, chance, say)
    outcome.kills, outcome.faults, outcome.presses = drawn.kills, drawn.faults, drawn.presses
    end = time.monotonic() + outcome.minutes * 60
    while time.monotonic() < end:
        time.sleep(chance.uniform(*PAUSE))
        drawn.settle()
        drawn.strike()
        home.keep_disks()
    drawn.clear()


def settle(home):
    """Everything comes back, every bot trades once more, then all of them sleep."""
    until("every program was back", lambda: not home.missing())
    until("the market answered", lambda: home.market_says("DELETE", "faults") is not None)
    home.release()
    before, expected = home.fills(), home.around_the_clock()

    def traded():
        now = home.fills()
        return all(now.get(bot, 0) > before.get(bot, 0) for bot in expected)

    until("every bot traded again", traded)
    home.quiet()
    until("every bot was asleep", home.asleep)


def audit(home, watcher):
    """Everything that is wrong, in words."""
    home.sort_disks()
    found = ledgers.compare(home.var)
    found += [f"two runners of {bot} at once: {pids}" for bot, pids in watcher.doubled]
    found += [
        f"audit chain {chain} breaks at event {seq}" for chain, seq in home.broken_chains().items()
    ]
    for violation in home.market_says("GET", "violations"):
        found.append(f"violation at the market: {violation}")
    return found


def soak(home, outcome, chance):
    home.furnish()
    until("the first fills", home.fills)
    watcher = Watcher(home.var)
    watcher.start()
    weather(home, outcome, chance)
    began = time.monotonic()
    try:
        settle(home)
    except Stuck as stuck:
        outcome.differences.append(f"{stuck}; phases: {home.phases()}")
    outcome.settled = time.monotonic() - began
    watcher.end()
    outcome.runners, outcome.looks = len(watcher.seen), watcher.looks
    outcome.differences += audit(home, watcher)


def main(arguments):
    wishes = dict(argument.split("=", 1) for argument in arguments)
    outcome = report.Outcome(
        seed=int(wishes.get("SEED") or random.randrange(10**6)),
        minutes=float(wishes.get("MINUTES") or 60),
        bots=int(wishes.get("BOTS") or 6),
        started=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )
    name = results.commit()
    folder = Path(tempfile.mkdtemp(prefix="plutarc-soak-"))
    say(f"SEED={outcome.seed}, {outcome.minutes:g} minutes, {outcome.bots} bots, in {folder}")
    home = Home(folder, outcome.bots, outcome.minutes).start()
    try:
        soak(home, outcome, random.Random(outcome.seed))
    finally:
        home.stop()
    page = report.page(outcome, tally.of(home.var), tally.endings(home.var), name)
    path = results.write("soak", name, page)
    for difference in outcome.differences:
        say(f"DIFFERENCE {difference}")
    say(f"{len(outcome.differences)} differences; the report is {path}")
    if outcome.differences:
        say(f"what was left lies in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
