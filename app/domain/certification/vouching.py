"""What a person is told of an exchange before choosing it, with who vouches for it, if anybody."""

from dataclasses import dataclass

from app.domain.certification import reports
from app.domain.certification.reports import Seen
from app.domain.venues import VENUES, Venue
from runner.certify import outline


@dataclass(frozen=True)
class Word:
    """``text``: what nobody has seen there yet; empty where everything was. ``by``: who vouches."""

    text: str
    by: Seen | None = None


def word(venue: Venue) -> Word:
    """What nobody has seen there yet, in words that change with what is proven.

    Who goes live accepts these very words, so words that change ask anew.
    """
    return _word(venue, _vouchers([venue.id]))


def words() -> dict[str, Word]:
    """The same of every exchange, by id."""
    found = _vouchers(list(VENUES))
    return {venue.id: _word(venue, found) for venue in VENUES.values()}


def _word(venue: Venue, found: dict[str, Seen]) -> Word:
    by = found.get(venue.id)
    if by is None or not venue.unproven:
        return Word(venue.unproven, by)
    report, tester = by.report, by.row.tester
    return Word(
        f"Never proven with real money at {venue.title}. In its test environment every check was "
        f"passed, as {tester.name} vouches: on {report.ended_at:%-d %B %Y}, with runner "
        f"{report.runner_version}, signed with the key {by.key}.",
        by,
    )


def _vouchers(exchanges: list[str]) -> dict[str, Seen]:
    """The newest report in force of each test environment, where it passed."""
    newest: dict[str, Seen] = {}
    for it in reports.of_places(exchanges):
        if it.report.environment in outline.ENVIRONMENTS and it.standing is reports.Standing.VALID:
            newest.setdefault(it.report.exchange, it)
    return {name: it for name, it in newest.items() if it.vouches}
