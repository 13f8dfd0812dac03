"""A whole plutarc under fire: found, killed and watched process by process."""

import os
import signal
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import requests
from sqlalchemy import select

from app import create_app
from app.config import Config
from app.domain import accounts, audit_chain, bots, connections, schedule, strategies, workspaces
from app.domain.audit import COMMAND_LINE, Actor
from app.domain.errors import Conflict
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, Bot, BotCompute, Environment, FillRow, Phase
from app.practice.keys import new_key
from runner.protocol import Limits, Mode
from tests.e2e.conftest import Installation
from tests.waiting import PATIENCE

SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
PROGRAMS = {
    "web": b"wsgi:create_app()",
    "gate": b"role='gate'",
    "worker": b"app.jobs.worker",
    "ticker": b"app.jobs.ticker",
    "redis": b"redis.sock",
    "practice": b"app.practice",
}
VICTIMS = ("web", "web child", "gate", "gate child", "worker", "worker child", "ticker", "redis")
VICTIMS += ("practice", "runner")


class House(Installation):
    """An installation with three bots that trade every few seconds."""

    def __init__(self, folder):
        super().__init__(folder, DEMO="0")

    @cached_property
    def app(self):
        """The application, to look at rows and to press buttons with; serves nothing."""
        return create_app(Config.from_environment({"VAR_DIR": str(self.var)}, "cli"), "worker")

    @contextmanager
    def rows(self):
        """A transaction on the platform's database, as a person's click would make it."""
        with self.app.app_context():
            yield Sealer(self.app.extensions["plutarc"].seal_public_key)
            db.session.commit()
            db.session.remove()
            db.engine.dispose()

    @contextmanager
    def looking(self):
        """The same for reading alone, which waits for nobody who writes."""
        with self.rows():
            db.session.connection(execution_options={"read_only": True})
            yield

    def furnish(self):
        """Two bots on testnet accounts of their own, one on paper."""
        now = datetime.now(UTC)
        with self.rows() as sealer:
            user = accounts.sign_up(
                email="kill@example.com",
                name="Kim",
                password="seven quiet harbours",
                by=COMMAND_LINE,
                now=now,
            )
            user.email_verified_at = now
            by = Actor("user", user.email, user.id)
            place = workspaces.create_organisation("Range", user, by=by, now=now)
            rules = quick(strategies.template("fast_ema_demo").rules)
            strategy = strategies.create(
                place, name="Quick", rules=rules, author=user, by=by, now=now
            )
            for number, symbol in enumerate(SYMBOLS):
                testnet = number < 2
                connection = self._connect(place, symbol, user, sealer, now) if testnet else None
                plan = bots.Blueprint(
                    name=f"{'testnet' if testnet else 'paper'} {symbol[:3]}",
                    exchange="practice",
                    symbols=(symbol,),
                    version=strategy.latest,
                    mode=Mode.TESTNET if testnet else Mode.PAPER,
                    schedule=schedule.ALWAYS,
                    starting_balance=Decimal(10_000),
                    limits=Limits(),
                    connection=connection,
                )
                bot = bots.create(place, plan, author=user, by=by, now=now)
                bots.start(bot, by=by, now=now)

    def _connect(self, place, label, user, sealer, now):
        key, secret = new_key()
        return connections.create(
            place,
            exchange="practice",
            environment=Environment.TESTNET,
            label=label,
            fields={"api_key": key, "secret": secret},
            sealer=sealer,
            author=user,
            by=COMMAND_LINE,
            now=now,
        )

    def quiet(self):
        """Ask every bot to close what it holds and to sleep until started again."""
        now = datetime.now(UTC)
        with self.rows():
            for bot in db.session.scalars(select(Bot)):
                with suppress(Conflict):
                    bots.flatten(bot, by=COMMAND_LINE, now=now)
                bots.stop(bot, by=COMMAND_LINE, now=now)

    def phases(self):
        with self.looking():
            return {row.bot_id: row.phase for row in db.session.scalars(select(BotCompute))}

    def fills(self):
        """How many fills the platform knows, by bot."""
        with self.looking():
            counted = select(FillRow.bot_id, db.func.count()).group_by(FillRow.bot_id)
            return dict(db.session.execute(counted).all())

    def asleep(self):
        return set(self.phases().values()) == {Phase.ASLEEP}

    def trading(self, more_than):
        """Whether every bot has more fills than at that count."""
        now = self.fills()
        return len(now) == len(SYMBOLS) and all(n > more_than.get(b, 0) for b, n in now.items())

    def violations(self):
        """What the practice market saw that must never happen, such as two runners in turns."""
        return requests.get(f"{self.market}/practice/v1/violations", timeout=PATIENCE).json()

    def broken_chains(self):
        """Audit chains that do not verify, with the number of the first bad link."""
        with self.looking():
            found = {}
            for chain in db.session.scalars(select(AuditEvent.chain).distinct()).all():
                events = select(AuditEvent).where(AuditEvent.chain == chain)
                broken = audit_chain.first_break(
                    db.session.scalars(events.order_by(AuditEvent.seq))
                )
                if broken is not None:
                    found[chain] = broken
            return found

    # -- processes --------------------------------------------------------------------------------

    def pids(self, victim):
        """The processes of that name now; ``worker child`` lives for an instant only."""
        if victim == "runner":
            return [pid for pid, _ in runners(self.var)]
        name, _, child = victim.partition(" ")
        heads = [pid for pid in children(self.process.pid) if PROGRAMS[name] in command(pid)]
        return [pid for head in heads for pid in children(head)] if child else heads

    def kill(self, victim, chance, patience=6.0):
        """``kill -9`` one process of that name; whether there was one."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            found = self.pids(victim)
            if found:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(found), signal.SIGKILL)
                    return True
            time.sleep(0.001)
        return False

    def missing(self):
        """Programs that do not run."""
        return [name for name in PROGRAMS if not self.pids(name)]


def quick(rules):
    """The demo's strategy, entering on a shorter cross and leaving after four candles."""
    signals = [part | {"params": {"fast": 2, "slow": 4}} for part in rules["signals"]]
    exits = [part for part in rules["exits"] if part["kind"] != "time_stop"]
    soon = {"kind": "time_stop", "enabled": True, "params": {"candles": 4}}
    return rules | {"signals": signals, "exits": [*exits, soon]}


class Watcher(threading.Thread):
    """Looks again and again whether any bot has two runners; remembers each time it did."""

    def __init__(self, var):
        super().__init__(daemon=True)
        self.var = var
        self.looks = 0
        self.seen = set()
        self.doubled = []
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(0.03):
            self.looks += 1
            alive = defaultdict(list)
            for pid, bot in runners(self.var):
                alive[bot].append(pid)
                self.seen.add(pid)
            self.doubled += [(bot, pids) for bot, pids in alive.items() if len(pids) > 1]

    def end(self):
        self._over.set()
        self.join()


def runners(var):
    """Processes that run a bundle of this installation, with the bot each one is."""
    mark = str(var).encode()
    for pid, line in processes():
        words = line.split(b"\0")
        if words[1:2] != [b"-I"] or mark not in words[2] or not words[2].endswith(b".pyz"):
            continue
        for pair in read(f"/proc/{pid}/environ").split(b"\0"):
            if pair.startswith(b"PLUTARC_BOT="):
                yield pid, pair.partition(b"=")[2].decode()


def processes():
    for place in Path("/proc").glob("[0-9]*"):
        line = command(place.name)
        if line:
            yield int(place.name), line


def children(pid):
    """Processes that this one started and that still exist, by id."""
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


def command(pid):
    return read(f"/proc/{pid}/cmdline")


def read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
