"""Code strategies: where they may run, and what proves that a source may become a version.

A source is read here and never run: not by web, gate or worker.
"""

import hashlib
from typing import Any

from sqlalchemy import select

from app.domain.errors import Invalid, NotAllowed, Refused
from app.extensions import db
from app.models import BacktestState, DryRun
from runner.strategy import validate
from runner.strategy.source import Reading, SourceFault, read

SHUT = (
    "Code strategies are switched off on this installation. Its operator can allow them with "
    "ALLOW_CODE_STRATEGIES=1."
)


class InvalidSource(Invalid):
    """A source that cannot be traded by; each fault has its line."""

    def __init__(self, faults: list[SourceFault]) -> None:
        super().__init__(" ".join(told(fault) for fault in faults), "source")
        self.faults = faults


def told(fault: SourceFault) -> str:
    """A fault in words."""
    return f"Line {fault.line}: {fault.message}"


def is_code(rules: dict[str, Any]) -> bool:
    """Whether a class decides instead of signals."""
    return "code" in rules


def check_allowed(rules: dict[str, Any], *, allowed: bool) -> None:
    """Raises ``Refused`` for a code strategy where none may run."""
    if is_code(rules) and not allowed:
        raise Refused(SHUT)


def source_of(rules: dict[str, Any]) -> str:
    """The text of a code strategy."""
    text: str = rules["code"]["source"]
    return text


def text_of(rules: dict[str, Any]) -> str:
    """The source, or nothing for rules without one."""
    return source_of(rules) if is_code(rules) else ""


def numbered(rules: dict[str, Any]) -> list[tuple[int, str]]:
    """The lines of a code strategy's source with their numbers; none for other rules."""
    return list(enumerate(source_of(rules).splitlines(), 1)) if is_code(rules) else []


def clean(source: str) -> str:
    """A text as it is kept: line ends of one kind, none too many at its end."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def rules_of(source: str) -> dict[str, Any]:
    """The rules a source declares. Raises ``InvalidSource``."""
    reading = read(source)
    faults = reading.faults or _faults(reading)
    if faults:
        raise InvalidSource(faults)
    return reading.rules


def digest_of(source: str) -> str:
    """Names a source: the same text, the same digest."""
    return hashlib.sha256(source.encode()).hexdigest()


def check_proven(workspace_id: str, rules: dict[str, Any]) -> None:
    """A source becomes a version after a dry run of this very text. Raises ``Refused``."""
    if not is_code(rules):
        return
    query = select(DryRun.id).where(
        DryRun.workspace_id == workspace_id,
        DryRun.digest == digest_of(source_of(rules)),
        DryRun.state == BacktestState.DONE,
    )
    if db.session.scalar(query.limit(1)) is None:
        raise Refused("This source has passed no dry run yet; check it first, then save it.")


def check_kind(before: dict[str, Any], after: dict[str, Any]) -> None:
    """A strategy stays what it is: built of components, or code. Raises ``NotAllowed``."""
    if is_code(before) != is_code(after):
        raise NotAllowed("A strategy of components stays one, and so does one of code.")


def without_source(rules: dict[str, Any]) -> dict[str, Any]:
    """Rules for a log of changes: the text is named, not repeated."""
    if not is_code(rules):
        return rules
    text = source_of(rules)
    named = f"{len(text.splitlines())} lines, SHA-256 {digest_of(text)[:12]}"
    return {**rules, "code": {**rules["code"], "source": named}}


def _faults(reading: Reading) -> list[SourceFault]:
    """What is wrong with the rules a sound source declares; the line is in the words already."""
    found = []
    for fault in validate(reading.rules):
        number, _, message = fault.message.removeprefix("Line ").partition(", ")
        sound = fault.message.startswith("Line ") and number.isdigit()
        found.append(SourceFault(int(number), message) if sound else SourceFault(1, fault.message))
    return found
