"""What each ledger counts of each bot, side by side, read from the files alone."""

import hashlib
import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

ZERO = Decimal(0)


@dataclass
class Count:
    """One ledger's view of one bot; quantities in base units, fees in quote currency."""

    orders: set = field(default_factory=set)
    fills: dict = field(default_factory=dict)

    @property
    def quantity(self):
        return sum((fill[0] for fill in self.fills.values()), ZERO)

    @property
    def fees(self):
        return sum((fill[1] for fill in self.fills.values()), ZERO)


@dataclass
class Bot:
    """A bot with its three ledgers and how often it slept."""

    id: str
    name: str
    trades: int = 0
    machines: int = 0
    platform: Count = field(default_factory=Count)
    venue: Count = field(default_factory=Count)
    disks: Count = field(default_factory=Count)


def read(path, query, *values):
    """Rows of a query on one SQLite file, which is not changed."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        return connection.execute(query, values).fetchall()


def of(var):
    """All bots of an installation, by name."""
    var = Path(var)
    found = [Bot(*row) for row in read(var / "plutarc.db", "SELECT id, name FROM bot")]
    for bot in found:
        _platform(bot, var / "plutarc.db")
        _venue(bot, var / "practice" / "market.sqlite3")
        _disks(bot, var)
    return sorted(found, key=lambda bot: bot.name)


def endings(var):
    """Why machines ended, and how often."""
    query = "SELECT end_reason, count(*) FROM machine GROUP BY 1 ORDER BY 2 DESC"
    return dict(read(Path(var) / "plutarc.db", query))


def _platform(bot, path):
    bot.platform.orders = {
        row[0] for row in read(path, "SELECT client_id FROM bot_order WHERE bot_id = ?", bot.id)
    }
    query = "SELECT trade_id, quantity, fee FROM fill WHERE bot_id = ?"
    for name, *amounts in read(path, query, bot.id):
        bot.platform.fills[name] = [Decimal(amount) for amount in amounts]
    (bot.trades,) = read(
        path, "SELECT count(*) FROM trade WHERE bot_id = ? AND closed_at IS NOT NULL", bot.id
    )[0]
    (bot.machines,) = read(path, "SELECT count(*) FROM machine WHERE bot_id = ?", bot.id)[0]


def _venue(bot, path):
    like = f"pl{hashlib.sha256(bot.id.encode()).hexdigest()[:10]}%"
    for table in ("orders", "conditional"):
        query = f"SELECT client_id FROM {table} WHERE client_id LIKE ?"
        bot.venue.orders |= {row[0] for row in read(path, query, like)}
    query = "SELECT f.body FROM fill f JOIN orders o ON o.id = f.order_id WHERE o.client_id LIKE ?"
    for (body,) in read(path, query, like):
        fill = json.loads(body)
        amounts = [Decimal(fill["qty"]), Decimal(fill["fee"])]
        bot.venue.fills[f"{fill['symbol']}:{fill['id']}"] = amounts


def _disks(bot, var):
    names = {
        row[0]
        for row in read(var / "plutarc.db", "SELECT name FROM machine WHERE bot_id = ?", bot.id)
    }
    for path in var.glob("machines*/*/disk/journal.sqlite"):
        if path.parts[-3].split(".")[0] not in names:
            continue
        bot.disks.orders |= {row[0] for row in read(path, "SELECT client_id FROM orders")}
        for name, body in read(path, "SELECT trade_id, body FROM fills"):
            fill = json.loads(body)
            bot.disks.fills[name] = [Decimal(fill["quantity"]), Decimal(fill["fee"])]


def total(bots):
    """Sums over all bots, by ledger and column."""
    sums = defaultdict(int)
    for bot in bots:
        for ledger in ("platform", "venue", "disks"):
            count = getattr(bot, ledger)
            sums[f"{ledger} orders"] += len(count.orders)
            sums[f"{ledger} fills"] += len(count.fills)
        sums["trades"] += bot.trades
        sums["machines"] += bot.machines
    return sums
