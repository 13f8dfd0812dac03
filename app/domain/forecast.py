"""What a month will have cost at its end: spent so far, and the rest by the schedules of now."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.domain import advice, leads, price_book, schedule, statement_lines
from app.domain.lifecycle import Tempo
from app.domain.statement_lines import USUAL
from app.domain.statements import Statement
from app.extensions import db
from app.models import Bot, Wish, Workspace


def of_month(told: Statement, workspace: Workspace, now: datetime, tempo: Tempo) -> int | None:
    """In millionths of a dollar; ``None`` after the month's end, or without a price.

    A bot that is started follows its schedule and wishes, a stopped one keeps its address, one
    that is being deleted costs no more. Prices are those of now. A machine comes as early as its
    region has taught; a bot's own share of the spread, seconds a session, is left out.
    """
    if now >= told.month.end:
        return None
    price = statement_lines.pricing(
        price_book.in_use(), told.terms.markup_percent, told.terms.idle_payer
    )
    total, rest = told.total, told.month.end - now
    known: dict[Any, timedelta] = {}
    learned, first = leads.by_region(tempo), leads.first(tempo)
    for wish, region, plan, keep, put in _bots(workspace):
        at = price(region, USUAL, now)
        if at.awake is None or at.idle is None:
            return None
        key = (region, json.dumps(plan, sort_keys=True), keep, put)
        if wish is Wish.FOLLOW and key not in known:
            known[key] = advice.awake_for(
                schedule.from_plain(plan),
                learned.get(region, first),
                now,
                told.month.end,
                keep_awake_until=keep,
                asleep_until=put,
            )
        awake = known[key] if wish is Wish.FOLLOW else timedelta(0)
        total += statement_lines.cost(at.awake, awake // timedelta(microseconds=1))
        total += statement_lines.cost(at.idle, (rest - awake) // timedelta(microseconds=1))
    return total


def _bots(workspace: Workspace) -> list[Any]:
    query = select(
        *(Bot.wish, Bot.region, Bot.schedule, Bot.keep_awake_until, Bot.asleep_until)
    ).where(Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None), Bot.wish != Wish.GONE)
    return list(db.session.execute(query))
