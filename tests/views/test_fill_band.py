"""Beside the price of a fill on paper stand the best and the worst it may well have had."""

from decimal import Decimal

from sqlalchemy import select

from app.extensions import db
from app.models import Bot, FillRow
from runner.protocol import Mode


def cells(page):
    (table,) = [table for table in page.all("table") if table.get("id") == "fills"]
    return [" ".join(cell.text.split()) for cell in (*table.all("th"), *table.all("td"))]


def test_a_fill_on_paper_shows_its_band_and_one_at_a_venue_has_none(owner, desk, house):
    name = desk.bot.rsplit("/", 1)[-1]
    with house.app_context():
        for row in db.session.scalars(select(FillRow).where(FillRow.bot_id == name)):
            row.optimistic, row.pessimistic = Decimal("63250.1"), Decimal("63254.8")
        db.session.commit()
    told = cells(owner.get(f"{desk.bot}/orders"))
    assert "Best to worst" in told
    assert "63,250.10 to 63,254.80" in told
    with house.app_context():
        db.session.get(Bot, name).mode = Mode.TESTNET
        db.session.commit()
    assert "Best to worst" not in owner.get(f"{desk.bot}/orders").text
