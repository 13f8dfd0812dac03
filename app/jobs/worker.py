"""A worker process: one queue, a preloaded application, children that die with their parent.

``python -m app.jobs.worker QUEUE``
"""

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from typing import Any

from flask import Flask
from redis import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from app import create_app
from app.extensions import db
from app.jobs import effect, queues

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_AGAIN_AFTER = 2.0
TTL = 60
"""Seconds; a minute longer after its last heartbeat Redis forgets a worker."""


@cache
def application() -> Flask:
    """The application of this process; the parent builds it, each child inherits it."""
    return create_app(role="worker")


def in_app(job: Callable[..., None]) -> Callable[..., None]:
    """Run a job inside the application, with a session of its own."""

    @wraps(job)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        with application().app_context():
            job(*args, **kwargs)

    return wrapped


class BoundWorker(Worker):
    """A worker that calls listed jobs only, and whose child never outlives it.

    RQ leaves the child of a killed parent running while another worker repeats its job; the
    kernel ends such a child, and the fence in the database covers what the kernel cannot.
    """

    # RQ would wait for up to a minute more after Redis is back; bots wake on time.
    max_connection_wait_time = 2.0
    told_to_stop = False

    def request_stop(self, signum: Any, frame: Any) -> None:
        """Remember that somebody asked: RQ also stops by itself when Redis goes away."""
        BoundWorker.told_to_stop = True
        stop: Callable[[Any, Any], None] = super().request_stop
        stop(signum, frame)

    def main_work_horse(self, job: Job, queue: Any) -> None:
        """Bind the child to its parent before it does anything."""
        _die_with_parent()
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Any) -> bool:
        """Refuse what is not in the list."""
        if job.func_name not in queues.JOBS.values():
            raise RuntimeError(f"{job.func_name} is no job of this application")
        return bool(super().perform_job(job, queue))


def _die_with_parent() -> None:
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Work on the queue named on the command line until told to stop."""
    names = [name.value for name in queues.QueueName]
    if len(arguments) != 1 or arguments[0] not in names:
        sys.stderr.write(f"usage: python -m app.jobs.worker {'|'.join(names)}\n")
        return 2
    app = application()
    effect.preload(app.extensions["plutarc"])
    with app.app_context():
        if arguments == [queues.QueueName.FLEET.value]:
            effect.prepare(app.extensions["plutarc"])
        db.session.remove()
        db.engine.dispose()
    _keep_shared()
    connection = queues.connect(app.extensions["plutarc"].redis_url)
    queue = queues.open_queue(queues.QueueName(arguments[0]), connection)
    with suppress(StopRequested):
        while not BoundWorker.told_to_stop:
            _work(queue)
    return 0


def _keep_shared() -> None:
    """Let no collection in a child look at what it has from its parent: each look copies a page."""
    gc.collect()
    gc.freeze()


def _work(queue: Queue) -> None:
    """Work until told to stop or until Redis goes away; then wait a little."""
    try:
        worker = BoundWorker(
            [queue],
            connection=queue.connection,
            serializer=JSONSerializer,
            worker_ttl=TTL,
            maintenance_interval=30,
            job_monitoring_interval=5,
        )
        try:
            worker.work(logging_level="WARNING", with_scheduler=False)
        finally:
            worker.wait_for_horse()
    except RedisError as error:
        log.warning("Redis is away, trying again: %s", type(error).__name__)
    if not BoundWorker.told_to_stop:
        time.sleep(_AGAIN_AFTER)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
