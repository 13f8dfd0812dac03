"""What the pages of a connection show: its bots and their addresses, findings, and its end."""

from typing import Any

from flask import request, url_for

from app import current
from app.domain import bindings, connection_keys, connections, overview
from app.domain.access import Permission
from app.domain.certification import runs
from app.domain.venues import VENUES, Venue, known
from app.forms.base import offered
from app.forms.connections import (
    ENVIRONMENTS,
    ConnectionForm,
    EditConnectionForm,
    KeyFields,
    for_venue,
)
from app.models import Bot, Connection, Environment
from app.web import guards, loading
from app.web.backtest_pages import WORDS


def new_form() -> KeyFields:
    """For the exchange chosen, or that of the bot it is for; the first one until then."""
    bot = bot_it_is_for()
    wanted = bot.exchange if bot else request.values.get("exchange", "")
    venue = VENUES.get(wanted) or next(iter(VENUES.values()))
    form = for_venue(ConnectionForm, venue)
    form["environment"].choices = offered(it for it in ENVIRONMENTS if it[0] in venue.modes)
    return form


def exchanges(form: KeyFields) -> list[tuple[str, str, bool]]:
    """Links to the page of each exchange, as its keys have fields of their own."""
    return [
        (it.title, url_for("connections.new", exchange=it.id), it.id == form.venue.id)
        for it in VENUES.values()
    ]


def bot_it_is_for() -> Bot | None:
    """The bot whose page asked for a key, or 404 if there is none such."""
    wanted = request.args.get("bot")
    return loading.bot(wanted) if wanted else None


def addresses() -> dict[str, Any]:
    """What a new key can be bound to: the address of its bot, or those of all."""
    bot = bot_it_is_for()
    found = bindings.homes(current.workspace(), bot.id if bot else None)
    settled = not any(home.waits for home in found)
    return {"bot": bot, "homes": found, "most": bindings.MOST, "settled": settled}


def edit_form(connection: Connection) -> KeyFields:
    """The label as it is, the key empty."""
    form = for_venue(EditConnectionForm, _venue(connection))
    if request.method == "GET":
        form["label"].data = connection.label
    return form


def demand(environment: Environment) -> None:
    """A live key needs a right of its own, and a fresh confirmation."""
    if environment is Environment.LIVE:
        guards.demand(Permission.CONNECTION_MANAGE_LIVE)


def row(connection: Connection) -> dict[str, Any]:
    """One line of the list."""
    return {
        "connection": connection,
        "bots": connections.users_of(connection),
        "lapses": connection_keys.lapses_at(connection, _venue(connection)),
        "faults": connection_keys.faults(connection),
    }


def facts(connection: Connection) -> dict[str, Any]:
    """All that its page shows."""
    found = connections.users_of(connection)
    ips = overview.addresses([bot.id for bot in found])
    now, lapses = current.now(), connection_keys.lapses_at(connection, _venue(connection))
    return {
        "connection": connection,
        "venue": _venue(connection),
        "bots": [(bot, ips.get(bot.id)) for bot in found],
        "checks": connection_keys.seen(connection),
        "faults": connection_keys.faults(connection),
        "lapses": lapses,
        "lapses_soon": lapses is not None and lapses - now <= connection_keys.WARN_AHEAD,
        "author": connections.author_of(connection),
        "certifications": runs.of(connection),
        "words": WORDS,
        "may_change": guards.allowed(f"connection.manage_{connection.environment}"),
        "now": now,
    }


def _venue(connection: Connection) -> Venue:
    return known(connection.exchange)
