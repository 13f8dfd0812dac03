"""What the page of a bot's decisions loads, and the file of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from app import current
from app.domain.decisions import funnels, reading
from app.domain.decisions.reading import Period, Wanted
from app.forms.base import offered
from app.forms.decisions import USUAL, DecisionFilterForm
from app.models import Bot
from app.web import bot_pages, trade_pages
from app.web.formatting import decimals
from runner.metrics.funnel import STAGES, Reason
from runner.protocol import Mode

SHOWN = 60
COLUMNS = (
    *("candle_opened_utc", "symbol", "close", "action", "outcome", "signals_ask_for"),
    *("blocked_by", "reason", "verdicts", "source"),
)


def shown(bot: Bot) -> dict[str, Any]:
    """The funnel of what the address asks for, one page of its candles, and the state panel.

    A filter that cannot be read shows nothing and says why.
    """
    form = DecisionFilterForm(formdata=request.args)
    form.offer(bot)
    context: dict[str, Any] = {"form": form, "found": None, "lines": [], "older": None}
    if form.validate():
        context |= _found(bot, form)
    else:
        for field in (form.blocker, form.said):
            field.choices = offered([("", "Any")])
    places = decimals([line.row.close for line in context["lines"]], least=2)
    before, filtered = _before(), bool(set(form.address()) - {"period", "mode"})
    told = {"before": before, "filtered": filtered, "places": places}
    return {**bot_pages.state_of(bot), "tab": "decisions", **context, **told}


def file(bot: Bot) -> Response:
    """All candles of the filter as a file, the newest first; 422 if it cannot be read."""
    form = DecisionFilterForm(formdata=request.args)
    form.offer(bot)
    if not form.validate():
        return Response("This filter cannot be read.", 422, mimetype="text/plain")
    wanted = _narrowed(form, funnels.asked(bot, *_asked(form)))
    name = f"decisions-{current.workspace().slug}-{bot.id}-{current.now():%Y%m%d}.csv"
    return trade_pages.streamed(name, COLUMNS, lambda: _rows(wanted))


def _found(bot: Bot, form: DecisionFilterForm) -> dict[str, Any]:
    whole = funnels.asked(bot, *_asked(form))
    found = funnels.summary(bot, whole)
    form.offer_found(found)
    lines = reading.newest(_narrowed(form, whole), SHOWN)
    older = lines[-1].row.candle_at if len(lines) >= SHOWN else None
    return {"found": found.counts, "lines": lines, "older": older}


def _asked(form: DecisionFilterForm) -> tuple[Mode, str, datetime, str]:
    period = form.period.data or USUAL
    return form.chosen_mode, period, current.now(), form.symbol.data or ""


def _narrowed(form: DecisionFilterForm, whole: Wanted) -> Wanted:
    """What is asked for of a whole period, from a candle on into the past."""
    return replace(
        whole,
        period=Period(whole.period.since, _before()),
        step=form.step.data or "",
        blocker=form.blocker.data or "",
        said=form.chosen_said,
    )


def _before() -> datetime | None:
    try:
        found = datetime.fromisoformat(request.args.get("before", "").replace(" ", "+"))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):  # some moments of years 1 and 9999 are none in UTC
        return None


def _rows(wanted: Wanted) -> Iterator[tuple[object, ...]]:
    for line in reading.every(wanted):
        row = line.row
        said = "; ".join(
            f"{it.component} ({it.role}) {'' if it.value is None else it.value}: {it.detail}"
            for it in row.verdicts
        )
        yield (
            *(row.candle_at.isoformat(), line.symbol, row.close, row.action),
            *(STAGES[Reason(row.code)], SIDES[row.direction], row.blocked_by, row.reason, said),
            f"external signal {row.signal}" if row.signal else "candle",
        )


SIDES = {1: "long", 0: "", -1: "short"}
