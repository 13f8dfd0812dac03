"""The line behind a queue that lags: turns to start go before all that waits there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app import current
from app.domain import bots
from app.extensions import db
from app.jobs import queues
from app.jobs.queues import QueueName
from app.jobs.ticker import Ticker
from app.models import Phase
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import TESTER

BOTS, PLACES, BOOT = 40, 2, timedelta(seconds=4)


class Office:
    """A ticker, a real queue, and one worker who does its jobs in their order, a step a second."""

    def __init__(self, keys, redis):
        first = Life(keys)
        self.lives = [first, *(Life.beside(first) for _ in range(BOTS - 1))]
        self.queue = queues.open_queue(QueueName.FLEET, redis)
        self.ticker, self.now, self.hand = Ticker(redis, "first"), first.now, []
        for life in self.lives:
            life.settings = replace(SETTINGS, in_flight=PLACES)
            life.run(2)
            bots.start(life.bot, by=TESTER, now=self.now)
        db.session.commit()

    def second(self):
        self.now += timedelta(seconds=1)
        self.ticker.tick(self.now)
        self.work()
        for life in self.lives:
            life.now = self.now
            machine = life.machine
            if life.compute.phase is Phase.BOOTING and machine.running_at <= self.now - BOOT:
                life.claim()

    def work(self):
        if not self.hand and (job := next(iter(self.queue.jobs), None)):
            self.hand = job.kwargs["bot_ids"].split()
            job.delete()
        if self.hand:
            mine = self.hand.pop(0)
            next(life for life in self.lives if life.bot.id == mine).step()

    def begun(self):
        return sum(life.compute.generation > 0 for life in self.lives)


@pytest.fixture
def office(app, keys, redis_url, monkeypatch):
    few = replace(current.config(), compute_in_flight=PLACES)
    monkeypatch.setattr(current, "config", lambda: few)
    return Office(keys, queues.connect(redis_url))


def test_no_turn_lapses_because_the_queue_is_long(office):
    for _ in range(60):
        office.second()
    # Two places, each used for some six seconds, serve about twenty in a minute.
    assert office.begun() >= 14
