"""A whole plutarc of its own with as many bots as asked for, each on an account of its own."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import requests
from sqlalchemy import select

from app.domain import accounts, bots, connections, schedule, strategies, workspaces
from app.domain.audit import COMMAND_LINE, Actor
from app.domain.errors import Conflict
from app.extensions import db
from app.models import Bot, Environment
from app.practice.keys import new_key
from runner.protocol import Limits, Mode
from tests.kill.house import SYMBOLS, House, quick

SECONDS = 10
SESSIONS = 18  # a schedule takes 20
SHORTEST_CYCLE = timedelta(seconds=150)
BUTTONS = ("stop", "start", "start", "pause", "resume", "resume", "flatten")


class Home(House):
    """Every other bot trades on testnet; of each three one follows sessions of a few minutes."""

    def __init__(self, folder, count, minutes):
        super().__init__(folder)
        self.count = count
        self.cycle = max(SHORTEST_CYCLE, timedelta(minutes=minutes) / SESSIONS)
        self.kept = self.var / "machines-kept"

    def furnish(self):
        now = datetime.now(UTC)
        with self.rows() as sealer:
            user = accounts.sign_up(
                email="soak@example.com",
                name="Sam",
                password="seven quiet harbours",
                by=COMMAND_LINE,
                now=now,
            )
            user.email_verified_at = now
            by = Actor("user", user.email, user.id)
            place = workspaces.create_organisation("Soak", user, by=by, now=now)
            rules = quick(strategies.template("fast_ema_demo").rules)
            strategy = strategies.create(
                place, name="Quick", rules=rules, author=user, by=by, now=now
            )
            for number in range(self.count):
                plan = self._plan(number, strategy.latest, now)
                if plan["mode"] is Mode.TESTNET:
                    plan["connection"] = _account(place, number, sealer, by, now)
                made = bots.create(place, bots.Blueprint(**plan), author=user, by=by, now=now)
                bots.start(made, by=by, now=now)

    def _plan(self, number, version, now):
        mode = Mode.PAPER if number % 2 else Mode.TESTNET
        sessions = number % 3 == 1
        return {
            "name": f"{number} {mode.value} {'sessions' if sessions else 'always'}",
            "exchange": "practice",
            "symbols": (SYMBOLS[number % len(SYMBOLS)],),
            "version": version,
            "mode": mode,
            "schedule": self._sessions(now) if sessions else schedule.ALWAYS,
            "starting_balance": Decimal(10_000),
            "limits": Limits(),
        }

    def _sessions(self, now):
        """Open for 60 % of each cycle, from now on, as long as a schedule can say."""

        def session(number):
            opens = now + number * self.cycle
            ends = (opens, opens + self.cycle * 0.6)
            return schedule.session(list(range(7)), *(f"{end:%H:%M:%S}" for end in ends))

        return schedule.schedule("UTC", [session(number) for number in range(SESSIONS + 1)])

    # -- buttons ----------------------------------------------------------------------------------

    def press(self, button, chance):
        """Press a button of one bot as a person would; returns what happened."""
        with self.rows():
            bot = chance.choice(db.session.scalars(select(Bot).order_by(Bot.name)).all())
            try:
                getattr(bots, button)(bot, by=COMMAND_LINE, now=datetime.now(UTC))
            except Conflict:
                return f"{button} refused to {bot.name}"
            return f"{button} {bot.name}"

    def release(self):
        """Have every bot free to trade."""
        now = datetime.now(UTC)
        with self.rows():
            for bot in db.session.scalars(select(Bot)):
                bots.resume(bot, by=COMMAND_LINE, now=now)
                bots.start(bot, by=COMMAND_LINE, now=now)

    def around_the_clock(self):
        """Bots that should trade at any time, by id."""
        with self.rows():
            rows = db.session.scalars(select(Bot))
            return {bot.id for bot in rows if schedule.from_plain(bot.schedule).always}

    # -- practice market --------------------------------------------------------------------------

    def market_says(self, method, path, **options):
        """Its answer, or ``None`` while it is down."""
        with suppress(requests.RequestException):
            url = f"{self.market}/practice/v1/{path}"
            answer = requests.request(method, url, timeout=SECONDS, **options)
            assert answer.ok, (answer.status_code, answer.text)
            return answer.json()
        return None

    # -- disks ------------------------------------------------------------------------------------

    def keep_disks(self):
        """Copy disks of machines that are gone before the platform throws away the oldest."""
        for place in (self.var / "machines-past").glob("*"):
            if not (self.kept / place.name).exists():
                with suppress(shutil.Error, FileNotFoundError):
                    shutil.copytree(place, self.kept / place.name)

    def sort_disks(self):
        """Leave each disk once: the copy only where the original is gone."""
        self.keep_disks()
        for place in self.kept.glob("*"):
            if (self.var / "machines-past" / place.name).exists():
                shutil.rmtree(place)


def _account(place, number, sealer, by, now):
    """A testnet account of the bot's own: the market holds two runners on one for an overlap."""
    key, secret = new_key()
    return connections.create(
        place,
        exchange="practice",
        environment=Environment.TESTNET,
        label=f"account {number}",
        fields={"api_key": key, "secret": secret},
        sealer=sealer,
        author=None,
        by=by,
        now=now,
    )
