"""The worker processes of a stage: started, found stopped at a point, killed."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.e2e.conftest import ROOT
from tests.kill.house import children
from tests.services import die_with_parent
from tests.waiting import until

PAUSE = 0.01
"""Between two looks at a process."""


class Workers:
    """Parents that wait for jobs, the newest last."""

    def __init__(self, var, environ, ping):
        self._trip, self._ping = var / "trip", ping
        self.parents = []
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(var / "nursery.log").open("ab"),
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
        )
        assert self._nursery.stdout.readline() == "ready\n", (var / "nursery.log").read_text()

    def start(self):
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        self.parents.append(int(self._nursery.stdout.readline()))
        return self.parents[-1]

    def at_least_one(self):
        """One parent that has nothing in hand; whatever else there is goes."""
        for parent in list(self.parents):
            if children(parent) or parent != self.parents[0]:
                self.kill(parent)
        if not self.parents:
            self.start()

    def end(self):
        for parent in list(self.parents):
            self.kill(parent)
        self._nursery.stdin.close()
        self._nursery.wait()
        self._nursery.stdout.close()

    # -- points -------------------------------------------------------------------------------

    def trip(self, event, function, file):
        """Have the next job's child stop itself as it comes to that point."""
        point = {"event": event, "function": function, "file": file}
        draft = self._trip.with_suffix(".draft")
        draft.write_text(json.dumps(point))
        draft.replace(self._trip)

    def stopped(self):
        """The child that has come to its point, if one has."""
        horses = [horse for parent in self.parents for horse in children(parent)]
        return next((horse for horse in horses if state(horse) == "T"), None)

    def go_on(self, horse):
        """Let a stopped child go on to its end."""
        os.kill(horse, signal.SIGCONT)
        until("a child that goes on has ended", lambda: state(horse) in ("", "Z", "X"), PAUSE)

    # -- kills --------------------------------------------------------------------------------

    def kill(self, pid):
        """``kill -9``; it is over when the process does nothing any more."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        until("a killed process has ended", lambda: state(pid) in ("", "Z", "X"), PAUSE)
        if pid in self.parents:
            self.parents.remove(pid)
            # One answer later the server knows that nobody waits there, and hands it no job.
            self._ping()

    def strike(self, whom):
        """Kill the child at work, its parent or both; afterwards there is a parent again."""
        parent = self.parents[-1]
        horses = children(parent)
        assert len(horses) == 1, "there is no child at work to be killed"
        if whom in ("horse", "both"):
            self.kill(horses[0])
        if whom in ("parent", "both"):
            self.kill(parent)
            # The kernel ends the child of a parent that was killed.
            until("its child has ended", lambda: state(horses[0]) in ("", "Z", "X"), PAUSE)
            self.start()


def state(pid):
    """The kernel's letter for what a process does; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
