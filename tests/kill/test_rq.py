"""What RQ and Redis lose, they lose in vain: the database knows and the ticker asks again."""

import os
import signal
import time
from pathlib import Path

import pytest
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer

from app.models import Phase
from tests.kill.conftest import the_lease_runs_out
from tests.kill.house import children
from tests.waiting import PATIENCE, until


def is_alive(pid):
    """Whether the process still does anything; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gets_its_address(room, bot):
    until("the bot has its address", lambda: room.phase(bot) is Phase.ASLEEP)


def gets_its_machine(room, bot):
    until("the machine is there", lambda: room.phase(bot) is Phase.BOOTING)
    assert not room.intended("insert_machine")


def test_a_child_dies_with_its_worker_and_the_next_one_goes_on(room):
    worker, _ = room.worker(), room.ticker()
    bot = room.bot()
    room.wake(bot)
    horse = room.held_in_a_step(worker)
    worker.kill()
    until("the child has ended", lambda: not is_alive(horse))
    room.worker()
    the_lease_runs_out()
    gets_its_machine(room, bot)


def test_a_job_that_was_popped_and_lost_is_asked_for_again(room):
    """A worker that dies between pop and start leaves the job in a list nobody reads."""
    room.ticker()
    bot = room.bot()
    queue = room.queue()
    popped = f"{queue.key}:intermediate"
    until("a hint", lambda: room.cache.client().lmove(queue.key, popped, "LEFT", "RIGHT"))
    room.worker()
    gets_its_address(room, bot)


def test_nothing_that_is_handed_over_needs_a_scheduler(room):
    """RQ's own scheduler dies with an outage and stays dead; so no job may wait for it."""
    room.ticker()
    bot = room.bot()
    queue = room.queue()
    (job_id,) = until("a hint", lambda: queue.job_ids)
    job = Job.fetch(job_id, connection=queue.connection, serializer=JSONSerializer)
    assert job.retries_left is None
    assert job.retry_intervals is None
    worker = room.worker()
    gets_its_address(room, bot)
    until("the worker idles", lambda: not queue.job_ids and not children(worker.pid))
    assert ScheduledJobRegistry(queue=queue).count == 0
    assert room.cache.client().keys("rq:scheduler*") == []


def test_an_outage_is_waited_out_and_an_empty_server_suffices(room):
    """Six seconds here stand for ten minutes: a worker's pauses double up to two seconds, which is
    reached after three, and the ticker tries at every tick; from then on nothing changes any more.
    What expires meanwhile on the server is gone here too: it comes back without any data.
    """
    worker, ticker, tired = room.worker(), room.ticker(), room.worker()
    gets_its_address(room, room.bot())
    room.cache.kill()
    bot = room.bot()
    time.sleep(6)
    tired.terminate()
    tired.wait(PATIENCE)
    room.cache.start(empty=True)
    gets_its_address(room, bot)
    assert worker.poll() is None
    assert ticker.poll() is None


@pytest.mark.parametrize("outage", ["hangs", "down"])
def test_an_outage_that_outlives_what_the_server_keeps(room, outage):
    """Ten minutes compressed to fifteen seconds. Real: the server (stopped, or killed and started
    on its own files), worker, ticker, their timeouts and RQ's expiry of what it keeps of a worker.
    Lowered: that expiry, from two minutes to three seconds, so the outage is five times as long.
    """
    worker, ticker = room.worker(keeps=3), room.ticker()
    gets_its_address(room, room.bot())
    client = room.cache.client()
    until(
        "the worker idles and is kept for seconds",
        lambda: all(client.ttl(name) <= 3 for name in client.keys("rq:worker:*")),
    )
    if outage == "hangs":
        room.cache.process.send_signal(signal.SIGSTOP)
    else:
        room.cache.kill()
    bot = room.bot()
    time.sleep(15)
    assert room.phase(bot) is Phase.NEW
    if outage == "hangs":
        room.cache.process.send_signal(signal.SIGCONT)
    else:
        room.cache.start()
    gets_its_address(room, bot)
    gets_its_address(room, room.bot())
    assert worker.poll() is None
    assert ticker.poll() is None


def test_an_emptied_server_while_a_worker_is_busy_costs_only_time(room):
    worker, _ = room.worker(), room.ticker()
    bot = room.bot()
    room.wake(bot)
    horse = room.held_in_a_step(worker)
    room.cache.client().flushall()
    os.kill(horse, signal.SIGCONT)
    gets_its_machine(room, bot)
    gets_its_address(room, room.bot())


def test_a_polite_end_of_the_whole_group_during_a_step_loses_nothing(room):
    worker, _ = room.worker(), room.ticker()
    bot = room.bot()
    room.wake(bot)
    horse = room.held_in_a_step(worker)
    os.killpg(worker.pid, signal.SIGTERM)
    os.kill(horse, signal.SIGCONT)
    worker.wait(PATIENCE)
    assert not is_alive(horse)
    room.worker()
    the_lease_runs_out()
    gets_its_machine(room, bot)
