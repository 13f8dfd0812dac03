"""What is ours in a project that others share: by name, label and environment, all of them.

Addresses carry the same in their description, since labels may not stick to them at insertion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.gateways.compute.driver import Step, StepKind
from app.gateways.compute.gce_settings import GceSettings

MANAGED_BY = "plutarc"
ADDRESS = re.compile(r"b-[a-z0-9]{1,40}-ip", re.ASCII)
MACHINE = re.compile(r"[bt]-[a-z0-9]{1,40}-g[0-9]{1,9}", re.ASCII)
"""``b``: a bot's; ``t``: a task's, which has no address of its own."""
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII)
_PLACE = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_OF_MACHINES = frozenset(
    {
        StepKind.INSERT_MACHINE,
        StepKind.OBSERVE_MACHINE,
        StepKind.DELETE_MACHINE,
        StepKind.READ_CONSOLE,
        StepKind.DELETE_DISK,
    }
)


def labels(settings: GceSettings, step: Step) -> dict[str, str]:
    """What a machine, its disk and its address are marked with."""
    found = {"managed-by": MANAGED_BY, "env": settings.env_label, "bot": step.bot}
    if step.generation is not None:
        found["generation"] = str(step.generation)
    return found


def description(settings: GceSettings, step: Step) -> str:
    """The same for an address, as text."""
    return f"{MANAGED_BY}/{settings.env_label}/{step.bot}"


def fault(step: Step) -> str:
    """Why a step cannot be one of ours, or nothing."""
    if not _PLACE.fullmatch(step.region):
        return f"{step.region!r} cannot be a region"
    if step.zone and not (_PLACE.fullmatch(step.zone) and step.zone.startswith(f"{step.region}-")):
        return f"{step.zone!r} is no zone of {step.region}"
    if step.bot and not _LABEL.fullmatch(step.bot):
        return f"{step.bot!r} cannot be a label"
    if step.kind in _OF_MACHINES:
        if not MACHINE.fullmatch(step.machine_name or ""):
            return f"{step.machine_name!r} is no name of a machine of ours"
    elif step.kind is StepKind.LIST_ZONES and step.is_task:
        return ""
    elif not ADDRESS.fullmatch(step.address_name):
        return f"{step.address_name!r} is no name of an address of ours"
    return ""


def is_ours(settings: GceSettings, found: Mapping[str, str], step: Step | None = None) -> bool:
    """Whether something bears our labels; with ``step`` also those of its bot."""
    own = found.get("managed-by") == MANAGED_BY and found.get("env") == settings.env_label
    if step is None or not step.bot:
        return own
    return own and found.get("bot") == step.bot


def is_our_address(
    settings: GceSettings, found: Mapping[str, str], text: str, step: Step | None = None
) -> bool:
    """The same for an address, which its description marks where labels did not stick."""
    if found:
        return is_ours(settings, found, step)
    own, _, bot = text.rpartition("/")
    if own != f"{MANAGED_BY}/{settings.env_label}":
        return False
    return step is None or not step.bot or bot == step.bot
