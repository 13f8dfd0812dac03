"""Worker processes on demand: ``python -m tests.faults.nursery``, one for each line it is given.

Each is what ``python -m app.jobs.worker fleet`` is once its imports are over: a fork of a process
that has imported the same and has built the same application. So a worker that was killed is
replaced in a moment, and not after seconds of importing. Two things differ: a job may take five
minutes instead of one, so that a busy machine ends no child that is held up on purpose; and before
a job the child looks for a file ``trip``, a point at which it stops itself, so that it can be
killed just there. The first one that comes so far takes the file away::

    {"event": "call", "file": "compute/gce_calls.py", "function": "insert"}
"""

import json
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.extensions import db
from app.jobs import effect, worker
from tests.waiting import PATIENCE

TRIP = "trip"


def main():
    app = worker.application()
    config = app.extensions["plutarc"]
    effect.preload(config)
    with app.app_context():
        db.engine.dispose()
    _watch_children(config.var_dir / TRIP)
    signal.signal(signal.SIGCHLD, _bury)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(config.var_dir)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _bury(_number, _frame):
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(var):
    code = 1
    try:
        os.setsid()
        worker._die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, name in enumerate((os.devnull, "worker.log", "worker.log")):
            given = os.open(var / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(given, number)
        code = worker.main(["fleet"])
    finally:
        os._exit(code)


def _watch_children(place):
    begin, execute = worker.BoundWorker.main_work_horse, worker.BoundWorker.execute_job

    def patient(self, job, queue):
        job.timeout = PATIENCE
        execute(self, job, queue)

    def watched(self, job, queue):
        if place.exists():
            sys.settrace(partial(_trip, place, json.loads(place.read_text())))
        begin(self, job, queue)

    worker.BoundWorker.main_work_horse = watched
    worker.BoundWorker.execute_job = patient


def _trip(place, point, frame, event, _argument):
    """A trace function; it stays with frames of the function alone, to see them return."""
    code = frame.f_code
    there = code.co_name == point["function"] and code.co_filename.endswith(point["file"])
    if not there:
        return None
    if event == point["event"]:
        sys.settrace(None)
        frame.f_trace = None
        place.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)
        return None
    frame.f_trace_lines = False
    return partial(_trip, place, point)


if __name__ == "__main__":
    assert Path.cwd() == Path(__file__).parents[2]
    main()
