"""What to do about a bot that cannot get its machine: from the cause to a sentence for a person.

The cloud's own words stand beside it; this says what they mean and whose turn it is.
"""

from dataclasses import dataclass

from app.domain import places, quotas
from app.gateways.compute.driver import Cause


@dataclass(frozen=True)
class Advice:
    """What is wrong, in one line; what its owner can do; what an operator can."""

    title: str
    user: str
    operator: str


_OPERATOR = "Only the operator of this installation can change that; ask for help."
_IMAGE = Advice(
    "The image that machines start from is gone.",
    _OPERATOR,
    "Set GCE_IMAGE to an image or family that exists, restart the workers, then try again.",
)
_PROJECT = Advice(
    "The cloud does not know the project.",
    _OPERATOR,
    "Compare GCE_PROJECT with the project's id, and see that the Compute Engine API is on.",
)
_ADVICE = {
    Cause.QUOTA: Advice(
        "The cloud's quota for this region is used up.",
        "Only the operator can have it raised; ask for help. A bot that is deleted gives back its "
        "address.",
        "Raise the quota that is named, or release what is not needed; then open the region.",
    ),
    Cause.PERMISSION: Advice(
        "The platform lacks a permission in the cloud.",
        _OPERATOR,
        "Give the service account the permission that is named, or renew its key; then open the "
        "region.",
    ),
    Cause.INVALID: Advice(
        "The cloud takes the request for a mistake.",
        _OPERATOR,
        "Compare the settings of compute with what the cloud says; then try again.",
    ),
    Cause.CAPACITY: Advice(
        "The cloud has no machine to give in this region now.",
        "Wait: it is tried in every zone, again and again. Positions keep their protective stops.",
        "Wait, or choose another machine type. An address cannot move to another region.",
    ),
    Cause.RATE: Advice(
        "The cloud asks for a pause.",
        "Wait a few minutes; it is tried again by itself.",
        "Wait; lower COMPUTE_IN_FLIGHT if this comes often.",
    ),
    Cause.HELD: Advice(
        "Another machine has this bot's address.",
        "Wait a few minutes; if it stays so, ask for help.",
        "Look at the machine that is named: ours go by themselves, a foreign one by your hand.",
    ),
    Cause.LOST: Advice(
        "The address of this bot is no longer reserved.",
        "Do not trade by hand from its keys: they may be bound to an address that is somebody "
        "else's now. Ask for help.",
        "Reserve the same address again if the cloud still gives it. Otherwise its owner must "
        "make a new bot and bind a new key; no other address is ever put in its place.",
    ),
}
_SHUT = Advice(
    "The operator has shut this region for a while.",
    "Wait: it goes on by itself when the region is open again.",
    "Open the region when what you shut it for is done.",
)
_BOUND = Advice(
    "The workspace has reached a bound.",
    "It wakes by itself once there is room again.",
    "Nothing is broken: the terms of its workspace say so. Agree on wider ones if it should wake.",
)
_OTHERWISE = Advice(
    "The cloud did not do what was asked.",
    "It is tried again by itself. If it stays so, ask for help.",
    "Read what it says; try again once the cause is gone.",
)


def about(cause: str, words: str) -> Advice:
    """What fits a cause of the drivers, and the words that came with it."""
    if cause == places.BY_HAND:
        return _SHUT
    if cause == quotas.BOUND:
        return _BOUND
    lower = words.casefold()
    if cause == Cause.INVALID and "image" in lower:
        return _IMAGE
    if cause in (Cause.INVALID, Cause.PERMISSION) and "project" in lower:
        missing = any(it in lower for it in ("not found", "unknown", "does not exist"))
        return _PROJECT if missing else _ADVICE[Cause(cause)]
    return _ADVICE.get(Cause(cause), _OTHERWISE) if cause in set(Cause) else _OTHERWISE
