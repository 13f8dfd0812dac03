"""Waiting for what another process does, however busy the machine is."""

import time

PATIENCE = 300
"""Seconds after which a test says that it hangs; no promise of speed lies in them."""


def until(what, look, pause=0.05):
    """Look again and again; what the last look returned, once it is something."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(pause)
    return found
