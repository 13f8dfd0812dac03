"""The price book: what it must say, and what is refused with words that help."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.domain import price_book
from app.domain.price_book import Unreadable

SHIPPED = json.loads(price_book.SHIPPED.read_text())


def test_the_shipped_book_says_where_it_is_from():
    book = price_book.load(price_book.SHIPPED)
    (version,) = book.versions
    assert "list prices" in version.source
    assert version.read_on.year == 2026
    rates = book.rates("us-central1", datetime(2026, 11, 1, tzinfo=UTC))
    assert rates.awake("e2-micro") == Decimal("0.01475")
    assert rates.machine("n9-huge") is None
    assert book.rates("mars-north1", datetime(2026, 11, 1, tzinfo=UTC)) is None
    assert book.rates("us-central1", datetime(2020, 1, 1, tzinfo=UTC)) is None


def broken(change):
    found = copy.deepcopy(SHIPPED)
    change(found["versions"][0], found)
    return found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it, _: it["regions"]["local"].update(address_idle=0.01), "in quotes"),
        (lambda it, _: it["regions"]["local"].update(address_idle="-1"), "no number from 0"),
        (lambda it, _: it["regions"]["local"].update(address_idle="NaN"), "no number from 0"),
        (lambda it, _: it["regions"]["local"].pop("address_idle"), "lacks address_idle"),
        (lambda it, _: it["regions"]["local"].update(snacks="1"), "holds snacks"),
        (lambda it, _: it["regions"]["local"].update(usual_machine="x"), "none of its machines"),
        (lambda it, _: it.update(valid_from="2026-01-01T00:00:00"), "needs a zone"),
        (lambda it, _: it.update(idle_payer="nobody"), "nobody"),
        (lambda it, _: it.update(regions={}), "at least one"),
        (lambda _, book: book.update(currency="EUR"), "USD"),
        (lambda it, book: book["versions"].append(dict(it, name="b")), "same valid_from"),
        (lambda _, book: book.update(versions=[]), "at least one"),
    ],
)
def test_what_does_not_do_is_named(change, words):
    with pytest.raises(Unreadable, match=words):
        price_book.read(broken(change))


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(Unreadable, match="cannot be read"):
        price_book.load(tmp_path / "gone.json")
    (tmp_path / "odd.json").write_text("{")
    with pytest.raises(Unreadable, match="no JSON"):
        price_book.load(tmp_path / "odd.json")
    (tmp_path / "bare.json").write_text('{"currency": 1.5}')
    with pytest.raises(Unreadable, match="bare number"):
        price_book.load(tmp_path / "bare.json")
