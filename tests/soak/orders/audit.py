"""What three ledgers must agree upon after an order soak, and what of it is counted for a page."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

from tests.soak import ledgers
from tests.soak.orders.naked import Change, Stop, Told, naked, unreported

LEAST_MS = 1000
GRACE_MS = 15_000
"""A runner that was dead can tell of a missing stop only when it is back and has looked."""


def violations(office):
    """What the market saw that must never happen."""
    return [f"violation at the market: {it}" for it in office.market_says("GET", "violations")]


def audit(var, outcome):
    """Compare everything, count everything."""
    for story in ledgers.stories(var):
        told = [*story.money(), *_every_intent_has_an_end(story)]
        outcome.differences += [f"{story.bot_name}: {fault}" for fault in told]
        _count(story, outcome.counts)
        _look_at_stops(story, outcome)


def _every_intent_has_an_end(story):
    """On the disks that are left, the same as on the platform; of its rows ``money`` asks as much.

    What a lost disk left open, the next machine ended, or it had ended untold and without a fill:
    nothing rests at the venue, and every fill was told.
    """
    rows = {row["client_id"]: row for row in story.orders}
    for journal in story.journals:
        if "machines-past" in journal.path.parts:
            continue
        for row in journal.all("SELECT client_id, status, body FROM orders"):
            name, status = row["client_id"], row["status"]
            known = rows.get(name)
            if status in ledgers.ALIVE:
                yield f"order {name} is {status} for ever on {journal.path.parts[-3]}"
            elif known is None:
                yield f"order {name} on {journal.path.parts[-3]} was never told"
            else:
                body = json.loads(row["body"])
                here = status, Decimal(body["filled"])
                there = known["status"], Decimal(known["filled"])
                if here != there:
                    yield f"order {name} is {here} on the disk, {there} on the platform"


def _count(story, counts):
    counts["orders on the platform"] += len(story.orders)
    counts["fills on the platform"] += len(story.fills)
    counts["machines"] += len(story.machines)
    venue, fills = story.venue_orders(), list(story.venue_fills())
    counts["orders at the venue"] += len(venue)
    counts["fills at the venue"] += len(fills)
    counts["fees at the venue"] += sum((Decimal(fill["fee"]) for fill in fills), Decimal(0))
    told = (Decimal(row["fee"]) for row in story.fills)
    counts["fees on the platform"] += sum(told, Decimal(0))
    names = {
        row["client_id"]
        for journal in story.journals
        for row in journal.all("SELECT client_id FROM orders")
    }
    counts["orders on the disks"] += len(names)
    for row in story.orders:
        kind = f"{row['kind']} {row['purpose']}"
        counts[f"kind {kind}"] += 1
        counts[f"end {row['status']}"] += 1


# -- stops ----------------------------------------------------------------------------------------


def _look_at_stops(story, outcome):
    changes, stops = defaultdict(list), defaultdict(list)
    for fill in story.venue_fills():
        changes[fill["symbol"]].append(Change(fill["time"], _signed(fill)))
    for stop in story.venue_stops():
        until = None if stop["status"] == "NEW" else stop["updated"]
        stops[stop["symbol"]].append(Stop(stop["created"], until, -_signed(stop)))
    told = _told(story)
    late = _told_late(story)
    end = int(datetime.now(UTC).timestamp() * 1000)
    for symbol, moves in changes.items():
        found = naked(moves, stops[symbol], end)
        outcome.naked += [time for time in found if time.until - time.since >= LEAST_MS]
        afterwards = [at for name, at in late if name == symbol]
        silent = unreported(found, told, afterwards, LEAST_MS, GRACE_MS)
        outcome.told_of_stops += len(told)
        outcome.differences += [
            f"{story.bot_name}: {time.seconds:.1f} s without a stop from {time.since} on "
            f"were reported to nobody"
            for time in silent
        ]


def _signed(row):
    quantity = Decimal(row["qty"])
    return quantity if row["side"] == "BUY" else -quantity


def _told(story):
    query = "SELECT state, reported_at FROM told_protection WHERE bot_id = ? ORDER BY rowid"
    found = story.platform.all(query, story.bot)
    return [Told(_ms(row["reported_at"]), row["state"]) for row in found]


def _told_late(story):
    """The venue's symbol and the moment of each warning that the last entry had no stop."""
    query = "SELECT message, at FROM runner_notice WHERE bot_id = ? AND code = 'stop_late'"
    rows = story.platform.all(query, story.bot)
    return [(_venue_symbol(row["message"]), _ms(row["at"])) for row in rows]


def _venue_symbol(message):
    """``ETHUSDT`` of ``ETH/USDT:USDT: what is said of it``."""
    return message.partition(":")[0].replace("/", "")


def _ms(moment):
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)
