"""A backup is restored while machines run: what the runner told since is told again, once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.domain import ingest
from app.extensions import db
from app.models import Bot, FillRow, Machine, OrderRow, TradeRow
from runner.journal import Journal
from runner.outbox import Outbox
from runner.protocol import EventKind, Notice, OrderStatus, Side
from runner.store import Store
from tests.domain.test_ingest import Feed
from tests.factories import NOW
from tests.runner.test_store import a_fill, an_order

WEEK = timedelta(days=7)


class Machinery:
    """The runner's own records, and a platform that takes what they tell."""

    def __init__(self, directory):
        self.feed = Feed()
        self.store = Store(directory / "journal.sqlite")
        self.outbox = Outbox(self.store, 1, 1)
        self.journal = Journal(self.store, self.outbox)
        db.session.commit()

    def trade(self, number):
        """An order and its fill; each is told with the row it belongs to."""
        order = an_order(f"pl{number}")
        self.journal.plan(order, NOW)
        self.journal.update(order, NOW, status=OrderStatus.FILLED, filled=Decimal(1))
        fill = a_fill(f"t{number}", order.client_id)
        self.journal.add_fill(fill)

    def sync(self):
        """One report; whether the platform turned out to have been set back."""
        machine = db.session.get_one(Machine, self.feed.machine.id)
        bot = db.session.get_one(Bot, self.feed.bot.id)
        ingest.take(bot, machine, self.outbox.pending(200), NOW)
        db.session.commit()
        self.outbox.acknowledge(machine.ack_seq)
        return self.outbox.set_back(machine.ack_seq)

    def backup(self):
        """What a restore brings back: how far the platform was."""
        return self.feed.machine.ack_seq

    def restore(self, ack_seq, kept):
        for table in (TradeRow, FillRow, OrderRow):
            newest = select(table.number).order_by(table.number.desc())
            drop = db.session.scalars(newest.limit(max(count(table) - kept, 0))).all()
            db.session.query(table).filter(table.number.in_(drop)).delete()
        db.session.get_one(Machine, self.feed.machine.id).ack_seq = ack_seq
        db.session.commit()


def count(table):
    return db.session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def machinery(app, tmp_path):
    made = Machinery(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("waiting", [0, 1])
def test_orders_and_fills_told_since_the_backup_come_back_once(machinery, waiting):
    machinery.trade(1)
    assert not machinery.sync()
    ack_seq = machinery.backup()
    machinery.trade(2)
    assert not machinery.sync()
    assert (count(OrderRow), count(FillRow)) == (2, 2)
    machinery.restore(ack_seq, kept=1)
    assert (count(OrderRow), count(FillRow)) == (1, 1)
    for number in range(waiting):
        machinery.trade(3 + number)
    assert machinery.sync(), "it is seen with the first answer"
    machinery.journal.tell_again(NOW - WEEK, NOW)
    for _ in range(3):
        assert not machinery.sync()
    assert (count(OrderRow), count(FillRow)) == (2 + waiting, 2 + waiting)
    held = db.session.scalars(select(FillRow.side)).all()
    assert held == [Side.BUY] * (2 + waiting)
    assert machinery.outbox.count() == 0
    assert machinery.backup() == machinery.outbox._following() - 1


def test_without_a_restore_nothing_is_ever_told_again(machinery):
    for number in range(5):
        machinery.trade(number)
        assert not machinery.sync()
    assert not machinery.sync()
    machinery.restore(0, kept=5)
    machinery.outbox.append(EventKind.NOTICE, Notice("info", "x", "after"), NOW)
    assert machinery.sync()
    assert not machinery.sync()
    assert machinery.backup() == 1


@pytest.mark.parametrize("waiting", [0, 1])
def test_a_process_that_starts_after_the_restore_is_understood_as_well(machinery, waiting):
    machinery.trade(1)
    machinery.sync()
    machinery.restore(0, kept=0)
    for number in range(waiting):
        machinery.trade(2 + number)
    machinery.outbox = Outbox(machinery.store, 1, 1)
    machinery.journal = Journal(machinery.store, machinery.outbox)
    assert machinery.sync()
    machinery.journal.tell_again(NOW - WEEK, NOW)
    assert not machinery.sync()
    assert (count(OrderRow), count(FillRow)) == (1 + waiting, 1 + waiting)
