"""What must hold before a bot may trade real money: each guard a line that says what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain import bindings, bot_rules, connection_keys, limits, rivals, runs
from app.domain.certification import vouching
from app.domain.errors import Invalid, Refused
from app.domain.revisions import Safety
from app.domain.venues import known
from app.extensions import db
from app.models import Bot, BotAddress, Connection
from runner.protocol import Mode
from runner.strategy import is_protected

CHECK_AGE = timedelta(hours=24)
WITHDRAWAL = "withdrawal right"
"""The check of a preflight that says whether the key may take money out; good where it may not."""


class Standing(StrEnum):
    """Good; missing, which keeps a bot from going live; or worth a thought."""

    GOOD = "good"
    MISSING = "missing"
    THINK = "think"


@dataclass(frozen=True)
class Line:
    """One thing looked at. ``cure`` is what to do where it is not good."""

    name: str
    title: str
    standing: Standing
    found: str
    cure: str = ""


def demand(
    bot: Bot,
    connection: Connection | None,
    wanted: Safety,
    now: datetime,
    acknowledged: str = "",
) -> None:
    """Raises ``Refused`` with the first thing that is missing, or ``Invalid``: not acknowledged.

    ``acknowledged``: what nobody has seen at the exchange yet, as it was read and accepted.
    """
    for line in guards(bot, connection, wanted, now):
        if line.standing is Standing.MISSING:
            raise Refused(f"{line.title}: {line.found} {line.cure}".strip())
    venue = bot_rules.venue_of(bot)
    unseen = vouching.word(venue).text
    if unseen and acknowledged != unseen:
        raise Invalid(
            f"Nobody has seen plutarc trade with real money at {venue.title} yet. Read what that "
            "means, and tick that you want it live all the same.",
            "acknowledged",
        )


def guards(
    bot: Bot, connection: Connection | None, wanted: Safety, now: datetime
) -> Iterator[Line]:
    """Every guard as it stands, in the order in which they are met."""
    yield _venue(bot)
    yield _limits(bot)
    yield _stop(bot, wanted)
    yield _key(bot, connection)
    if connection is not None:
        yield _checked(bot, connection, now)
        yield _withdrawal(connection)
        yield from _faults(connection)
    if bot.mode is not Mode.LIVE:
        yield _flat(bot, now)


def has_stop(bot: Bot) -> bool:
    """Whether the strategy itself places a stop at the venue."""
    return is_protected(bot.version.rules)


def from_own_address(bot: Bot, connection: Connection) -> bool:
    """Whether the last check of the key was made by this bot, from the address it has now."""
    findings = connection.findings
    address = db.session.get(BotAddress, bot.id)
    made_at = findings.get("made_at")
    return (
        findings.get("made_by") == bot.id
        and address is not None
        and address.ip is not None
        and made_at == address.ip
    )


def _venue(bot: Bot) -> Line:
    venue = known(bot.exchange)
    if venue.gone:
        found = f"{venue.title} {bot_rules.GONE}"
        return Line("venue", "Live trading", Standing.MISSING, found)
    if Mode.LIVE not in venue.modes:
        found = f"{venue.title} has no live mode."
        cure = "Make a bot of the same strategy at an exchange that has one."
        return Line("venue", "Live trading", Standing.MISSING, found, cure)
    if venue.unproven:
        found = f"{venue.title} can be traded live; nobody has seen plutarc do it there yet."
        cure = "Read under If its machine dies what that means. Going live asks you to accept it."
        return Line("venue", "Live trading", Standing.THINK, found, cure)
    return Line("venue", "Live trading", Standing.GOOD, f"{venue.title} can be traded live.")


def _limits(bot: Bot) -> Line:
    title = "Risk limits"
    missing = bot_rules.missing_limits(bot.limits)
    if missing:
        found = f"{' and '.join(missing)} not set."
        return Line("limits", title, Standing.MISSING, found, "Set them under Edit.")
    told = ", ".join(
        f"{limits.TITLES[name]} {bot.limits[name]}" for name in bot_rules.NEEDED_LIMITS
    )
    return Line("limits", title, Standing.GOOD, f"{told}.")


def _stop(bot: Bot, wanted: Safety) -> Line:
    title, percent = "Protective stop", wanted.disaster_stop_percent
    if has_stop(bot):
        return Line("stop", title, Standing.GOOD, "The strategy places one for each position.")
    if percent is not None:
        found = f"A disaster stop {percent:f} % from the entry price."
        return Line("stop", title, Standing.GOOD, found)
    found = "The strategy places none, and the bot has no disaster stop."
    return Line("stop", title, Standing.MISSING, found, "Give it a disaster stop below.")


def _key(bot: Bot, connection: Connection | None) -> Line:
    title = "Live key"
    if connection is None:
        cure = "Choose a live connection below and save it."
        return Line("key", title, Standing.MISSING, "None is chosen.", cure)
    fits = (connection.exchange, connection.environment.value) == (bot.exchange, Mode.LIVE.value)
    if not fits or connection.deleted_at is not None:
        cure = "Choose a live connection at the bot's exchange."
        return Line("key", title, Standing.MISSING, "It does not fit this bot.", cure)
    if connection.inactive_at is not None:
        found = f"{connection.label} is switched off."
        return Line("key", title, Standing.MISSING, found, "Switch it on, or choose another one.")
    rival = rivals.find(bot, connection)
    if rival is not None:
        cure = "Choose a key of another account, or other symbols."
        return Line("key", title, Standing.MISSING, rivals.in_words(bot, rival), cure)
    return Line("key", title, Standing.GOOD, f"{connection.label} (…{connection.key_hint}).")


def _checked(bot: Bot, connection: Connection, now: datetime) -> Line:
    title, at = "Checked from the bot's address", connection.checked_at
    cure = "Start the bot: its machine looks at the key at each wake, without trading with it."
    if at is None:
        found = "The key has not been looked at yet."
        return Line("checked", title, Standing.MISSING, found, cure)
    if not from_own_address(bot, connection):
        found = "The last look was not from this bot's own address."
        return Line("checked", title, Standing.MISSING, found, cure)
    if now - at > CHECK_AGE:
        found = "The last look is more than 24 hours ago."
        return Line("checked", title, Standing.MISSING, found, cure)
    found = f"Within 24 hours, from {connection.findings['made_at']}."
    if bindings.seen_elsewhere(bot):
        found = "Within 24 hours, from this server; its own address is what the exchange sees."
    return Line("checked", title, Standing.GOOD, found)


def _withdrawal(connection: Connection) -> Line:
    """What is not known to be safe is not safe."""
    title, found = "Withdrawal right", _check(connection, WITHDRAWAL)
    if found is None or found["ok"] is None:
        cure = "The key has to be looked at by a machine that the exchange tells its rights."
        words = "It was not told whether the key may withdraw."
        return Line("withdrawal", title, Standing.MISSING, words, cure)
    if found["ok"]:
        return Line("withdrawal", title, Standing.GOOD, "The key may not withdraw.")
    return Line(
        "withdrawal", title, Standing.MISSING, f"{found['detail']}.", connection_keys.cure(found)
    )


def _faults(connection: Connection) -> Iterator[Line]:
    """What else the last look found bad."""
    for check in connection_keys.seen(connection):
        if check["ok"] is False and check["name"] != WITHDRAWAL:
            cure = connection_keys.cure(check)
            title = check["name"].capitalize()
            yield Line(check["name"], title, Standing.MISSING, f"{check['detail']}.", cure)


def _flat(bot: Bot, now: datetime) -> Line:
    title = "No position"
    if runs.is_flat(bot, now):
        return Line("flat", title, Standing.GOOD, "It holds nothing and has no order.")
    found = "It holds a position, or has not said that it does not."
    return Line("flat", title, Standing.MISSING, found, "Flatten it, or wait for its exit.")


def _check(connection: Connection, name: str) -> dict[str, Any] | None:
    return next((it for it in connection_keys.seen(connection) if it["name"] == name), None)
