"""What can go wrong, sorted by what to do about it."""


class RunnerError(Exception):
    """Base of all errors the runner raises on purpose."""


class Temporary(RunnerError):
    """Nothing happened and trying again later may work."""


class Operational(RunnerError):
    """Refused for good: trying again changes nothing, a person or the caller must."""


class UnknownOutcome(RunnerError):
    """The request may or may not have taken effect; ask the other side before acting again."""


class Superseded(RunnerError):
    """A newer generation or boot owns this bot; stop."""
