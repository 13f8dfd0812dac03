"""The list of trades on both databases: filters, order, pages, and all of it in batches."""

from datetime import timedelta

import pytest

from app.domain.trades import export, listing, notes
from app.domain.trades.listing import TradeFilter
from runner.protocol import Mode
from tests import factories
from tests.factories import NOW

HOUR = timedelta(hours=1)


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation(), mode=Mode.PAPER)


def fill(bot, results=(3, -2, 0, 1)):
    run = factories.run(bot, now=NOW)
    made = [
        factories.trade(run, 100, 100 + result, 0, NOW, NOW + number * HOUR)
        for number, result in enumerate(results)
    ]
    return [*made, factories.trade(run, 100, 0, 0, NOW + 9 * HOUR, None)]


def found(place, sort="closed", *, rising=False, number=1, **wanted):
    rows = listing.page(
        place.workspace, TradeFilter(**wanted), sort=sort, rising=rising, number=number
    )
    return [it.trade.id for it in rows]


def test_open_trades_stand_first_then_by_what_is_asked(bot):
    a, b, c, d, still = (it.id for it in fill(bot))
    assert found(bot) == [still, d, c, b, a]
    assert found(bot, "result") == [still, a, d, c, b]
    assert found(bot, "result", rising=True) == [still, b, c, d, a]
    for sort in listing.SORTS:
        assert len(found(bot, sort)) == 5


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"result": "won"}, "da"),
        ({"result": "lost"}, "b"),
        ({"result": "even"}, "c"),
        ({"result": "open"}, "e"),
        ({"since": NOW + HOUR, "until": NOW + 3 * HOUR}, "cb"),
        ({"since": NOW + 8 * HOUR}, "e"),
        ({"tag": "news"}, "a"),
        ({"mode": "testnet"}, ""),
        ({"side": "sell"}, ""),
        ({"kind": "take_profit", "result": "won"}, "da"),
    ],
)
def test_filters(bot, wanted, names):
    made = dict(zip("abcde", fill(bot), strict=True))
    author = factories.user()
    notes.annotate(made["a"], "", ["news"], author=author, by=factories.TESTER, now=NOW)
    assert found(bot, **wanted) == [made[name].id for name in names]
    assert listing.count(bot.workspace, TradeFilter(**wanted)) == len(names)


def test_by_bot_and_strategy(bot):
    other = factories.bot(bot.workspace)
    mine, theirs = fill(bot, (1,)), fill(other, (2,))
    assert set(found(bot, bot=other.id)) == {it.id for it in theirs}
    assert set(found(bot, strategy=bot.version.strategy_id)) == {it.id for it in mine}


def test_pages_and_the_file_hold_each_trade_once(bot, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    ids = {it.id for it in fill(bot)}
    pages = [found(bot, number=number)[:2] for number in (1, 2, 3)]
    assert sorted(it for page in pages for it in page) == sorted(ids)
    batches = listing.everything(bot.workspace_id, TradeFilter(), batch=2)
    assert sorted(it.trade.id for it in batches) == sorted(ids)
    rows = list(export.rows(bot.workspace_id, TradeFilter()))
    assert {row[0] for row in rows} == ids
    assert all(len(row) == len(export.COLUMNS) for row in rows)
