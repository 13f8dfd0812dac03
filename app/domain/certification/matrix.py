"""What is proven of which exchange: one cell for each check, with who says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.certification import reports
from app.domain.certification.reports import Seen, Standing
from app.domain.venues import VENUES, Venue
from runner.certify import outline
from runner.certify.verdict import Line, Verdict
from runner.protocol import Mode


class Proof(StrEnum):
    """What there is to say of one check at one place."""

    PASSED = "passed"
    NOT_OFFERED = "not_offered"
    FAILED = "failed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NEVER = "never"


WORDS: Mapping[Proof, str] = {
    Proof.PASSED: "passed",
    Proof.NOT_OFFERED: "not offered",
    Proof.FAILED: "failed",
    Proof.EXPIRED: "expired",
    Proof.REVOKED: "revoked",
    Proof.NEVER: "never proven",
}
MEANINGS: Mapping[Proof, str] = {
    Proof.PASSED: "the newest report in force says so",
    Proof.NOT_OFFERED: "the exchange has no such thing, or the runner refuses to send it there",
    Proof.FAILED: "the newest report in force says that it did not work",
    Proof.EXPIRED: "it passed with another minor version of the runner, and not since",
    Proof.REVOKED: "it was vouched for by a key that is revoked",
    Proof.NEVER: "nobody has shown it yet",
}
_SAID = {
    Verdict.PASSED: Proof.PASSED,
    Verdict.NOT_OFFERED: Proof.NOT_OFFERED,
    Verdict.FAILED: Proof.FAILED,
}
"""What is not shown says nothing, so an older report is asked."""
_LAPSED = {Standing.EXPIRED: Proof.EXPIRED, Standing.REVOKED: Proof.REVOKED}


@dataclass(frozen=True)
class Cell:
    """One check at one place. ``by``: the report it stands in; nobody's where it never was."""

    step: str
    title: str
    proof: Proof
    by: Seen | None = None


@dataclass(frozen=True)
class Place:
    """An environment of an exchange. ``newest``: the report in force that ended last.

    ``provable``: whether a certification can be made there; with real money none is.
    """

    venue: Venue
    environment: str
    cells: tuple[Cell, ...] = ()
    newest: Seen | None = None

    @property
    def provable(self) -> bool:
        return self.environment in outline.ENVIRONMENTS

    @property
    def command(self) -> str:
        """What proves it."""
        return outline.command(self.venue.id, self.environment)

    @property
    def overall(self) -> Proof:
        """The worst there is to say of any check; what is passed or not offered is good."""
        found = {cell.proof for cell in self.cells}
        order = (Proof.FAILED, Proof.REVOKED, Proof.EXPIRED, Proof.NEVER)
        if not found or found == {Proof.NEVER}:
            return Proof.NEVER
        return next((it for it in order if it in found), Proof.PASSED)

    @property
    def shown(self) -> int:
        """How many checks are passed or not offered."""
        return sum(cell.proof in (Proof.PASSED, Proof.NOT_OFFERED) for cell in self.cells)

    @property
    def since(self) -> datetime | None:
        """When it was last certified, by whatever still counts or did once."""
        found = [cell.by.report.ended_at for cell in self.cells if cell.by is not None]
        return max(found, default=None)


def places(exchange: str | None = None) -> list[Place]:
    """Every environment of every exchange with money in it, or of one exchange."""
    venues = [it for it in VENUES.values() if exchange in (None, it.id)]
    found = reports.of_places([it.id for it in venues])
    return [_place(venue, mode.value, found) for venue in venues for mode in _modes(venue)]


def _modes(venue: Venue) -> list[Mode]:
    """Paper sends nothing, so there is nothing to prove."""
    return [mode for mode in venue.modes if mode is not Mode.PAPER]


def _place(venue: Venue, environment: str, found: Iterable[Seen]) -> Place:
    here = [
        it for it in found if (it.report.exchange, it.report.environment) == (venue.id, environment)
    ]
    if environment not in outline.ENVIRONMENTS:
        return Place(venue, environment)
    cells = tuple(_cell(step, title, here) for step, title in outline.STEPS.items())
    newest = next((it for it in here if it.standing is Standing.VALID), None)
    return Place(venue, environment, cells, newest)


def _cell(step: str, title: str, here: list[Seen]) -> Cell:
    """The newest in force that says anything; else the newest good word that counts no more."""
    said = [(it, line) for it in here for line in it.report.steps if line.step == step]
    for it, line in said:
        if it.standing is Standing.VALID and line.verdict in _SAID:
            return Cell(step, title, _SAID[line.verdict], it)
    for it, line in said:
        if it.standing is not Standing.VALID and _was_good(line):
            return Cell(step, title, _LAPSED[it.standing], it)
    return Cell(step, title, Proof.NEVER)


def _was_good(line: Line) -> bool:
    return line.verdict in (Verdict.PASSED, Verdict.NOT_OFFERED)
