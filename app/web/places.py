"""The regions a new bot can be born in, as a form offers them."""

from wtforms import SelectChoice

from app import current
from app.domain import months, price_book, regions, statement_lines, statements, terms
from app.domain.regions import Place
from app.forms.base import offered


def choices() -> list[SelectChoice]:
    """All regions with what a bot that is always awake costs there."""
    compute = current.config().compute
    if len(compute.regions) == 1:
        return offered((name, name) for name in compute.regions)
    found = regions.places(compute.regions, compute.machine_type, _pricing(), current.now())
    return offered((place.region, label(place)) for place in found)


def label(place: Place) -> str:
    """A region, its price, and how much dearer it is than the cheapest."""
    if place.awake is None or place.more is None:
        return f"{place.region}: price not known"
    more = round(place.more * 100)
    dearer = f", {more} % more than the cheapest" if more else ""
    return f"{place.region}: {statements.spelt(place.awake)} for 30 days awake{dearer}"


def shown(region: str) -> bool:
    """Whether a bot's region is worth saying: not where there is but one."""
    return current.config().compute.regions != (region,)


def _pricing() -> statement_lines.Pricing:
    """The prices of the workspace, its mark-up included."""
    book, now = price_book.in_use(), current.now()
    agreed = terms.of(current.workspace().id, months.of(now), book)
    return statement_lines.pricing(book, agreed.markup_percent, agreed.idle_payer)
