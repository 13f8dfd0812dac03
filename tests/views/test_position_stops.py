"""The line beside a position that says what stands behind it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Bot, PositionRow, ProtectionRow
from runner.protocol import ProtectionState

LABEL = "What protects the position"
STATES = ProtectionState


def told(house, desk, state, age=14, **values):
    now = datetime.now(UTC)
    with house.app_context():
        bot = db.session.get(Bot, desk.bot.rsplit("/", 1)[-1])
        position = db.session.scalar(select(PositionRow).where(PositionRow.bot_id == bot.id))
        known = {
            "price": Decimal("58123.4"),
            "quantity": abs(position.quantity),
            "verified_at": now - timedelta(seconds=age),
            "why": "",
        }
        db.session.merge(
            ProtectionRow(
                workspace_id=bot.workspace_id,
                bot_id=bot.id,
                symbol=position.symbol,
                state=state,
                stop_id="s",
                reported_at=now - timedelta(seconds=age),
                **(known | values),
            )
        )
        db.session.commit()


def lines(page):
    lists = [part for part in page.all("ul") if part.get("aria-label") == LABEL]
    return [" ".join(part.text.split()) for part in lists]


@pytest.mark.parametrize(
    ("state", "values", "words"),
    [
        (
            STATES.VERIFIED,
            {},
            ("Stop 58,123.40 for", "seen at the venue", "rests at the practice market"),
        ),
        (STATES.VERIFIED, {"age": 600}, ("last seen at the venue 10 min", "is not known")),
        (
            STATES.MISSING,
            {"why": "the venue refused the stop"},
            ("No stop can be counted on: the venue refused", "nothing closes the position"),
        ),
        (
            STATES.NONE,
            {"why": "on paper the stop rests on the bot's own machine"},
            ("On paper the stop rests on", "No money is at stake on paper"),
        ),
    ],
)
def test_the_page_says_what_stands_behind_a_position(state, values, words, owner, desk, house):
    told(house, desk, state, **values)
    (said,) = lines(owner.get(desk.bot))
    for word in words:
        assert word in said


def test_a_bot_that_holds_nothing_has_no_such_line(owner, desk):
    assert lines(owner.get(desk.resting)) == []
