"""The platform of an order soak: rows, a gate that is served as ever, the practice market.

There is no planner: the soak itself says when a machine is lost and which comes next.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import wraps

import requests
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from app import create_app
from app.config import Config
from app.domain import bots, commands, machines
from app.domain.audit import COMMAND_LINE
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import Bot, BotAddress, BotCompute, Machine, OrderRow, Phase
from app.supervisor.ground import DEFAULT_PORTS
from app.supervisor.house import draw
from runner.protocol import CommandKind, Mode, PositionState
from tests import factories
from tests.bench import horses
from tests.e2e.conftest import ROOT
from tests.kill.house import SYMBOLS, children
from tests.services import die_with_parent, free_port
from tests.waiting import PATIENCE, until

_HISTORY = (
    "CREATE TABLE told_protection (bot_id, symbol, state, reported_at)",
    *(
        f"CREATE TRIGGER told_{verb} AFTER {verb} ON protection BEGIN INSERT INTO told_protection "
        "VALUES (NEW.bot_id, NEW.symbol, NEW.state, NEW.reported_at); END"
        for verb in ("insert", "update")
    ),
)
"""The platform keeps the newest word on a stop alone; here every one is kept."""


def patient(work):
    """Try again while others keep the database of one file to themselves."""

    @wraps(work)
    def trying(*arguments):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return work(*arguments)
            except OperationalError:
                if time.monotonic() > end:
                    raise

    return trying


class Office:
    """Everything but the runners."""

    def __init__(self, folder):
        self.var = folder / "var"
        self.var.mkdir(parents=True)
        ports = {name: free_port() for name in DEFAULT_PORTS}
        (self.var / "ports.json").write_text(json.dumps(ports))
        self.house = draw({"DEMO": "0"}, self.var)
        self.market = f"http://127.0.0.1:{ports['practice']}"
        self.gate = f"http://127.0.0.1:{ports['gate']}"
        config = Config.from_environment({"VAR_DIR": str(self.var)}, "cli")
        self.app = create_app(config, "worker")
        self.programs = {}
        self._ports = ports

    def start(self):
        with self.rows():
            db.create_all()
            for statement in _HISTORY:
                db.session.execute(text(statement))
        inherited = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
        market = [sys.executable, "-m", "tests.soak.orders.market", "--dir"]
        market += [str(self.var / "practice"), "--port", str(self._ports["practice"])]
        self._run("practice", market, inherited)
        # One thread: who waits for the lock of a single file is served in no order, and some never.
        gate = list(self.house.gate.command)
        gate[gate.index("--threads") + 1] = "1"
        self._run("gate", gate, inherited | dict(self.house.gate.environment))
        until("the market answers", lambda: self.market_says("GET", "health"))
        until("the gate answers", lambda: _answers(f"{self.gate}/healthz"))
        return self

    def _run(self, name, command, environment):
        with (self.var / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
            )

    def stop(self):
        for program in self.programs.values():
            program.terminate()
            with suppress(subprocess.TimeoutExpired):
                program.wait(PATIENCE)
            program.kill()
            program.wait()

    def worked(self):
        """Processor seconds so far: of market, gate, the runners, and the soak itself."""
        own = os.getpid()
        found = {name: _worked(one.pid) for name, one in self.programs.items()}
        known = {one.pid for one in self.programs.values()}
        runners = sum(_worked(pid) for pid in children(own) if pid not in known)
        return found | {"runners": runners, "soak": horses.worked(own)}

    def market_says(self, method, path, **options):
        """Its answer, or ``None`` where it gives none."""
        with suppress(requests.RequestException):
            url = f"{self.market}/practice/v1/{path}"
            answer = requests.request(method, url, timeout=PATIENCE, **options)
            assert answer.ok, (answer.status_code, answer.text)
            return answer.json()
        return None

    # -- rows -------------------------------------------------------------------------------------

    @contextmanager
    def rows(self):
        """A transaction of the platform's."""
        with self.app.app_context():
            yield Sealer(self.app.extensions["plutarc"].seal_public_key)
            db.session.commit()
            db.session.remove()

    @contextmanager
    def looking(self):
        """The same for reading alone, which waits for nobody who writes."""
        with self.rows():
            db.session.connection(execution_options={"read_only": True})
            yield

    def furnish(self, count):
        """That many bots, each on a testnet account and with an address of its own; their ids."""
        now = datetime.now(UTC)
        with self.rows() as sealer:
            place = factories.organisation(factories.user("Olga", now=now), now=now)
            version = factories.strategy(place, now=now).latest
            made = []
            for number in range(count):
                connection = factories.connection(place, sealer, now, f"account {number}")
                bot = factories.bot(
                    place,
                    now=now,
                    name=f"{number:02}",
                    version=version,
                    mode=Mode.TESTNET,
                    symbols=(SYMBOLS[number % len(SYMBOLS)],),
                    connection=connection,
                )
                bots.start(bot, by=COMMAND_LINE, now=now)
                address = f"127.64.{number // 200}.{number % 200 + 1}"
                keys = {"bot_id": bot.id, "workspace_id": bot.workspace_id, "reserved_at": now}
                db.session.add(BotAddress(name=f"ip-{number}", region="local", ip=address, **keys))
                made.append(bot.id)
        return made

    @patient
    def machine(self, bot_id):
        """The next generation of a bot's machine in the place of the last; what it is told."""
        now, token = datetime.now(UTC), secrets.token_urlsafe(24)
        with self.rows():
            compute = db.session.get_one(BotCompute, bot_id, with_for_update=True)
            former = machines.current_machine(bot_id)
            if former is not None:
                former.dead_at = former.gone_at = now
                db.session.flush()
            compute.generation, compute.phase = compute.generation + 1, Phase.READY
            machine = Machine(
                workspace_id=compute.workspace_id,
                bot_id=bot_id,
                generation=compute.generation,
                name=f"b-{bot_id[-12:]}-g{compute.generation}",
                region="local",
                ip=db.session.get_one(BotAddress, bot_id).ip,
                token_hash=machines.token_digest(token),
                created_at=now,
                running_at=now,
            )
            db.session.add(machine)
            variables = {
                "PLUTARC_GATE": self.gate,
                "PLUTARC_BOT": bot_id,
                "PLUTARC_GENERATION": str(machine.generation),
                "PLUTARC_TOKEN": token,
                "PLUTARC_SOURCE_ADDRESS": machine.ip,
            }
            return machine.name, variables

    @patient
    def ask_to_sleep(self, bot_id):
        """No entries any more, and nothing left.

        The phase tells the same to a runner that claims only after this: its claim outdates orders.
        """
        with self.rows():
            bot = db.session.get_one(Bot, bot_id)
            db.session.get_one(BotCompute, bot_id, with_for_update=True).phase = Phase.DRAINING
            for kind in (CommandKind.DRAIN, CommandKind.FLATTEN):
                commands.send(bot, kind, datetime.now(UTC))

    @patient
    def may_sleep(self):
        """Bots whose machines say that they are drained and flat, and have told everything."""
        with self.looking():
            flat = (Machine.position_state == PositionState.FLAT, Machine.open_orders == 0)
            query = select(Machine).where(Machine.gone_at.is_(None), Machine.drained, *flat)
            found = db.session.scalars(query)
            return {m.bot_id for m in found if not (m.health or {}).get("backlog", 1)}

    @patient
    def orders(self):
        """How many orders the platform was told of."""
        with self.looking():
            return db.session.scalar(select(func.count()).select_from(OrderRow))


def _worked(pid):
    """Of a process and all its children, alive or not; one may end as it is looked at."""
    with suppress(OSError):
        return horses.worked(pid) + sum(_worked(child) for child in children(pid))
    return 0.0


def _answers(url):
    with suppress(requests.RequestException):
        return requests.get(url, timeout=PATIENCE).ok
    return False
