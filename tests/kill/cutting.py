"""Work that is cut short by ``kill -9`` at a given line, in a child of the test."""

import os
import signal
import sys

from app.extensions import db


def killed_at(line, place, work):
    """Do ``work`` in a child that is killed as it comes to the ``line``-th line of ``place``.

    Returns whether it came that far.
    """
    db.session.remove()
    child = os.fork()
    if child == 0:
        try:
            db.engine.dispose(close=False)
            sys.settrace(_killer(line, place))
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _killer(line, place):
    left = line

    def trace(frame, event, _argument):
        nonlocal left
        if place not in frame.f_code.co_filename:
            return None
        left -= event == "line"
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace
