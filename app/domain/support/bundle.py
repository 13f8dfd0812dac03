"""A diagnostic bundle: what the desk needs to know of one bot, and nothing else.

Made from a list of what is allowed, never from rows as they are. Texts that a venue, a runner or a
person wrote go through ``scrub`` besides. Amounts of an account become ranges.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from sqlalchemy import select

from app.domain import overview, records
from app.domain.lifecycle import Tempo
from app.domain.support import outages
from app.domain.support.scrub import scrubbed
from app.extensions import db
from app.models import AuditEvent, Bot, BotCommand, BotCompute, Machine, OrderRow, RunnerNotice
from runner.protocol import Limits, OnBreach, to_plain
from runner.strategy.registry import COMPONENTS, parameters_of
from runner.strategy.spec import COMBINATIONS, DIRECTIONS, MARKET_TYPES, ROLES, SIZINGS, TIMEFRAMES

FORMAT = 1
EVENTS, ORDERS, MACHINES = 200, 50, 20
CURRENT_FOR = timedelta(hours=2)
"""How long what was previewed may be sent; older than that it is shown anew."""

STEPS = (0, 10, 100, 1_000, 5_000, 10_000, 50_000, 100_000, 1_000_000)
"""The ends of the ranges that an account's value is told as, in quote currency."""

HEALTH = (
    *("latency_p50_ms", "latency_p95_ms", "rest_p50_ms", "rest_p95_ms", "ws_p50_ms", "ws_p95_ms"),
    *("rate_limit_headroom", "backlog", "cpu_percent", "memory_mb", "disk_percent"),
)
"""What is taken over of a runner's own figures, where it tells them; numbers alone."""

_CODE = re.compile(r"[\"']?(?:code|retCode|sCode)[\"']?\s*[:=]\s*[\"']?(-?\d{1,8})")
_KIND = re.compile(r"\b([A-Z][A-Za-z]{3,40})\b(?= |$)")


def collect(bot: Bot, now: datetime, tempo: Tempo, *, rules: bool) -> dict[str, Any]:
    """Everything a bundle holds, as plain data.

    Args:
        bot: whose.
        now: the moment, UTC.
        tempo: how its state is read.
        rules: whether the rules of its strategy go along; only for whoever may see them.
    """
    row = overview.summary(bot, now, tempo)
    machines = records.machines(bot, MACHINES)
    found = {
        "format": FORMAT,
        "collected_at": _at(now),
        "bot": _bot(bot) | {"state": row.reading.label, "detail": row.reading.detail},
        "strategy": _strategy(bot, rules=rules),
        "account": _account(bot, bool(row.positions)),
        "machine": _living(machines),
        "machines": [_machine(it) for it in machines],
        "phase": _phase(bot),
        "orders": [_order(it) for it in records.orders(bot, ORDERS)],
        "events": _events(bot),
        "incidents": [
            {"id": it.id, "title": it.title, "state": it.state, "began_at": _at(it.began_at)}
            for it in outages.hitting(bot.exchange)
        ],
    }
    cleaned: dict[str, Any] = scrubbed(to_plain(found))
    return cleaned


def canonical(body: dict[str, Any]) -> str:
    """The one spelling of a bundle; its hash is made from it."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(body: dict[str, Any]) -> str:
    """SHA-256 of the canonical spelling, in hex."""
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def reject_code(reason: str) -> str:
    """The venue's number for a refusal, else the kind of error, else nothing."""
    found = _CODE.search(reason) or _KIND.search(reason)
    return found[1] if found else ""


def in_range(value: Decimal | None) -> str | None:
    """An amount as a range: enough to tell an empty account from a full one."""
    if value is None:
        return None
    if value < 0:
        return "below 0"
    below = [step for step in STEPS if step <= value]
    above = [step for step in STEPS if step > value]
    return f"{below[-1]:,} to {above[0]:,}" if above else f"above {STEPS[-1]:,}"


def _bot(bot: Bot) -> dict[str, Any]:
    sessions = bot.schedule.get("sessions", [])
    return {
        "id": bot.id,
        "exchange": bot.exchange,
        "region": bot.region,
        "mode": bot.mode,
        "wish": bot.wish,
        "paused": bot.paused,
        "symbols": list(bot.symbols),
        "limits": {it.name: _limit(bot.limits.get(it.name)) for it in fields(Limits)},
        "schedule": {
            "zone": bot.schedule.get("zone"),
            "sessions": [{key: it[key] for key in ("days", "opens", "closes")} for it in sessions],
            "flatten": bot.schedule.get("flatten", False),
            "quiet_minutes": bot.schedule.get("quiet_minutes", 0),
        },
        "has_key": bool(bot.testnet_connection_id or bot.live_connection_id),
        "starting_balance": in_range(bot.starting_balance),
        "created_at": _at(bot.created_at),
    }


def _strategy(bot: Bot, *, rules: bool) -> dict[str, Any]:
    version = bot.version
    found = {"id": version.strategy_id, "name": version.strategy.name, "version": version.number}
    if not rules:
        return found
    said = version.rules
    sizing, way = said.get("sizing", {}), said.get("combination", {})
    return found | {
        "market_type": _one_of(said.get("market_type"), MARKET_TYPES),
        "timeframe": _one_of(said.get("timeframe"), tuple(TIMEFRAMES)),
        "direction": _one_of(said.get("direction"), DIRECTIONS),
        "combination": _one_of(way.get("mode"), COMBINATIONS),
        "threshold": _number(way.get("threshold")),
        "sizing": _one_of(sizing.get("kind"), SIZINGS),
        "size": _number(sizing.get("value")),
        "size_atr": [_number(sizing.get("period")), _number(sizing.get("multiple"))],
        "components": list(_components(said)),
    }


def _components(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Names and numbers; a component nobody here knows is left out."""
    for section in (*ROLES, "exits"):
        for entry in said.get(section, []):
            if entry.get("kind") in COMPONENTS:
                yield {
                    "section": section,
                    "kind": entry["kind"],
                    "enabled": bool(entry.get("enabled", True)),
                    "weight": _number(entry.get("weight")),
                    "timeframe": _one_of(entry.get("timeframe"), tuple(TIMEFRAMES)),
                    "numbers": {
                        name: number
                        for name, value in parameters_of(entry).items()
                        if (number := _number(value)) is not None
                    },
                    "choices": _choices(entry),
                }


def _choices(entry: dict[str, Any]) -> dict[str, Any]:
    """What was picked from a list of the component's own."""
    given = parameters_of(entry)
    picked = [p for p in COMPONENTS[entry["kind"]].parameters if p.kind == "choice"]
    return {p.name: _one_of(given[p.name], p.choices) for p in picked}


def _account(bot: Bot, open_position: bool) -> dict[str, Any]:
    points = records.equity(records.run_of(bot), 1)
    newest = points[-1] if points else None
    return {
        "open_position": open_position,
        "equity": in_range(newest.equity if newest else None),
        "balance": in_range(newest.balance if newest else None),
        "as_of": _at(newest.at) if newest else None,
    }


def _living(machines: list[Machine]) -> dict[str, Any]:
    """The machine of now, or the last one; what its runner tells of itself, as far as it does."""
    if not machines:
        return {}
    newest, checked = machines[0], machines[0].preflight or {}
    health = {name: _number(newest.health.get(name)) for name in HEALTH}
    told = {name: value for name, value in health.items() if value is not None}
    return told | {
        "generation": newest.generation,
        "runner_version": newest.runner_version,
        "last_heartbeat": _at(newest.synced_at),
        "position_state": newest.position_state,
        "open_orders": newest.open_orders,
        "clock_skew_ms": _number(checked.get("clock_skew_ms")),
        "preflight_passed": bool(checked["passed"]) if checked else None,
        "preflight": [
            {"name": it["name"], "ok": it["ok"], "detail": it.get("detail", "")}
            for it in checked.get("checks", [])
        ],
    }


def _machine(it: Machine) -> dict[str, Any]:
    return {
        "generation": it.generation,
        "asked_at": _at(it.created_at),
        "running_at": _at(it.running_at),
        "claimed_at": _at(it.claimed_at),
        "dead_at": _at(it.dead_at),
        "gone_at": _at(it.gone_at),
        "end_reason": it.end_reason,
        "runner_version": it.runner_version,
    }


def _phase(bot: Bot) -> dict[str, Any]:
    compute = db.session.get_one(BotCompute, bot.id)
    return {
        "phase": compute.phase,
        "since": _at(compute.phase_since),
        "generation": compute.generation,
        "attempt": compute.attempt,
        "problem": compute.problem,
    }


def _order(it: OrderRow) -> dict[str, Any]:
    return {
        "decided_at": _at(it.decided_at),
        "symbol": it.symbol,
        "side": it.side,
        "kind": it.kind,
        "purpose": it.purpose,
        "status": it.status,
        "code": reject_code(it.reason) if it.status == "rejected" else "",
        "reason": it.reason,
    }


def _events(bot: Bot) -> list[dict[str, Any]]:
    """The last two hundred: what its runner said, what was asked of it, what people changed."""
    notices = select(RunnerNotice).where(RunnerNotice.bot_id == bot.id)
    notices = notices.order_by(RunnerNotice.number.desc()).limit(EVENTS)
    found = [
        {"at": _at(it.at), "kind": f"runner {it.level}", "what": it.code, "said": it.message}
        for it in reversed(db.session.scalars(notices).all())
    ]
    commands = select(BotCommand).where(BotCommand.bot_id == bot.id)
    commands = commands.order_by(BotCommand.created_at.desc()).limit(EVENTS)
    found += [
        {"at": _at(it.created_at), "kind": "command", "what": it.kind, "said": it.outcome}
        for it in reversed(db.session.scalars(commands).all())
    ]
    changes = select(AuditEvent).where(
        AuditEvent.workspace_id == bot.workspace_id, AuditEvent.target_id == bot.id
    )
    changes = changes.order_by(AuditEvent.seq.desc()).limit(EVENTS)
    found += [
        {"at": _at(it.occurred_at), "kind": it.actor_kind, "what": it.action, "said": it.outcome}
        for it in reversed(db.session.scalars(changes).all())
    ]
    return sorted(found, key=itemgetter("at"))[-EVENTS:]


def _at(moment: datetime | None) -> str | None:
    return moment.replace(microsecond=0).isoformat() if moment else None


def _number(value: Any) -> Any:
    """A number, or a text that is one; anything else is nothing."""
    if isinstance(value, bool | int | float | Decimal):
        return value
    known = isinstance(value, str) and re.fullmatch(r"-?\d{1,12}(\.\d{1,12})?", value)
    return value if known else None


def _limit(value: Any) -> Any:
    """A number, the policy, or how many symbols are allowed."""
    if isinstance(value, list):
        return len(value)
    return _one_of(value, tuple(OnBreach)) or _number(value)


def _one_of(value: Any, known: tuple[str, ...]) -> str | None:
    return value if value in known else None
