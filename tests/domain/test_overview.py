from decimal import Decimal

import pytest

from app.domain import feed, overview, records
from app.extensions import db
from app.models import PositionRow, Run
from runner.protocol import Mode
from tests import factories
from tests.factories import NOW, TEMPO


@pytest.fixture
def bot(app):
    """A paper bot with a run, a trade won today and a position nobody reported closed."""
    made = factories.bot(factories.organisation())
    run = begin_run(made)
    trade(made, run, won=50)
    db.session.add(
        PositionRow(
            workspace_id=made.workspace_id,
            bot_id=made.id,
            symbol=made.symbols[0],
            quantity=Decimal(1),
            entry_price=Decimal(100),
            mark_price=Decimal(110),
            unrealised=Decimal(10),
            reported_at=NOW,
        )
    )
    db.session.commit()
    return made


def begin_run(bot):
    run = Run(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        mode=bot.mode,
        symbols=bot.symbols,
        strategy_version_id=bot.strategy_version_id,
        starting_balance=bot.starting_balance,
        started_at=NOW,
    )
    db.session.add(run)
    db.session.flush()
    return run


def trade(bot, run, won):
    factories.trade(run, 100, 100 + won)


def switch(bot):
    """The mode alone, though something is held: a machine can come back with a position."""
    bot.mode = Mode.TESTNET
    db.session.commit()


def seen(bot):
    (total,) = overview.totals([overview.summary(bot, NOW, TEMPO)])
    return total.mode, total.net_today, total.open_positions, total.unrealised


def test_what_the_present_mode_did_is_summed(bot):
    assert seen(bot) == (Mode.PAPER, 50, 1, 10)
    assert len(records.trades(bot, 8)) == 1


def test_another_modes_results_are_not_the_present_ones(bot):
    switch(bot)
    assert seen(bot) == (Mode.TESTNET, 0, 0, 0)
    assert records.trades(bot, 8) == []
    assert records.run_of(bot) is None


def test_modes_stay_apart_when_both_traded_today(bot):
    paper = records.run_of(bot)
    switch(bot)
    paper.ended_at = NOW + TEMPO.observe_every
    trade(bot, begin_run(bot), won=7)
    db.session.commit()
    assert seen(bot) == (Mode.TESTNET, 7, 0, 0)
    assert [row.net for row in records.trades(bot, 8)] == [7]
    lines = [line.text for line in feed.latest(bot.workspace, bot=bot)]
    assert sum("on paper, +50.00" in line for line in lines) == 1
    assert sum("on testnet, +7.00" in line for line in lines) == 1
