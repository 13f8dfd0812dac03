"""Where bots can live, and how much dearer one region is than another."""

from decimal import Decimal

import pytest

from app.domain import regions, statement_lines
from app.domain.errors import Invalid
from app.domain.price_book import Book, Rates, Version
from app.models import IdlePayer
from tests.factories import NOW

CENT = Decimal("0.01")


def rates(hour):
    return Rates({"e2-micro": Decimal(hour)}, "e2-micro", CENT / 2, CENT, Decimal(0), 0)


def pricing(**hours):
    found = {region.replace("_", "-"): rates(hour) for region, hour in hours.items()}
    version = Version("v", NOW, "list", NOW.date(), IdlePayer.OPERATOR, Decimal(0), found)
    return statement_lines.pricing(Book("USD", (version,)), Decimal(20), IdlePayer.OPERATOR)


def test_the_first_region_is_taken_unless_another_is_named():
    offered = ("europe-west1", "us-central1")
    assert regions.choose(None, offered) == "europe-west1"
    assert regions.choose("", offered) == "europe-west1"
    assert regions.choose("us-central1", offered) == "us-central1"
    with pytest.raises(Invalid, match="Choose europe-west1 or us-central1") as refusal:
        regions.choose("local", offered)
    assert refusal.value.field == "region"


def test_each_region_says_what_a_month_costs_and_how_much_more_that_is():
    price = pricing(us_east1="0.0100", us_west1="0.0125")
    dear, cheap, unknown = regions.places(("us-west1", "us-east1", "mars1"), "e2-micro", price, NOW)
    # An hour: machine and address in use, a fifth on top; 720 of them.
    assert (cheap.awake, cheap.more) == (12_960_000, 0)
    assert dear.awake == 15_120_000
    assert round(dear.more, 4) == Decimal("0.1667")
    assert (unknown.region, unknown.awake, unknown.more) == ("mars1", None, None)


def test_a_machine_the_book_does_not_know_has_no_price():
    (place,) = regions.places(("us-east1",), "a3-mega", pricing(us_east1="0.01"), NOW)
    assert place.awake is None


def test_nothing_costs_more_than_nothing():
    there = ("one1", "two1")
    price = statement_lines.pricing(
        Book(
            "USD",
            (
                Version(
                    *("v", NOW, "list", NOW.date(), IdlePayer.OPERATOR, Decimal(0)),
                    {
                        name: Rates({"*": CENT * 0}, "*", CENT * 0, CENT, CENT * 0, 0)
                        for name in there
                    },
                ),
            ),
        ),
        Decimal(0),
        IdlePayer.OPERATOR,
    )
    assert [place.more for place in regions.places(there, "local", price, NOW)] == [0, 0]
