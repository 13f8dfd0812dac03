"""``python -m tests.soak.orders ORDERS=100000 ACCOUNTS=8 SEED=7``: that many orders, under fire.

``BLOW=120``: after how many orders, on average, the next kill, sleep or fault comes.

Each account has a real runner whose strategy is chance. They are killed at random moments and at
each step of an order, their machines are lost or put to sleep, the market has its faults. In the
end journals, market and platform must agree to the last unit, no client order id may stand twice,
every intent must have an end, and a position without a stop must have been reported.
Exit code 1 if anything differs.
"""

import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests import results
from tests.soak.orders import report
from tests.soak.orders.office import Office
from tests.soak.orders.siege import Siege


def say(text):
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def run(folder, outcome):
    """Fill in ``outcome``."""
    office = Office(folder).start()
    try:
        siege = Siege(office, outcome, say)
        try:
            siege.rage()
            siege.settle()
        finally:
            siege.end()
    finally:
        office.stop()
    return outcome


def main(arguments):
    wishes = dict(argument.split("=", 1) for argument in arguments)
    outcome = report.Outcome(
        seed=int(wishes.get("SEED") or random.randrange(10**6)),
        wanted=int(wishes.get("ORDERS") or 100_000),
        accounts=int(wishes.get("ACCOUNTS") or 8),
        orders_a_blow=int(wishes.get("BLOW") or 120),
        started=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )
    name = results.commit()
    folder = Path(tempfile.mkdtemp(prefix="plutarc-orders-"))
    say(f"SEED={outcome.seed}, {outcome.wanted:,} orders of {outcome.accounts} bots, in {folder}")
    run(folder, outcome)
    path = results.write("soak-orders", name, report.page(outcome, name))
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
