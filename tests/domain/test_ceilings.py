"""What a workspace's bots may be, and how much all of them together may risk."""

import threading
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import bot_raises, bots, ceilings, commands, workspaces
from app.domain.ceilings import Ceilings
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, Bot, BotCompute, Wish, Workspace
from runner.protocol import CommandKind, Limits, Mode, PositionState, to_plain
from tests import factories
from tests.domain.test_bots import awake
from tests.factories import NOW, TESTER

ETH = "ETH/USDT:USDT"


@pytest.fixture
def desk(app):
    return factories.organisation()


def bounded(desk, **values):
    ceilings.change(desk, Ceilings(**values), by=TESTER, now=NOW)
    return desk


def holding(amount, loss=None):
    amounts = {"max_position_notional": amount, "max_daily_loss": loss}
    return Limits(**{name: Decimal(value) for name, value in amounts.items() if value})


def started(desk, limits=None, **values):
    bot = factories.bot(desk, limits=limits or Limits(), **values)
    bots.start(bot, by=TESTER, now=NOW)
    return bot


def configured(bot, limits, **values):
    plan = {"name": bot.name, "version": bot.version, "symbols": tuple(bot.symbols)}
    bots.configure(bot, **(plan | values), limits=limits, by=TESTER, now=NOW)


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"modes": (Mode.TESTNET,)}, "Modes allowed here are testnet"),
        ({"symbols": (ETH,)}, "Symbols allowed here are ETH"),
    ],
)
def test_a_bot_outside_is_not_created_and_the_ceiling_is_named(desk, bounds, says):
    bounded(desk, **bounds)
    with pytest.raises(Refused, match=says) as refusal:
        factories.bot(desk)
    assert "Settings, Limits" in str(refusal.value)


def test_a_mode_outside_is_not_switched_to(desk, keys):
    bounded(desk, modes=(Mode.PAPER,))
    account = factories.connection(desk, Sealer(keys.public))
    with pytest.raises(Refused, match="Modes allowed here are paper"):
        bots.switch_mode(factories.bot(desk), Mode.TESTNET, account, by=TESTER, now=NOW)


def test_a_symbol_outside_is_not_configured(desk):
    bot = factories.bot(bounded(desk, symbols=("BTC/USDT:USDT",)))
    with pytest.raises(Refused, match="” has ETH"):
        configured(bot, Limits(), symbols=(ETH,))


def test_an_exchange_outside_is_refused(desk):
    bot = factories.bot(desk)
    desk.ceilings = {"exchanges": ["elsewhere"]}
    with pytest.raises(Refused, match="Exchanges allowed here are elsewhere"):
        bots.start(bot, by=TESTER, now=NOW)


@pytest.mark.parametrize("own", ["max_notional", "max_daily_loss"])
def test_with_a_total_each_bot_that_starts_needs_its_own_limit(desk, own):
    bounded(desk, **{own: Decimal(1000)})
    bot = factories.bot(desk)
    with pytest.raises(Refused, match=f"limit of its own.*{bot.name}"):
        bots.start(bot, by=TESTER, now=NOW)
    assert db.session.scalar(select(Bot.wish).where(Bot.id == bot.id)) is Wish.REST


def test_bots_fit_one_by_one_but_not_together(desk):
    bounded(desk, max_notional=Decimal(1000))
    started(desk, holding(600))
    second = factories.bot(desk, limits=holding(401))
    with pytest.raises(Refused, match="come to 1001"):
        bots.start(second, by=TESTER, now=NOW)
    configured(second, holding(400))
    bots.start(second, by=TESTER, now=NOW)


def test_daily_losses_add_up_as_well(desk):
    bounded(desk, max_daily_loss=Decimal(100))
    started(desk, holding(None, 60))
    with pytest.raises(Refused, match="lose in a day 100"):
        started(desk, holding(None, 50))


def test_symbols_and_open_positions_count_as_the_runner_counts(desk):
    bounded(desk, max_notional=Decimal(1000))
    two = ("BTC/USDT:USDT", ETH)
    with pytest.raises(Refused, match="come to 1200"):
        started(desk, holding(600), symbols=two)
    one_at_once = Limits(max_position_notional=Decimal(600), max_open_positions=1)
    started(desk, one_at_once, symbols=two)


def test_a_running_bot_cannot_be_raised_past_the_total(desk):
    bounded(desk, max_notional=Decimal(1000))
    bot = started(desk, holding(600))
    with pytest.raises(Refused, match="come to 1500"):
        bot_raises.set_limits(bot, holding(1500), by=TESTER, now=NOW)


def taken(desk, *limits, **totals):
    """Bots that trade, and then totals below what they take, as from before they were asked."""
    running = [started(desk, each) for each in limits]
    desk.ceilings = to_plain(Ceilings(**totals))
    db.session.flush()
    return running


def test_raising_one_limit_is_not_kept_by_the_total_of_another(desk):
    totals = {"max_notional": Decimal(500), "max_daily_loss": Decimal(100)}
    bot, _ = taken(desk, holding(400, loss=10), holding(400, loss=10), **totals)
    bot_raises.set_limits(bot, holding(400, loss=20), by=TESTER, now=NOW)
    assert bot.limits["max_daily_loss"] == "20"
    with pytest.raises(Refused, match="hold 500"):
        bot_raises.set_limits(bot, holding(401, loss=20), by=TESTER, now=NOW)
    with pytest.raises(Refused, match="lose in a day 100"):
        bot_raises.set_limits(bot, holding(400, loss=91), by=TESTER, now=NOW)


def test_raising_one_ceiling_is_not_kept_by_another_that_stays(desk):
    low = {"max_notional": Decimal(500), "max_daily_loss": Decimal(100)}
    taken(desk, holding(400, loss=10), holding(400, loss=10), **low, modes=("testnet",))
    kept = {"modes": (Mode.TESTNET,), "max_notional": Decimal(500)}
    ceilings.change(desk, Ceilings(**kept, max_daily_loss=Decimal(200)), by=TESTER, now=NOW)
    lower = Ceilings(**kept, max_daily_loss=Decimal(19))
    with pytest.raises(Refused, match="lose in a day 19") as refusal:
        ceilings.change(desk, lower, by=TESTER, now=NOW)
    assert "hold 500" not in str(refusal.value)


def test_another_symbol_counts_before_it_is_traded(desk):
    bounded(desk, max_notional=Decimal(1000))
    bot = started(desk, holding(600))
    with pytest.raises(Refused, match="come to 1200"):
        configured(bot, holding(600), symbols=("BTC/USDT:USDT", ETH))


def test_a_stopped_bot_counts_until_it_is_known_to_be_flat(desk):
    bounded(desk, max_notional=Decimal(1000))
    bot = started(desk, holding(600))
    awake(bot, PositionState.OPEN)
    bots.stop(bot, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="come to 1200"):
        started(desk, holding(600))


def test_a_stopped_bot_that_never_woke_takes_no_room(desk):
    bounded(desk, max_notional=Decimal(1000))
    bots.stop(started(desk, holding(600)), by=TESTER, now=NOW)
    started(desk, holding(600))


def test_a_ceiling_below_what_trades_is_refused_with_the_list(desk):
    first, second = started(desk, holding(600)), started(desk, holding(300), symbols=(ETH,))
    with pytest.raises(Refused, match=f"“{first.name}” 600, “{second.name}” 300"):
        bounded(desk, max_notional=Decimal(800))
    with pytest.raises(Refused, match=f"“{second.name}” has ETH"):
        bounded(desk, symbols=("BTC/USDT:USDT",))
    bots.stop(second, by=TESTER, now=NOW)
    bounded(desk, max_notional=Decimal(800), symbols=("BTC/USDT:USDT",))


def test_resuming_looks_at_the_ceilings_again(desk):
    bot = started(desk, holding(600))
    bots.pause(bot, by=TESTER, now=NOW)
    desk.ceilings = {"max_notional": "500"}
    with pytest.raises(Refused, match="come to 600"):
        bots.resume(bot, by=TESTER, now=NOW)


def test_stopping_and_pausing_ask_no_ceiling(desk):
    bot = started(desk)
    desk.ceilings = {"max_notional": "1", "modes": ["testnet"]}
    bots.pause(bot, by=TESTER, now=NOW)
    bots.stop(bot, by=TESTER, now=NOW)


def test_a_change_is_one_event_with_a_diff_and_none_if_nothing_changes(desk):
    for _ in range(2):
        bounded(desk, max_notional=Decimal(1000), modes=(Mode.PAPER,))
    query = select(AuditEvent).where(AuditEvent.action == "workspace.ceilings")
    (event,) = db.session.scalars(query)
    assert {change["field"]: change["after"] for change in event.changes} == {
        "max_notional": "1000",
        "modes": ["paper"],
    }


@pytest.mark.parametrize(
    "bounds",
    [
        {"modes": ()},
        {"symbols": ("DOGE/USDT:USDT",)},
        {"exchanges": ("elsewhere",)},
        {"max_notional": Decimal(0)},
        {"max_daily_loss": Decimal("NaN")},
    ],
)
def test_what_is_no_ceiling_is_refused_beside_its_field(desk, bounds):
    with pytest.raises(Invalid) as refusal:
        bounded(desk, **bounds)
    assert refusal.value.field in bounds


def test_what_raises_a_ceiling():
    low = Ceilings(modes=(Mode.PAPER,), max_notional=Decimal(5))
    assert ceilings.raised(low, Ceilings()) == ["modes", "max_notional"]
    wider = Ceilings(modes=(Mode.PAPER, Mode.TESTNET), max_notional=Decimal(4))
    assert ceilings.raised(low, wider) == ["modes"]
    assert ceilings.raised(wider, low) == ["max_notional"]
    assert ceilings.raised(Ceilings(), low) == []


def at_once(app, *works):
    """Run each in a transaction and a thread of its own; what each raised, if anything."""
    outcomes, gate = {}, threading.Barrier(len(works))

    def run(number, work):
        with app.app_context():
            gate.wait(30)
            try:
                work()
                db.session.commit()
                outcomes[number] = None
            except Exception as error:  # noqa: BLE001 -- the outcome is what is tested
                db.session.rollback()
                outcomes[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [outcomes[number] for number in range(len(works))]


@pytest.mark.parametrize("_", range(3))
def test_two_at_once_never_pass_together(app, desk, _):
    bounded(desk, max_notional=Decimal(1000))
    ids = [factories.bot(desk, limits=holding(600)).id for _ in range(2)]
    db.session.commit()
    db.session.remove()

    def starting(bot_id):
        return lambda: bots.start(db.session.get_one(Bot, bot_id), by=TESTER, now=NOW)

    outcomes = at_once(app, *map(starting, ids))
    assert sorted(type(item).__name__ for item in outcomes) == ["NoneType", "Refused"]
    assert len(db.session.scalars(select(Bot.id).where(Bot.wish == Wish.FOLLOW)).all()) == 1


def test_a_start_and_a_lower_ceiling_at_once_never_pass_together(app, desk):
    workspace_id, bot_id = desk.id, factories.bot(desk, limits=holding(600)).id
    db.session.commit()
    db.session.remove()

    def lower():
        bounded(db.session.get_one(Workspace, workspace_id), max_notional=Decimal(500))

    def start():
        bots.start(db.session.get_one(Bot, bot_id), by=TESTER, now=NOW)

    outcomes = at_once(app, lower, start)
    assert sorted(type(item).__name__ for item in outcomes) == ["NoneType", "Refused"]


def test_who_holds_the_workspace_lets_a_gate_store_what_its_runner_tells(app, desk):
    """The gate holds the bot's row and adds rows of the workspace; a person does it vice versa."""
    if not many_writers():
        return  # SQLite has one writer: nobody can wait in a circle
    bot_id, held = factories.bot(desk).id, threading.Barrier(2)
    db.session.commit()
    db.session.remove()

    def gate():
        compute = db.session.get_one(BotCompute, bot_id, with_for_update=True)
        held.wait(30)
        commands.send(compute.bot, CommandKind.CANCEL_ENTRIES, NOW)
        db.session.flush()

    def person():
        bot = db.session.get_one(Bot, bot_id)
        workspaces.lock(bot.workspace)
        held.wait(30)
        bots.start(bot, by=TESTER, now=NOW)

    assert at_once(app, gate, person) == [None, None]


def many_writers():
    return db.session.get_bind().dialect.name == "postgresql"
