"""What the pages of a bot have in common: what they load, and the choices its forms offer."""

from typing import Any

from flask import Response, render_template, request

from app import current
from app.domain import (
    addresses,
    bindings,
    bot_alarms,
    bot_warnings,
    feed,
    first_position,
    leads,
    limit_breaches,
    overview,
    pauses,
    position_stops,
    records,
    retries,
    revisions,
    runs,
    schedule,
    schedule_text,
    wishes,
    write_offs,
)
from app.domain.lifecycle import Tempo
from app.domain.limits import TITLES
from app.domain.schedule import Schedule
from app.forms.schedule import ScheduleForm
from app.models import AddressEventKind, Bot
from app.web import billing_pages, decided, series, sheets
from app.web.formatting import decimals
from app.web.guards import allowed
from app.web.week import Week, week

TABS = ("overview", "orders", "history")


def page(tab: str, bot: Bot) -> str:
    """One tab of a bot as a whole page."""
    return render_template(f"bots/{tab}.html", **{"tab": tab, "version": "", **tab_of(tab, bot)})


def state_of(bot: Bot) -> dict[str, Any]:
    """What the state panel shows."""
    now = current.now()
    row = overview.summary(bot, now, current.config().tempo)
    newest = records.machines(bot, 2)
    machine = next((item for item in newest if item.gone_at is None), None)
    ringing = bot_alarms.of_bot(bot)
    return {
        "bot": bot,
        "row": row,
        "seen_elsewhere": bindings.seen_elsewhere(bot),
        "now": now,
        "machines": newest,
        "flat": runs.is_flat_on(bot.id, machine, now),
        "settled": row.reading.settled,
        "trouble": retries.trouble(bot, now),
        "stops": position_stops.of(bot, row.positions, now),
        "unlisted": write_offs.symbols(bot),
        "passed": limit_breaches.standing(bot, now),
        "pauses": pauses.of(bot),
        "warnings": bot_warnings.of_machine(machine, now),
        "limit_titles": TITLES,
        "alarms": ringing,
        "takers": bot_alarms.takers(ringing),
        "approved": revisions.stands(bot),
        # Of buttons that somebody does not have, no guide is any help.
        "guide": first_position.of(bot, current.user()) if allowed("bot.start") else None,
    }


def tab_of(tab: str, bot: Bot) -> dict[str, Any]:
    """What one tab shows, the state panel included."""
    return state_of(bot) | _LOADERS[tab](bot)


def drawing(bot: Bot, name: str) -> dict[str, Any]:
    """Numbers for the charts of one symbol."""
    candles = records.candles(bot, name)
    run = records.run_of(bot)
    return {
        "candles": series.candle_points(candles),
        "markers": series.markers(records.trades(bot, 200), name, candles),
        "equity": series.equity_points(records.equity(run), records.flows(run)),
        "decimals": series.price_decimals(candles),
        "live": not overview.summary(bot, current.now(), current.config().tempo).reading.settled,
    }


def _overview(bot: Bot) -> dict[str, Any]:
    told = decided.latest(bot) if allowed("strategy.view") else {}
    return {
        **told,
        "trades": records.trades(bot, 8),
        "places": _places(bot),
        "feed": feed.latest(current.workspace(), bot=bot, limit=8),
        "week": week_of(bot, schedule.from_plain(bot.schedule)),
        "flows": series.flow_sums(records.flows(records.run_of(bot))),
    }


def _orders(bot: Bot) -> dict[str, Any]:
    return {
        "orders": records.orders(bot, 50),
        "fills": records.fills(bot, 50),
        "trades": records.trades(bot, 50),
        "places": _places(bot),
    }


def _history(bot: Bot) -> dict[str, Any]:
    return {
        "machines": records.machines(bot),
        "address_events": addresses.history(bot, 50),
        "address_words": ADDRESS_WORDS,
        "feed": feed.latest(current.workspace(), bot=bot, limit=40),
    }


def addresses_of(bot: Bot) -> Response:
    """All that happened to its address as a file, newest first."""
    rows = (
        (
            *(it.at.isoformat(), it.ip, it.kind.value, "yes" if it.ok else "no", it.generation),
            sheets.harmless(it.detail),
        )
        for it in addresses.history(bot, limit=None)
    )
    name = f"addresses-{current.workspace().slug}-{bot.id}.csv"
    return sheets.answer(name, ADDRESS_COLUMNS, rows)


ADDRESS_COLUMNS = ("at_utc", "address", "event", "as_it_should_be", "generation", "note")
ADDRESS_WORDS = {
    AddressEventKind.RESERVED: "reserved",
    AddressEventKind.ATTACHED: "a machine runs at it",
    AddressEventKind.SEEN_BY_GATE: "seen by the platform",
    AddressEventKind.SEEN_BY_VENUE: "seen by the venue",
    AddressEventKind.LOST: "lost",
    AddressEventKind.FOUND: "found again",
    AddressEventKind.RELEASED: "given up",
}

_LOADERS = {
    "overview": _overview,
    "orders": _orders,
    "history": _history,
}


def _places(bot: Bot) -> int:
    """The decimals of a price, as the venue's own candles have them."""
    return decimals(records.closes(bot, 20), least=2)


def _region(bot: Bot | None) -> str:
    """Where a bot lives; where a new one would, as typed so far."""
    if bot is not None:
        return bot.region
    regions = current.config().compute.regions
    return next((it for it in regions if it == request.form.get("region")), regions[0])


def _tempo(bot: Bot | None) -> Tempo:
    """How early it wakes, as its region has taught; a new bot's own share is not known yet."""
    tempo = current.config().tempo
    return leads.of_bot(bot, tempo) if bot else leads.tempo_of(_region(bot), tempo)


def week_of(bot: Bot | None, plan: Schedule) -> Week:
    """The next seven days of a bot under a schedule, wishes of the day included."""
    now = current.now()
    awake, asleep = wishes.standing(bot, now) if bot else (None, None)
    tempo = _tempo(bot)
    return week(plan, now, tempo, keep_awake_until=awake, asleep_until=asleep)


def preview(bot: Bot | None, form: ScheduleForm) -> dict[str, Any]:
    """What a schedule as typed would do, or why it cannot be said. Without a bot: of a new one."""
    plan = form.attempt(form.plan)
    if plan is None:
        fault = next((message for _, message in form.fault_list()), "")
        return {"preview": None, "preview_fault": fault}
    form.explain(plan)
    tempo = _tempo(bot)
    found = schedule_text.findings(
        plan, current.now(), wake_lead=tempo.wake_lead, least_gap=tempo.sleep_min_gap
    )
    shown = {
        "findings": found,
        "week": week_of(bot, plan),
        "advice": billing_pages.advice_on(_region(bot), plan),
    }
    return {"preview": shown, "preview_fault": ""}
