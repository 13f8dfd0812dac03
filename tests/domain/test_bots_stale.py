"""What a page read of a bot before it waited for the lock decides nothing."""

import pytest
from sqlalchemy import update

from app.domain import bots
from app.domain.errors import Refused
from app.extensions import db
from app.models import Bot
from runner.protocol import Limits, Mode
from tests import factories
from tests.factories import NOW, TESTER


@pytest.fixture
def bot(app):
    made = factories.bot(factories.organisation(now=NOW), now=NOW)
    made.limits = {"max_order_notional": "100"}
    db.session.commit()
    return made


def meanwhile(bot, **values):
    """As another transaction that held the lock before leaves the row; ours has read the old."""
    assert bot.limits == {"max_order_notional": "100"}
    mine = update(Bot).where(Bot.id == bot.id).values(**values)
    db.session.execute(mine, execution_options={"synchronize_session": False})


def configure(bot, **values):
    kept = {"name": bot.name, "version": bot.version, "symbols": tuple(bot.symbols)}
    bots.configure(bot, **(kept | values), by=TESTER, now=NOW)


def test_a_limit_lowered_meanwhile_is_not_raised_again(bot):
    meanwhile(bot, limits={"max_order_notional": "50"})
    with pytest.raises(Refused, match="is asked for"):
        configure(bot, limits=Limits(max_order_notional=80))


def test_a_bot_that_went_live_meanwhile_keeps_its_symbols(bot):
    meanwhile(bot, mode=Mode.LIVE)
    with pytest.raises(Refused, match="live bot keeps"):
        configure(bot, symbols=("ETH/USDT:USDT",), limits=Limits(max_order_notional=100))
