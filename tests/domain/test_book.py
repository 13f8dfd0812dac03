"""What all bots hold together, and what happens where it passes a ceiling."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain import book, book_watch, bots, ceilings
from app.domain.book import Holding
from app.domain.ceilings import Ceilings
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, Bot, CashFlow, EquityPoint, Mail, Notice, PositionRow, Run, Wish
from runner.protocol import FlowKind, Mode
from tests import factories
from tests.factories import NOW, TESTER

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
D = Decimal
HOLDINGS = st.lists(
    st.builds(
        Holding,
        mode=st.sampled_from(Mode),
        symbol=st.sampled_from([BTC, ETH, "BTC/USDC:USDC"]),
        bot=st.sampled_from("AB"),
        value=st.decimals("-500", "500", places=2),
    ),
    max_size=8,
)


@given(HOLDINGS)
@settings(max_examples=100, deadline=None)
def test_the_sums_are_those_of_the_rows_and_modes_never_mix(holdings):
    long, short = defaultdict(D), defaultdict(D)
    for it in holdings:
        (long if it.value > 0 else short)[it.mode, it.quote, it.asset] += abs(it.value)
    found = {
        (sheet.mode, sheet.quote, asset.name): (asset.long, asset.short)
        for sheet in book.sheets(holdings, {})
        for asset in sheet.assets
    }
    held = {key for sums in (long, short) for key, value in sums.items() if value}
    assert found == {key: (long[key], short[key]) for key in held}
    for sheet in book.sheets(holdings, {}):
        mine = [it.value for it in holdings if (it.mode, it.quote) == (sheet.mode, sheet.quote)]
        assert sheet.net == sum(mine)
        assert sheet.gross == sum(map(abs, mine))


@given(HOLDINGS, st.decimals("1", "900", places=0))
@settings(max_examples=100, deadline=None)
def test_a_ceiling_is_passed_exactly_where_a_sum_is_above_it(holdings, top):
    for sheet in book.sheets(holdings, {}):
        asset = max(asset.gross for asset in sheet.assets)
        for name, value in (
            ("max_gross", sheet.gross),
            ("max_net", abs(sheet.net)),
            ("max_per_asset", asset),
        ):
            assert bool(ceilings.beyond(Ceilings(**{name: top}), sheet)) is (value > top)


@pytest.fixture
def desk(app):
    return factories.organisation()


def running(desk, name, symbol=BTC, mode=Mode.PAPER, held=None, **run):
    """A bot that follows its schedule, with a run; ``held`` at a mark of 100."""
    bot = factories.bot(desk, name=name, symbols=(symbol,))
    bots.start(bot, by=TESTER, now=NOW)
    bot.mode = mode
    row = Run(
        workspace_id=desk.id,
        bot_id=bot.id,
        mode=mode,
        symbols=[symbol],
        strategy_version_id=bot.strategy_version_id,
        starting_balance=bot.starting_balance,
        started_at=NOW,
        **run,
    )
    db.session.add(row)
    if held is not None:
        db.session.add(
            PositionRow(
                workspace_id=desk.id,
                bot_id=bot.id,
                symbol=symbol,
                quantity=D(held),
                entry_price=D(90),
                mark_price=D(100),
                unrealised=D(0),
                reported_at=NOW,
            )
        )
    db.session.flush()
    return bot, row


def weighed(run, *equities, start=NOW):
    """Looks at the account, a minute apart."""
    for minute, equity in enumerate(equities):
        point = EquityPoint(
            workspace_id=run.workspace_id,
            bot_id=run.bot_id,
            run_id=run.id,
            at=start + timedelta(minutes=minute),
            equity=D(equity),
            balance=D(equity),
            unrealised=D(0),
        )
        db.session.add(point)
    db.session.flush()


def test_it_is_read_from_what_the_bots_report(desk):
    running(desk, "Long", held=3)
    running(desk, "Short", held=-1)
    running(desk, "Ether", ETH, held=2)
    running(factories.organisation(), "Stranger", held=50)
    (sheet,) = book.of(desk, NOW)
    assert (sheet.gross, sheet.net) == (600, 400)
    assert [(it.name, it.long, it.short) for it in sheet.assets] == [
        ("BTC", 300, 100),
        ("ETH", 200, 0),
    ]
    ((_, asset),) = book.opposites(desk)
    assert (asset.name, asset.bots) == ("BTC", ("Long", "Short"))


def test_what_it_lost_counts_each_account_once_and_no_deposit(desk, keys):
    account = factories.connection(desk, Sealer(keys.public))
    at = NOW + timedelta(minutes=3)
    for name in ("One", "Two"):
        _, run = running(desk, name, mode=Mode.TESTNET, connection_id=account.id)
        weighed(run, 9_000, start=NOW - timedelta(days=1))
        weighed(run, 1_000, 1_500, 1_400)
        flow = {"flow_id": "f1", "kind": FlowKind.DEPOSIT, "amount": D(500), "currency": "USDT"}
        keys_of = {"workspace_id": desk.id, "bot_id": run.bot_id, "run_id": run.id}
        db.session.add(CashFlow(**keys_of, **flow, at=NOW + timedelta(seconds=30)))
    _, paper = running(desk, "Paper")
    weighed(paper, 100, 90)
    lost = {sheet.mode: sheet.lost for sheet in book.of(desk, at)}
    assert lost == {Mode.TESTNET: 100, Mode.PAPER: 10}


def test_the_loss_of_a_day_reads_the_runs_of_that_day(desk):
    """Telling their looks apart by the run is what the index of looks is for."""
    _, run = running(desk, "Loser")
    weighed(run, 1_000, 900)
    run.ended_at = NOW
    assert [sheet.lost for sheet in book.of(desk, NOW)] == [100]
    run.ended_at = NOW - timedelta(days=2)
    assert not [sheet.lost for sheet in book.of(desk, NOW) if sheet.lost]


def test_two_keys_of_one_account_count_once_and_a_deleted_bot_still(desk, keys):
    for name in ("One", "Two"):
        account = factories.connection(desk, Sealer(keys.public), label=name)
        account.venue_account = "the same account"
        bot, run = running(desk, name, mode=Mode.TESTNET, connection_id=account.id)
        weighed(run, 1_000, 900)
    bot.deleted_at = NOW
    _, paper = running(desk, "Paper")
    weighed(paper, 100, 90)
    db.session.get_one(Bot, paper.bot_id).deleted_at = NOW
    db.session.flush()
    lost = {sheet.mode: sheet.lost for sheet in book.of(desk, NOW)}
    assert lost == {Mode.TESTNET: 100, Mode.PAPER: 10}


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        ({"max_gross": D(399)}, "Gross exposure of all paper bots is 400.00 USDT"),
        ({"max_net": D(199)}, "Net exposure of all paper bots is 200.00 USDT"),
        ({"max_per_asset": D(399)}, "Exposure to BTC of all paper bots is 400.00 USDT"),
    ],
)
def test_above_a_ceiling_all_bots_of_the_mode_are_paused_once(desk, bound, says):
    long, _ = running(desk, "Long", held=3)
    short, _ = running(desk, "Short", held=-1)
    other, _ = running(desk, "Other", mode=Mode.TESTNET)
    desk.ceilings = {name: str(value) for name, value in bound.items()}
    db.session.flush()
    assert desk.id in book_watch.due(NOW)
    for bot in (long, short):
        bot.paused = True
    other.wish = Wish.REST
    assert desk.id not in book_watch.due(NOW)
    for bot in (long, short):
        bot.paused = False
    other.wish = Wish.FOLLOW
    for minute in range(2):
        book_watch.look(desk.id, NOW + timedelta(minutes=minute))
    assert (long.paused, short.paused, other.paused) == (True, True, False)
    said = db.session.scalars(select(Notice.body).where(Notice.workspace_id == desk.id)).all()
    assert len(said) == 1
    assert says in said[0]
    letters = db.session.scalars(select(Mail.to_email).where(Mail.letter == "bot_alarm")).all()
    assert letters == [desk.memberships[0].user.email]
    query = select(AuditEvent.target_id).where(AuditEvent.actor_kind == "policy")
    assert sorted(db.session.scalars(query)) == sorted([long.id, short.id])
    with pytest.raises(Refused, match="above the ceiling"):
        bots.resume(long, by=TESTER, now=NOW)
    desk.ceilings = {}
    bots.resume(long, by=TESTER, now=NOW)
    assert not long.paused


def test_the_daily_loss_of_all_is_one_too(desk):
    bot, run = running(desk, "Loser")
    weighed(run, 1_000, 900)
    desk.ceilings = {"max_daily_loss": "100"}
    book_watch.look(desk.id, NOW)
    assert bot.paused
    book_watch.look(desk.id, NOW + timedelta(days=1))
    desk.ceilings = {"max_daily_loss": "101"}
    assert ceilings.passed(desk, NOW) == {}


def test_within_its_ceilings_nothing_happens(desk):
    bot, _ = running(desk, "Long", held=3)
    desk.ceilings = {"max_gross": "300", "max_net": "300", "max_per_asset": "300"}
    book_watch.look(desk.id, NOW)
    assert not bot.paused


def test_its_ceilings_are_amounts_and_larger_ones_are_a_raise(desk):
    low, high = Ceilings(max_gross=D(1)), Ceilings(max_gross=D(2), max_net=D(1))
    assert ceilings.raised(low, high) == ["max_gross"]
    assert ceilings.raised(high, low) == ["max_net"]
    with pytest.raises(Invalid) as refusal:
        ceilings.checked(Ceilings(max_per_asset=D(0)))
    assert refusal.value.field == "max_per_asset"


def test_a_ceiling_is_raised_also_where_it_stays_below_the_book(desk):
    running(desk, "Long", held=3)
    desk.ceilings = {"max_gross": "100"}
    ceilings.change(desk, Ceilings(max_gross=D(200)), by=TESTER, now=NOW)
    assert ceilings.of(desk).max_gross == 200
    with pytest.raises(Refused, match="Gross exposure"):
        ceilings.change(desk, Ceilings(max_gross=D(199)), by=TESTER, now=NOW)


def test_a_number_typed_in_a_form_pauses_nobody(desk):
    bot, _ = running(desk, "Long", held=3)
    with pytest.raises(Refused, match="Net exposure of all paper bots"):
        ceilings.change(desk, Ceilings(max_net=D(299)), by=TESTER, now=NOW)
    ceilings.change(desk, Ceilings(max_net=D(300)), by=TESTER, now=NOW)
    db.session.scalars(select(PositionRow)).one().mark_price = D(101)
    ceilings.change(desk, Ceilings(max_net=D(300), max_gross=D(500)), by=TESTER, now=NOW)
    book_watch.look(desk.id, NOW)
    assert bot.paused
