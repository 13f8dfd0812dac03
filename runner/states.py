"""The runner's own states and what may follow what."""

from enum import StrEnum


class State(StrEnum):
    """Where a runner stands; told to the platform at every change."""

    STARTING = "starting"
    PREFLIGHT = "preflight"
    TRADING = "trading"
    DRAINED = "drained"
    STOPPING = "stopping"


FOLLOWS: dict[State, tuple[State, ...]] = {
    State.STARTING: (State.PREFLIGHT, State.STOPPING),
    State.PREFLIGHT: (State.TRADING, State.STOPPING),
    State.TRADING: (State.DRAINED, State.STOPPING),
    State.DRAINED: (State.TRADING, State.STOPPING),
    State.STOPPING: (),
}
