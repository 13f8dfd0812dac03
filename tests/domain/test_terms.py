"""What was agreed holds from its month on, and months that ended stay as they were."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import price_book, statements, terms
from app.domain.errors import Invalid
from app.domain.months import Month
from app.domain.terms import Terms
from app.extensions import db
from app.models import AuditEvent, BotCompute, IdlePayer, Phase, Resource
from tests import factories
from tests.domain.test_statements import HOUR, used

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
HALF = Terms(Decimal(50), IdlePayer.WORKSPACE)


def agree(workspace, wanted, now=NOW):
    return terms.agree(workspace, wanted, author=None, by=factories.TESTER, now=now)


def test_a_month_that_ended_stays_as_it_was(app):
    workspace = factories.organisation(now=NOW)
    bot = factories.bot(workspace, now=NOW)
    for month in (OCTOBER, NOVEMBER):
        used(bot, Resource.ADDRESS, month.start, month.start + 10 * HOUR)
    before = statements.of_workspace(workspace, OCTOBER, NOW)
    assert terms.of(workspace.id, OCTOBER) == terms.of_house(OCTOBER, price_book.in_use())
    assert agree(workspace, HALF)
    assert statements.of_workspace(workspace, OCTOBER, NOW) == before
    assert statements.of_workspace(workspace, NOVEMBER, NOW).total == 150_000
    later = datetime(2026, 12, 3, tzinfo=UTC)
    assert agree(workspace, Terms(Decimal(0), IdlePayer.OPERATOR, max_bots=3), later)
    assert statements.of_workspace(workspace, NOVEMBER, later).total == 150_000
    assert terms.of(workspace.id, Month(2027, 2)).max_bots == 3
    assert [row.from_month for row in terms.history(workspace.id)] == ["2026-12", "2026-11"]


def test_each_agreement_is_told_once(app):
    workspace = factories.organisation(now=NOW)
    assert agree(workspace, HALF)
    assert not agree(workspace, HALF)
    assert agree(workspace, Terms(Decimal(50), IdlePayer.WORKSPACE, max_machines=2))
    query = select(AuditEvent).where(
        AuditEvent.chain == workspace.id, AuditEvent.action == "billing.terms"
    )
    first, second = db.session.scalars(query.order_by(AuditEvent.seq))
    assert {"field": "markup_percent", "before": "0", "after": "50"} in first.changes
    assert {change["field"] for change in second.changes} == {"from_month", "max_machines"}
    assert len(terms.history(workspace.id)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("markup_percent", Decimal(-1)),
        ("markup_percent", Decimal("1000.01")),
        ("markup_percent", Decimal("0.001")),
        ("max_bots", -1),
        ("max_machines", 10_000_000),
        ("max_spend", Decimal(0)),
        ("max_spend", Decimal("1.001")),
    ],
)
def test_what_does_not_do_is_named(app, field, value):
    workspace = factories.organisation(now=NOW)
    with pytest.raises(Invalid) as caught:
        agree(workspace, Terms(**(vars(HALF) | {field: value})))
    assert caught.value.field == field


def test_who_waited_for_the_old_bounds_looks_at_once(app):
    workspace = factories.organisation(now=NOW)
    waiting, content = (factories.bot(workspace, now=NOW) for _ in range(2))
    for bot, problem in ((waiting, "no room"), (content, "")):
        compute = db.session.get(BotCompute, bot.id)
        compute.phase, compute.problem, compute.due_at = Phase.ASLEEP, problem, NOW + HOUR
    db.session.flush()
    agree(workspace, HALF)
    db.session.expire_all()
    assert db.session.get(BotCompute, waiting.id).due_at == NOW
    assert db.session.get(BotCompute, content.id).due_at == NOW + HOUR
