"""The demo: one organisation with bots that trade, sleep and wake, on play money alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from app.domain import accounts, bots, connections, schedule, strategies, workspaces
from app.domain.audit import COMMAND_LINE, Actor
from app.domain.demo_desk import Desk
from app.domain.schedule import Schedule
from app.domain.venues import PRACTICE
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import Bot, Connection, Environment, Role, Strategy, User, Workspace
from app.practice.keys import new_key
from runner.protocol import Limits, Mode

EMAIL = "demo@plutarc.example"
OPERATOR = "operator@plutarc.example"
PASSWORD = "tide and moon"  # noqa: S105 -- printed at every start; a demo never leaves loopback
NAP_AFTER = timedelta(minutes=3)
NAP = timedelta(seconds=75)
CREW = (
    ("Ada Admin", "ada", Role.ADMIN),
    ("Mona Manager", "mona", Role.MANAGER),
    ("Tim Trader", "tim", Role.TRADER),
    ("Vera Viewer", "vera", Role.VIEWER),
)
LIBRARY = ("fast_ema_demo", "ema_trend", "rsi_reversion", "donchian_breakout")


def plant(sealer: Sealer, *, now: datetime) -> bool:
    """Create the demo and its operator; ``False`` if the demo is there already."""
    operator = _known(OPERATOR) or _person(OPERATOR, "Olga Operator", now)
    operator.operator = True
    if _known(EMAIL):
        return False
    user = _person(EMAIL, "Demo Trader", now)
    by = COMMAND_LINE.as_person(user)
    desk = workspaces.create_organisation("Harbour Desk", user, by=by, now=now)
    workspaces.remember(user, desk.id)
    for name, mailbox, role in CREW:
        colleague = _person(f"{mailbox}@plutarc.example", name, now)
        workspaces.add_member(desk, colleague, role, by=by, now=now)
        workspaces.remember(colleague, desk.id)
    scene = _Scene(desk, user, by, now)
    library = {key: scene.strategy(key) for key in LIBRARY}
    connection = scene.connection(sealer)
    fast = library["fast_ema_demo"]
    bitcoin = scene.bot("Bitcoin, around the clock", fast, "BTC/USDT:USDT", started=True)
    scene.bot(
        "Ether, in sessions",
        fast,
        "ETH/USDT:USDT",
        plan=_with_a_nap(now),
        connection=connection,
        started=True,
    )
    scene.bot("Solana, waiting", library["rsi_reversion"], "SOL/USDT:USDT", started=False)
    Desk(desk, user, operator, now).furnish(bitcoin)
    return True


def _known(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email_key == email))


def _person(email: str, name: str, now: datetime) -> User:
    """Somebody whose address nobody has to confirm: there is no such mailbox."""
    made = accounts.sign_up(email=email, name=name, password=PASSWORD, by=COMMAND_LINE, now=now)
    made.email_verified_at = now
    return made


def _with_a_nap(now: datetime) -> Schedule:
    """Open all day but for a short break a few minutes from now, to be watched."""
    closes = (now + NAP_AFTER).replace(microsecond=0)
    opens = closes + NAP
    every_day = list(range(7))
    nap = schedule.session(every_day, opens.strftime("%H:%M:%S"), closes.strftime("%H:%M:%S"))
    return schedule.schedule("UTC", [nap])


@dataclass(frozen=True)
class _Scene:
    """The workspace being furnished."""

    workspace: Workspace
    user: User
    by: Actor
    now: datetime

    def strategy(self, key: str) -> Strategy:
        template = strategies.template(key)
        return strategies.create(
            self.workspace,
            name=template.title,
            rules=template.rules,
            author=self.user,
            by=self.by,
            now=self.now,
            summary=template.summary,
            template_key=key,
        )

    def connection(self, sealer: Sealer) -> Connection:
        key, secret = new_key()
        return connections.create(
            self.workspace,
            exchange=PRACTICE.id,
            environment=Environment.TESTNET,
            label="Practice account",
            fields={"api_key": key, "secret": secret},
            sealer=sealer,
            author=self.user,
            by=self.by,
            now=self.now,
        )

    def bot(
        self,
        name: str,
        strategy: Strategy,
        symbol: str,
        *,
        started: bool,
        plan: Schedule = schedule.ALWAYS,
        connection: Connection | None = None,
    ) -> Bot:
        blueprint = bots.Blueprint(
            name=name,
            exchange=PRACTICE.id,
            symbols=(symbol,),
            version=strategy.latest,
            mode=Mode.TESTNET if connection else Mode.PAPER,
            schedule=plan,
            starting_balance=Decimal(10_000),
            limits=Limits(max_position_notional=Decimal(5_000), max_daily_loss=Decimal(500)),
            connection=connection,
        )
        bot = bots.create(self.workspace, blueprint, author=self.user, by=self.by, now=self.now)
        if started:
            bots.start(bot, by=self.by, now=self.now)
        return bot
