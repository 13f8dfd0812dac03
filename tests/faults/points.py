"""Where a worker can be cut short, and who of it is killed."""

import pytest


def killing(*whom):
    """The child at work (``horse``), the worker (``parent``), or both."""
    return pytest.mark.parametrize("whom", whom)


each_of_them = killing("horse", "parent", "both")

_CALLS, _DRIVER, _FLEET = "compute/gce_calls.py", "compute/gce.py", "domain/fleet.py"

LEASED = ("call", "do", _DRIVER)
"""The lease and what was decided are committed; nothing has been asked outside."""
BEFORE_RESERVING = ("call", "reserve", _CALLS)
BEFORE_INSERTING = ("call", "insert", _CALLS)
BEFORE_DELETING = ("call", "delete", _CALLS)
"""The cloud was looked at, and is about to be asked for a change."""
ANSWERED = ("return", "do", _DRIVER)
"""The cloud's answer has been read; nothing of it is in the rows."""
WRITTEN = ("return", "finish", _FLEET)
"""The answer is in the rows, and not committed."""
ENDED = ("return", "advance", "jobs/effect.py")
"""All is committed; the queue does not know yet."""
