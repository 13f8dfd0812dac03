"""The timetable: one leader looks twice a second for bots that are due and for the outbox.

``python -m app.jobs.ticker``. A second ticker waits until the lease of the first runs out.
"""

import logging
import os
import secrets
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from math import ceil

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from app import create_app, current
from app.domain import checkpoints, deadlines, fleet, leadership, outbox, turns
from app.domain.status import measure
from app.extensions import db
from app.jobs import queues, timetable
from app.jobs.queues import QueueName

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=0.5)
LEASE = timedelta(seconds=10)
FORGET_EVERY = timedelta(minutes=10)
SWEEP_EVERY = timedelta(seconds=30)
WATCH_FIRST = timedelta(minutes=2)
FEW, MOST_TOGETHER = 2, 8
"""Up to so many bots that are due get a job each; of more, so many share one at most."""
SIGN_FIRST, SIGN_EVERY = timedelta(minutes=1), timedelta(hours=1)

LOOKS = (
    (QueueName.DESK, "look_around"),
    (QueueName.DESK, "look_telegram"),
    (QueueName.FLEET, "sweep_cloud"),
)
"""Done by a worker, because they knock: bots wait for the timetable."""

Hint = tuple[QueueName, str, str, dict[str, str]]
"""Queue, job, the job's id, and the ids it is about."""


class Ticker:
    """Looks, hints, and forgets old hints, while it leads."""

    def __init__(self, connection: Redis, holder: str) -> None:
        self.connection = connection
        self.holder = holder
        self.forget_at = self.sweep_at = datetime.min.replace(tzinfo=UTC)
        self.watch_at: datetime | None = None
        self.sign_at: datetime | None = None
        self.measure_at: datetime | None = None

    def tick(self, now: datetime) -> int:
        """One look; returns how many hints were sent. Does nothing while another leads.

        No transaction is open while Redis is spoken to: it may be slow, and SQLite has one writer.
        """
        leading = leadership.take("ticker", self.holder, now, LEASE)
        db.session.commit()
        if not leading:
            self.watch_at = None
            return 0
        sent = self._relay(now)
        sent += self._hint_turns(now)
        sent += self._hint_due(now)
        if now >= self.sweep_at:
            timetable.sweep(now)
            self.sweep_at = now + SWEEP_EVERY
        if now >= self.forget_at:
            timetable.forget(now)
            self.forget_at = now + FORGET_EVERY
        self._watch(now)
        self._sign_due(now)
        db.session.commit()
        self._measure_due(now)
        return sent

    def _watch(self, now: datetime) -> None:
        """Ring for what is late; not before bots were looked at by whoever has just begun to lead.

        After a time without a platform every bot looks late, and most are well again at once.
        """
        if self.watch_at is None:
            self.watch_at = now + WATCH_FIRST
        elif now >= self.watch_at:
            timetable.patiently(deadlines.sweep, now, current.config().tempo)
            timetable.watch(now)
            self.watch_at = now + SWEEP_EVERY

    def _sign_due(self, now: datetime) -> None:
        """Look for logs to be signed; not at once, for whatever starts has more urgent things."""
        if self.sign_at is None:
            self.sign_at = now + SIGN_FIRST
        elif now >= self.sign_at:
            checkpoints.ask_due(now)
            self.sign_at = now + SIGN_EVERY

    def _measure_due(self, now: datetime) -> None:
        """Measure and sweep once a minute; not at once, for whatever starts is not yet up."""
        if self.measure_at is None:
            self.measure_at = now + measure.EVERY
        elif now >= self.measure_at:
            self.measure_at = now + measure.EVERY
            timetable.spread_forgotten(now)
            self._hand_over(
                [(queue, job, f"{job}-{secrets.token_hex(4)}", {}) for queue, job in LOOKS]
            )

    def _relay(self, now: datetime) -> int:
        """Hand the outbox over. A crash in between sends twice, which changes nothing."""
        messages = outbox.unsent(now)
        hints = [(QueueName(m.queue), m.job, f"{m.job}-{m.number}", m.arguments) for m in messages]
        numbers = [message.number for message in messages]
        db.session.rollback()
        self._hand_over(hints)
        outbox.mark_sent(numbers, now)
        db.session.commit()
        return len(hints)

    def _hint_turns(self, now: datetime) -> int:
        """Whose turn it is to start goes before all that waits, and shares its job with nobody.

        Its place is not kept for long, and each of these asks the cloud, which may be slow.
        """
        given = turns.give(now, current.config().compute_in_flight)
        db.session.commit()
        self._hint(given, now, most=1, at_front=True)
        return len(given)

    def _hint_due(self, now: datetime) -> int:
        due = fleet.due(now)
        db.session.rollback()
        self._hint(due, now)
        return len(due)

    def _hint(
        self,
        bot_ids: list[str],
        now: datetime,
        *,
        most: int = MOST_TOGETHER,
        at_front: bool = False,
    ) -> None:
        """Hand bots over, at most ``most`` of them in a job."""
        if not bot_ids:
            return
        size = min(ceil(len(bot_ids) / FEW), most)
        groups = [bot_ids[at : at + size] for at in range(0, len(bot_ids), size)]
        ids = [(" ".join(group), f"{group[0]}-{secrets.token_hex(4)}") for group in groups]
        hints: list[Hint] = [
            (QueueName.FLEET, "advance_bots", job_id, {"bot_ids": them}) for them, job_id in ids
        ]
        # Each that is put at the front goes before the one put there last.
        self._hand_over(hints[::-1] if at_front else hints, at_front=at_front)
        fleet.hinted(bot_ids, now)
        db.session.commit()

    def _hand_over(self, hints: list[Hint], *, at_front: bool = False) -> None:
        for name, job, job_id, arguments in hints:
            queue = queues.open_queue(name, self.connection)
            queues.hand_over(queue, job, job_id, arguments, at_front=at_front)


def main() -> int:
    """Tick until told to stop. Redis or the database being away is waited out."""
    app = create_app(role="ticker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    connection = queues.connect(app.extensions["plutarc"].redis_url)
    ticker = Ticker(connection, f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}")
    with app.app_context():
        while not stop.wait(EVERY.total_seconds()):
            try:
                ticker.tick(datetime.now(UTC))
            except (RedisError, SQLAlchemyError) as error:
                log.warning("tick failed, trying again: %s", type(error).__name__)
            finally:
                db.session.rollback()
                db.session.remove()
        leadership.resign("ticker", ticker.holder)
        db.session.commit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
