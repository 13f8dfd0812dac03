"""The runbook "my platform is down, my bots trade on", command by command, on a real installation.

The platform is killed while a bot holds a position; the exchange lives on. The bots have no grace,
so that what holds after an hour without a platform holds as soon as their lease is over.
"""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain import bot_safety, commands
from app.domain.audit import COMMAND_LINE
from app.domain.revisions import Safety
from app.extensions import db
from app.models import Bot
from tests.kill.house import House
from tests.runner.machine import Practice
from tests.soak import ledgers
from tests.soak.ledgers import _Rows
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook-platform-down.md"
OUT_OF_REACH = "out of reach for longer than the grace time"


def commands_of_the_runbook():
    """Each command for this computer by its name, as it stands in the runbook."""
    blocks = re.findall(r"```sh\n# local: (.+)\n((?:.*\n)+?)```", RUNBOOK.read_text())
    return dict(blocks)


def follow(name, house, **settings):
    """Type what the runbook says; what it printed."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "VAR_DIR": str(house.var),
        **{key: str(value) for key, value in settings.items()},
    }
    done = subprocess.run(
        ["bash", "-euc", commands_of_the_runbook()[name]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Journal:
    """A machine's own records, read from its disk."""

    def __init__(self, place):
        self.place = place

    def _all(self, query):
        return _Rows(self.place / "disk" / "journal.sqlite").all(query)

    def held(self):
        """Whether the fills of this machine leave a position open."""
        held = Decimal(0)
        for row in self._all("SELECT body FROM fills"):
            fill = json.loads(row["body"])
            held += Decimal(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
        return held != 0

    def told(self, kind):
        """What of this kind waits to be told, with its moment."""
        rows = self._all(f"SELECT at, data FROM events WHERE kind = '{kind}' ORDER BY seq")
        return [(datetime.fromisoformat(row["at"]), json.loads(row["data"])) for row in rows]

    def cut_off_at(self):
        """When it first decided against an entry because the platform is away."""
        found = (at for at, told in self.told("decision") if OUT_OF_REACH in told["reason"])
        return next(found, None)

    def entries_since(self, moment):
        """Entries decided after that."""
        orders = [told for _, told in self.told("order") if told["purpose"] == "entry"]
        return [it for it in orders if datetime.fromisoformat(it["decided_at"]) > moment]


@pytest.fixture
def market(tmp_path):
    """The exchange is no part of the platform: it does not go down with it."""
    with Practice(tmp_path / "market") as process:
        yield process


@pytest.fixture
def house(tmp_path, market):
    made = House(tmp_path)
    made.settings["EXCHANGE_ENDPOINTS"] = json.dumps({"practice": market.url})
    made.start()
    yield made
    if made.process.poll() is None:
        made.stop()
    assert made.machines() == {}


def give_no_grace(house):
    now = datetime.now(UTC)
    with house.rows():
        for bot in db.session.scalars(select(Bot)):
            bot_safety.prepare(bot, None, Safety(grace_minutes=0), by=COMMAND_LINE, now=now)


def heard(house):
    with house.looking():
        return not any(commands.pending(bot) for bot in db.session.scalars(select(Bot.id)))


def journals(house):
    return [Journal(path.parent) for path in sorted(house.var.glob("machines/*/pid"))]


def kill_the_platform(house):
    """All of it at once, without a last word; its machines are nobody's children."""
    house.process.send_signal(signal.SIGKILL)
    house.process.wait(PATIENCE)


def books(house, market, place):
    """The three ledgers where the comparison looks for them."""
    place.mkdir()
    for name in ("plutarc.db", "machines", "machines-past"):
        (place / name).symlink_to(house.var / name)
    (place / "practice").symlink_to(market)
    return place


@pytest.mark.timeout(1800)
def test_the_runbook_holds_while_the_platform_is_down_and_after(house, tmp_path):
    house.furnish()
    give_no_grace(house)
    until("every bot heard of its grace", lambda: heard(house))
    until("first fills", lambda: house.trading({}))
    until("a position", lambda: any(journal.held() for journal in journals(house)))
    kill_the_platform(house)

    until("no entries any more", lambda: all(it.cut_off_at() for it in journals(house)))
    until("all is closed", lambda: not any(journal.held() for journal in journals(house)))
    listed = follow("list the machines", house)
    assert listed.count("  is ") == len(journals(house)) == 3
    for journal in journals(house):
        said = follow("what a machine holds", house, MACHINE=journal.place)
        assert "nothing" in said
        assert int(re.search(r"(\d+) events wait", said)[1]) > 0
        assert journal.entries_since(journal.cut_off_at()) == []
    stopped = journals(house)[0].place
    follow("stop one machine", house, MACHINE=stopped)
    until("it has ended", lambda: stopped.name not in house.machines())

    before = house.fills()
    house.start()
    until("every bot trades again", lambda: house.trading(before))
    backup = tmp_path / "newest.db"
    follow("make a backup", house, BACKUP=backup)
    house.quiet()
    until("every bot is asleep", house.asleep)
    assert ledgers.compare(books(house, tmp_path / "market", tmp_path / "books")) == []
    assert house.broken_chains() == {}

    house.stop()
    follow("put a backup in place", house, BACKUP=backup)
    house.start()
    known = house.fills()
    until("the backup's bots trade again", lambda: house.trading(known))


def test_every_command_for_this_computer_is_followed_above():
    source = Path(__file__).read_text()
    for name in commands_of_the_runbook():
        assert f'follow("{name}"' in source, f"nothing runs what the runbook says to {name}"
