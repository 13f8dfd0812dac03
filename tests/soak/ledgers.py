"""Three ledgers of one story, compared to the last unit: runners' disks, practice market, platform.

Reads files alone and imports nothing of what it judges. Call it when every bot is asleep: while
one trades, the ledgers differ by what is on its way.
"""

import hashlib
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from app.domain.decisions.block import unpacked

ALIVE = ("planned", "sent", "open", "partial", "unknown")


@dataclass(frozen=True)
class Fill:
    """One execution as each of the three tells it; the fee is positive when paid."""

    trade_id: str
    order: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    at: datetime


def compare(var):
    """Every disagreement of an installation whose bots are asleep, in words; empty if none."""
    return [f"{story.bot_name}: {fault}" for story in stories(var) for fault in story.faults()]


def stories(var):
    """What platform, market and disks of an installation tell of each bot."""
    platform = _Rows(Path(var) / "plutarc.db")
    market = _Rows(Path(var) / "practice" / "market.sqlite3")
    journals = [_Rows(path) for path in sorted(Path(var).glob("machines*/*/disk/journal.sqlite"))]
    for bot in platform.all("SELECT * FROM bot ORDER BY id"):
        yield Story(bot, platform, market, journals)


class _Rows:
    """One SQLite file, read only; open while it is read, as there may be hundreds of disks."""

    def __init__(self, path):
        self.path = path

    def all(self, query, *values):
        with closing(
            sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        ) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def note(self, name):
        found = self.all("SELECT value FROM notes WHERE name = ?", name)
        return json.loads(found[0]["value"]) if found else None


class Story:
    """What the three ledgers tell of one bot."""

    def __init__(self, bot, platform, market, journals):
        self.bot, self.bot_name = bot["id"], bot["name"]
        self.prefix = f"pl{hashlib.sha256(self.bot.encode()).hexdigest()[:10]}"
        self.platform = platform
        self.market = market
        self.machines = self._own("machine", "generation")
        named = {machine["name"] for machine in self.machines}
        self.journals = [j for j in journals if j.path.parts[-3].split(".")[0] in named]
        self.runs = {run["id"]: run for run in self._own("run", "started_at")}
        self.orders = self._own("bot_order", "number")
        self.fills = self._own("fill", "number")

    def faults(self):
        yield from self.money()
        yield from self._no_entry_upon_a_position()
        yield from self._machines_took_turns()
        yield from self._usage_is_that_of_the_machines()
        yield from self._every_call_outside_is_closed()

    def money(self):
        """What holds of any strategy, whatever made and ended the machines."""
        yield from self._fills_agree()
        yield from self._orders_agree()
        yield from self._nothing_is_held()
        yield from self._disks_agree()
        yield from self._paper_accounts_agree()
        yield from self._trades_are_folded_from_the_fills()
        yield from self._positions_are_flat()
        yield from self._events_were_stored_once()

    # -- orders and fills -----------------------------------------------------------------------

    def _fills_agree(self):
        """What the venue executed and what the platform was told is the same, once each."""
        venue = [_of_venue(fill) for fill in self.venue_fills()]
        told = [_of_row(row) for row in self.fills if not row["trade_id"].startswith("paper:")]
        yield from _differences("fill", "at the venue", venue, "on the platform", told)

    def _orders_agree(self):
        """Every order of the venue is a row with the same outcome; no row is left in the air."""
        rows = {row["client_id"]: row for row in self.orders}
        executed = defaultdict(Decimal)
        for fill in self.fills:
            executed[fill["client_id"]] += Decimal(fill["quantity"])
        venue = self.venue_orders()
        for name in _repeated([order["client_id"] for order in venue]):
            yield f"order {name} stands twice at the venue"
        seen = {order["client_id"] for order in venue}
        yield from (f"order {o['client_id']} still rests" for o in venue if o["live"])
        unknown = seen - rows.keys() - self._died_untold()
        yield from (f"order {name} is unknown to the platform" for name in sorted(unknown))
        for name, row in rows.items():
            if row["status"] in ALIVE:
                yield f"order {name} ({row['purpose']}) is {row['status']} for ever"
            if Decimal(row["filled"]) != executed[name]:
                yield f"order {name} says {row['filled']} filled, its fills say {executed[name]}"
            if self._is_testnet(row) and executed[name] and name not in seen:
                yield f"order {name} was executed, and the venue does not know it"

    def _died_untold(self):
        """Orders that ended without a fill on a machine that died before it could tell of them.

        They moved nothing, and only that machine's disk knows why they were made.
        """
        return {
            json.loads(row["data"])["client_id"]
            for journal in self.journals
            for row in journal.all("SELECT data FROM events WHERE kind = 'order'")
        }

    def _no_entry_upon_a_position(self):
        """A doubled entry would enlarge what is held; this strategy enters when flat."""
        held = Decimal(0)
        entering = None
        for fill in self.venue_fills():
            order = fill["order"]
            if not order["reduce_only"] and held and entering != order["client_id"]:
                yield f"order {order['client_id']} entered on top of {held}"
            entering = order["client_id"] if not order["reduce_only"] else None
            held += _signed(fill)

    def _nothing_is_held(self):
        held = sum((_signed(fill) for fill in self.venue_fills()), Decimal(0))
        if held:
            yield f"{held} is still held at the venue"

    def _disks_agree(self):
        """What a disk holds, the platform holds too: the disks that are still kept."""
        told = {row["trade_id"]: _of_row(row) for row in self.fills}
        lost = self._lost_paper()
        for journal in self.journals:
            for row in journal.all("SELECT body FROM fills"):
                fill = _of_journal(json.loads(row["body"]))
                if fill.trade_id not in told and fill.trade_id not in lost:
                    yield f"fill {fill.trade_id} on {journal.path.parts[-3]} was never told"
                elif fill.trade_id in told and told[fill.trade_id] != fill:
                    yield f"fill {fill.trade_id} differs: {fill} and {told[fill.trade_id]}"

    def _lost_paper(self):
        """Paper fills that died with their machine: paper is its own venue, so nothing has them.

        Such a machine ended without its last word; the next one went on from before the fill.
        """
        found = set()
        for journal in self.journals:
            untold = journal.all("SELECT data FROM events WHERE kind = 'fill'")
            found |= {json.loads(row["data"])["trade_id"] for row in untold}
        return {trade_id for trade_id in found if trade_id.startswith("paper:")}

    def _paper_accounts_agree(self):
        """The last machine's paper balance is the starting balance and all that was told since."""
        for run in self.runs.values():
            last = self._last_journal(run)
            memory = last.note("memory") if last and run["mode"] == "paper" else None
            if not memory or not memory["paper"]:
                continue
            if not memory["account"].endswith("/paper"):
                continue
            trades = [t for t in self._own("trade", "number") if t["run_id"] == run["id"]]
            result = sum((_net(trade) for trade in trades), Decimal(0))
            flows = [f for f in self._own("cash_flow", "number") if f["run_id"] == run["id"]]
            result += sum((Decimal(flow["amount"]) for flow in flows), Decimal(0))
            wanted = Decimal(run["starting_balance"]) + result
            if Decimal(memory["paper"]["balance"]) != wanted:
                yield f"the paper account has {memory['paper']['balance']}, the trades say {wanted}"

    def _last_journal(self, run):
        names = [m["name"] for m in self.machines if m["run_id"] == run["id"]]
        by_name = {j.path.parts[-3].split(".")[0]: j for j in self.journals}
        return by_name.get(names[-1]) if names else None

    # -- what follows from them -----------------------------------------------------------------

    def _trades_are_folded_from_the_fills(self):
        trades = self._own("trade", "number")
        for trade in trades:
            if trade["closed_at"] is None:
                yield f"a trade of {trade['opened_at']} is still open"
        venue = sum(
            (Decimal(f["realized"]) - Decimal(f["fee"]) for f in self.venue_fills()), Decimal(0)
        )
        testnet = [t for t in trades if self._is_testnet(t)]
        told = sum((_net(trade) for trade in testnet), Decimal(0))
        if venue != told:
            yield f"the venue realised {venue}, the trades say {told}"

    def _positions_are_flat(self):
        for row in self._own("position", "symbol"):
            if Decimal(row["quantity"]):
                yield f"the platform believes in a position of {row['quantity']} {row['symbol']}"

    def _events_were_stored_once(self):
        """Rows that nothing makes unique, and the numbers both ends have reached."""
        for table, columns in (
            ("runner_notice", ("run_id", "code", "message", "at")),
            ("fill", ("run_id", "trade_id")),
        ):
            keys = [tuple(row[c] for c in columns) for row in self._own(table, "number")]
            yield from (f"{table} {key} is stored twice" for key in _repeated(keys))
        decided = [
            (block["run_id"], block["symbol"], row.candle_at)
            for block in self._own("decision_block", "number")
            for row in unpacked(bytes(block["body"]))
        ]
        yield from (f"a decision {key} is stored twice" for key in _repeated(decided))
        acknowledged = {m["name"]: m["ack_seq"] for m in self.machines}
        for journal in self.journals:
            name = journal.path.parts[-3].split(".")[0]
            reached = (journal.note("outbox") or {"next": 1})["next"] - 1
            waiting = [row["seq"] for row in journal.all("SELECT seq FROM events ORDER BY seq")]
            if waiting and waiting != list(range(waiting[0], reached + 1)):
                yield f"{name}: events {waiting} do not lead up to {reached}"
            known = waiting[0] - 1 if waiting else reached
            if not known <= acknowledged[name] <= reached:
                yield f"{name}: {acknowledged[name]} acknowledged, the disk says {known}"

    # -- machines -------------------------------------------------------------------------------

    def _machines_took_turns(self):
        addresses = {machine["ip"] for machine in self.machines}
        if len(addresses) > 1:
            yield f"its address changed: {sorted(addresses)}"
        for former, later in pairwise(self.machines):
            if former["gone_at"] is None or former["gone_at"] > later["created_at"]:
                yield f"{later['name']} was made before {former['name']} was gone"
        expected = list(range(1, len(self.machines) + 1))
        if [machine["generation"] for machine in self.machines] != expected:
            yield "a generation is missing"

    def _usage_is_that_of_the_machines(self):
        intervals = self._own("usage_interval", "started_at")
        ran = [m["generation"] for m in self.machines if m["running_at"] is not None]
        of_machines = [i for i in intervals if i["resource"] == "machine"]
        if [interval["generation"] for interval in of_machines] != ran:
            yield f"machines {ran} ran, {[i['generation'] for i in of_machines]} were metered"
        for former, later in pairwise(of_machines):
            if former["ended_at"] is None or former["ended_at"] > later["started_at"]:
                yield f"two machines were metered at once from {later['started_at']}"
        of_addresses = [i for i in intervals if i["resource"] == "address"]
        if [interval["ended_at"] for interval in of_addresses] != [None]:
            yield f"its one address was metered {len(of_addresses)} times, or no longer is"

    def _every_call_outside_is_closed(self):
        for call in self._own("cloud_operation", "started_at"):
            if call["state"] == "intended":
                yield f"{call['kind']} of generation {call['generation']} was never closed"

    # -- reading --------------------------------------------------------------------------------

    def _own(self, table, order):
        query = f"SELECT * FROM {table} WHERE bot_id = ? ORDER BY {order}"
        return self.platform.all(query, self.bot)

    def _is_testnet(self, row):
        return self.runs[row["run_id"]]["mode"] == "testnet"

    def venue_stops(self):
        """Conditional orders with this bot's mark."""
        query = "SELECT body FROM conditional WHERE client_id LIKE ?"
        return [json.loads(row["body"]) for row in self.market.all(query, f"{self.prefix}%")]

    def venue_orders(self):
        """Orders with this bot's mark; a conditional one and the order it became are one."""
        like = f"{self.prefix}%"
        waiting = self.market.all("SELECT * FROM conditional WHERE client_id LIKE ?", like)
        made = {json.loads(row["body"])["order_id"] for row in waiting}
        plain = self.market.all("SELECT * FROM orders WHERE client_id LIKE ?", like)
        return waiting + [row for row in plain if row["id"] not in made]

    def venue_fills(self):
        query = (
            "SELECT f.body AS fill, o.body AS made_by FROM fill f JOIN orders o ON o.id = "
            "f.order_id WHERE o.client_id LIKE ? ORDER BY f.id"
        )
        for row in self.market.all(query, f"{self.prefix}%"):
            yield json.loads(row["fill"]) | {"order": json.loads(row["made_by"])}


def _signed(fill):
    quantity = Decimal(fill["qty"])
    return quantity if fill["side"] == "BUY" else -quantity


def _net(trade):
    gain = Decimal(trade["exit_notional"]) - Decimal(trade["entry_notional"])
    return (gain if trade["side"] == "buy" else -gain) - Decimal(trade["fees"])


def _differences(what, here, left, there, right):
    known_there, known_here = set(right), set(left)
    yield from (f"{what} {here} only: {one}" for one in left if one not in known_there)
    yield from (f"{what} {there} only: {one}" for one in right if one not in known_here)
    for side, known in ((here, left), (there, right)):
        yield from (f"{what} doubled {side}: {one}" for one in _repeated(known))


def _repeated(keys):
    seen = set()
    return [key for key in keys if key in seen or seen.add(key)]


def _of_venue(fill):
    return Fill(
        f"{fill['symbol']}:{fill['id']}",
        fill["order"]["client_id"],
        fill["side"].lower(),
        Decimal(fill["price"]),
        Decimal(fill["qty"]),
        Decimal(fill["fee"]),
        datetime.fromtimestamp(fill["time"] / 1000, UTC),
    )


def _of_row(row):
    return Fill(
        row["trade_id"],
        row["client_id"],
        row["side"],
        *(Decimal(row[name]) for name in ("price", "quantity", "fee")),
        datetime.fromisoformat(row["filled_at"]).replace(tzinfo=UTC),
    )


def _of_journal(body):
    return Fill(
        body["trade_id"],
        body["client_id"],
        body["side"],
        *(Decimal(body[name]) for name in ("price", "quantity", "fee")),
        datetime.fromisoformat(body["at"]),
    )
