"""A clone is set up the same, born stopped and on paper, and takes nothing that is another's."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import bot_clones, bots, code_rules, schedule
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, Bot, Wish
from runner.protocol import Limits, Mode, OnEnd, to_plain
from tests import factories
from tests.factories import NOW, TESTER
from tests.runner.code.sources import CROSSING


@pytest.fixture
def workspace(app):
    return factories.organisation()


@pytest.fixture
def account(workspace, keys):
    return factories.connection(workspace, Sealer(keys.public))


def clone(bot, name="Tide again", *, code_allowed=False, **more):
    allowed = {"code_allowed": code_allowed}
    return bot_clones.clone(bot, name, author=None, by=TESTER, now=NOW, **allowed, **more)


def test_it_is_set_up_the_same_and_has_done_nothing(workspace):
    limits = Limits(max_daily_loss=Decimal(250), allowed_symbols=("BTC/USDT:USDT",))
    bot = factories.bot(workspace, limits=limits, starting_balance=Decimal("4321.5"))
    bot.disaster_stop_percent, bot.on_end, bot.grace_minutes = Decimal(7), OnEnd.FLATTEN, 12
    bot.paused, bot.keep_awake_until, bot.approved_revision = True, NOW, "a"
    bots.start(bot, by=TESTER, now=NOW)
    db.session.flush()
    made = clone(bot)
    same = (
        *("exchange", "symbols", "strategy_version_id", "limits", "schedule", "region"),
        *("starting_balance", "disaster_stop_percent", "on_end", "grace_minutes"),
    )
    assert [getattr(made, name) for name in same] == [getattr(bot, name) for name in same]
    assert made.limits == to_plain(limits)
    assert (made.mode, made.wish, made.paused) == (Mode.PAPER, Wish.REST, False)
    assert made.approved_revision is None
    assert made.keep_awake_until is None
    assert made.live_connection_id is None
    assert schedule.from_plain(made.schedule) == schedule.from_plain(bot.schedule)
    query = select(AuditEvent).where(AuditEvent.target_id == made.id)
    (event,) = db.session.scalars(query)
    assert (event.action, event.reason) == ("bot.create", f"a clone of {bot.name}")


def test_a_key_that_is_free_comes_along_and_one_in_use_does_not(workspace, account):
    bot = factories.bot(workspace)
    bot.testnet_connection_id = account.id
    db.session.flush()
    db.session.refresh(bot, ["testnet_connection"])
    first = clone(bot)
    assert first.testnet_connection_id == account.id
    bots.switch_mode(bot, Mode.TESTNET, account, by=TESTER, now=NOW)
    second = clone(bot)
    assert second.testnet_connection_id is None
    assert bot.name in bot_clones.plan(bot).left
    # The first clone remembers the key; while the other uses it, it cannot.
    assert bot.name in bot_clones.plan(first).left


def test_a_key_that_is_off_stays(workspace, account):
    bot = factories.bot(workspace)
    bot.testnet_connection_id, account.inactive_at = account.id, NOW
    db.session.flush()
    db.session.refresh(bot, ["testnet_connection"])
    assert "switched off" in bot_clones.plan(bot).left
    assert clone(bot).testnet_connection_id is None


def test_a_region_that_is_gone_gives_way(workspace):
    bot = factories.bot(workspace)
    bot.region = "moon"
    assert clone(bot, offered=("local",)).region == "local"


def test_it_needs_a_name_and_room(workspace, monkeypatch):
    bot = factories.bot(workspace)
    with pytest.raises(Invalid):
        clone(bot, "  ")

    def full(*_):
        raise Refused("The workspace may have no more bots.")

    monkeypatch.setattr("app.domain.quotas.check_bot", full)
    with pytest.raises(Refused, match="no more bots"):
        clone(bot)
    assert db.session.scalars(select(Bot).where(Bot.workspace_id == workspace.id)).all() == [bot]


def test_code_is_cloned_only_where_code_may_run(workspace):
    """An installation may have switched it off since the first bot was made."""
    bot = factories.bot(workspace)
    bot.version.rules = code_rules.rules_of(CROSSING)
    with pytest.raises(Refused, match="ALLOW_CODE_STRATEGIES"):
        clone(bot)
    assert clone(bot, code_allowed=True).version is bot.version
