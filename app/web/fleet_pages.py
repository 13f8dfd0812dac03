"""What the operators' pages about the fleet show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import abort, render_template, request, url_for

from app import current
from app.domain import (
    breakers,
    fleet_alarms,
    fleet_list,
    fleet_story,
    machines,
    places,
    remedies,
    renewals,
    upgrades,
)
from app.domain.fleet_list import Filter, Line
from app.forms.fleet import POLICIES, POLICY_DETAILS, RenewForm, ShutForm
from app.models import Bot, CloudRegion, FindState, Phase, Renewal, WakeLead, ZoneCooldown

TONES = {
    Phase.NEW: "info",
    Phase.ADDR_WAIT: "info",
    Phase.ASLEEP: "neutral",
    Phase.CREATING: "info",
    Phase.BOOTING: "info",
    Phase.READY: "good",
    Phase.DRAINING: "warn",
    Phase.DELETING: "info",
    Phase.BLOCKED: "bad",
    Phase.RELEASED: "neutral",
}


@dataclass(frozen=True)
class RegionCard:
    """One region: bots, breaker, quotas as [metric, used, limit, share in percent], zones."""

    name: str
    bots: int
    seen: CloudRegion | None
    shut: bool
    quotas: list[tuple[str, float, float, int]]
    cooldowns: list[ZoneCooldown]
    leads: list[WakeLead]
    spread: timedelta
    slow: datetime | None


def wanted() -> Filter:
    """What the address asks for; what is no phase, region or key narrows nothing."""
    args = request.args
    return Filter(
        phase=next((it for it in Phase if it == args.get("phase")), None),
        region=args.get("region", "")[:40],
        troubled=bool(args.get("troubled")),
        workspace=args.get("workspace", "")[:40],
        after=fleet_list.parsed(args.get("after", "")),
    )


def rows() -> dict[str, Any]:
    """The list, and what stands above it."""
    now, asked = current.now(), wanted()
    lines, onward = fleet_list.page(asked, now)
    counts, alarms = fleet_list.counts(asked.region), fleet_alarms.open_alarms()
    return {
        "lines": lines,
        "onward": _address(after=onward) if onward else None,
        "first": _address(after=None) if asked.after else None,
        "poll": _address("console_fleet.rows"),
        "wanted": asked,
        "counts": counts,
        "troubled": fleet_list.troubled_count(now),
        "all": sum(counts.values()) - counts.get(Phase.RELEASED, 0),
        "alarms": alarms,
        "takers": fleet_alarms.takers(alarms),
        "alarm_titles": fleet_alarms.TITLES,
        "moving": fleet_list.moving(counts),
        "settled": not any(counts.get(it) for it in Phase if it not in _STILL),
        "tones": TONES,
        "phases": Phase,
        "late": deadline,
        "now": now,
    }


_STILL = (Phase.ASLEEP, Phase.RELEASED)


def everything() -> dict[str, Any]:
    """The page as a whole."""
    return rows() | {"regions": region_cards()}


def sweep_parts() -> dict[str, Any]:
    """Looks at everything, and what they found."""
    return {"sweeps": fleet_story.sweeps(), "finds": fleet_story.finds(), "states": FindState}


def shut_page(region: str, form: ShutForm) -> str:
    """The form that shuts a region."""
    return render_template("fleet/shut.html", region=region, form=form)


def region_cards() -> list[RegionCard]:
    """Every region that is set, was seen, or has bots."""
    seen, bots = fleet_story.cloud_regions(), fleet_list.regions()
    names = sorted({*current.config().compute.regions, *seen, *bots})
    cooldowns, leads = fleet_story.cooldowns(), fleet_story.wake_leads()
    return [
        RegionCard(
            name=name,
            bots=bots.get(name, 0),
            seen=seen.get(name),
            shut=breakers.is_shut(seen.get(name), current.now()),
            quotas=_quotas(seen.get(name)),
            cooldowns=[it for it in cooldowns if it.region == name and it.until > current.now()],
            leads=[it for it in leads if it.region == name],
            spread=current.config().tempo.spread,
            slow=places.slow(seen.get(name), current.now()),
        )
        for name in names
    ]


def bot_page(bot: Bot, form: RenewForm | None = None) -> str:
    """One bot's compute as a whole page, the form to renew its machine included."""
    return render_template(
        "fleet/bot.html",
        form=form or RenewForm(formdata=None),
        details=POLICY_DETAILS,
        version="",
        **bot_parts(bot.id),
    )


def bot_parts(bot_id: str) -> dict[str, Any]:
    """What of a bot's page changes by itself."""
    line, found = fleet_list.one(bot_id) or abort(404), fleet_story.machines(bot_id)
    now, alarms = current.now(), fleet_story.alarms(bot_id)
    return {
        "line": line,
        "bot_id": bot_id,
        "machines": found,
        "timings": {it.id: fleet_list.timings(it) for it in found},
        "consoles": fleet_story.consoles(found),
        "operations": fleet_story.operations(bot_id),
        "events": fleet_story.address_events(bot_id),
        "alarms": alarms,
        "takers": fleet_alarms.takers(alarms),
        "alarm_titles": fleet_alarms.TITLES,
        "upgrades": fleet_story.upgrades(bot_id),
        "advice": remedies.about(line.compute.cause, line.compute.problem),
        "stranded": machines.stranded(bot_id),
        "renewable": line.compute.phase in renewals.RENEWABLE,
        "policies": POLICIES,
        "waits": Renewal,
        "deadline": deadline(line),
        "settled": line.compute.phase in fleet_list.LASTING and line.compute.retry_at is None,
        "tones": TONES,
        "now": now,
    }


def machine_page(machine_id: str) -> str:
    """One generation from first to last."""
    found = fleet_story.machine(machine_id) or abort(404)
    return render_template(
        "fleet/machine.html",
        machine=found,
        timings=fleet_list.timings(found),
        operations=fleet_story.operations(found.bot_id, found.generation),
        console=fleet_story.console(found.id),
        newest=renewals.NEWEST,
        now=current.now(),
    )


def upgrade_parts() -> dict[str, Any]:
    """The upgrade under way, those before, and which versions run."""
    running = upgrades.open_one()
    older = upgrades.older_count()
    return {
        "upgrade": running,
        "progress": upgrades.progress(running) if running else None,
        "past": upgrades.recent(),
        "versions": sorted(upgrades.versions().items()),
        "newest": renewals.NEWEST,
        "older": older,
        "usual": upgrades.usual_at_once(older),
        "policies": POLICIES,
        "settled": running is None,
        "now": current.now(),
    }


def deadline(line: Line) -> datetime | None:
    """By when this phase should be over, if it is one that should."""
    compute, tempo = line.compute, current.config().tempo
    if compute.phase is Phase.BOOTING:
        return compute.phase_since + tempo.boot_deadline
    brief = compute.phase in (Phase.NEW, Phase.ADDR_WAIT, Phase.CREATING, Phase.DELETING)
    return compute.phase_since + tempo.patience if brief else None


def _quotas(seen: CloudRegion | None) -> list[tuple[str, float, float, int]]:
    """The fullest first."""
    told = seen.quotas if seen is not None else {}
    found = [
        (metric, used, limit, round(100 * used / limit) if limit else 100)
        for metric, (used, limit) in told.items()
    ]
    return sorted(found, key=lambda it: (-it[3], it[0]))


def _address(endpoint: str = "console_fleet.index", **changes: Any) -> str:
    """The address of the list with other values in it."""
    kept = {name: request.args.get(name) for name in ("phase", "region", "troubled", "workspace")}
    kept["after"] = request.args.get("after") or None
    return url_for(endpoint, **{k: v for k, v in (kept | changes).items() if v})
