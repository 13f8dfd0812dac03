"""Connections: keys at exchanges, masked from the moment they are saved."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import connections
from app.domain.access import Permission
from app.domain.certification import vouching
from app.forms.connections import KeyFields
from app.models import Connection, Environment
from app.web import connection_pages, loading
from app.web.guards import allowed, requires
from app.web.hypermedia import live, redirect_to

bp = Blueprint("connections", __name__, url_prefix="/w/<workspace>/connections")


@bp.get("")
@requires(Permission.CONNECTION_VIEW)
def index() -> ResponseReturnValue:
    """All of the workspace, and which bots hold each."""
    rows = [connection_pages.row(it) for it in connections.in_workspace(current.workspace())]
    return render_template("connections/index.html", rows=rows, now=current.now())


@bp.get("/new")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def new() -> ResponseReturnValue:
    """Ask for a key, and say which address it can be bound to."""
    return _new_page(connection_pages.new_form())


@bp.get("/addresses")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def addresses() -> ResponseReturnValue:
    """These addresses, polled while one is still being reserved."""
    return live("connections/_addresses.html", **connection_pages.addresses())


@bp.post("/new")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def create() -> ResponseReturnValue:
    """Seal and keep it."""
    form = connection_pages.new_form()
    made = form.attempt(lambda: _create(form))
    if made is None:
        return _new_page(form), 422
    return redirect_to(_next_page(made), toast=f"{made.label} is sealed and saved.")


@bp.post("/practice")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def practice() -> ResponseReturnValue:
    """Open an account on the practice market and keep its key."""
    made = connections.open_practice_account(
        current.workspace(),
        sealer=current.sealer(),
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )
    toast = f"{made.label} is ready, with 10,000 USDT of play money."
    return redirect_to(url_for(".index"), toast=toast)


@bp.get("/<connection_id>")
@requires(Permission.CONNECTION_VIEW)
def show(connection_id: str) -> ResponseReturnValue:
    """What is known of a key without knowing the key."""
    found = loading.connection(connection_id)
    return render_template("connections/show.html", **connection_pages.facts(found))


@bp.get("/<connection_id>/edit")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def edit(connection_id: str) -> ResponseReturnValue:
    """Its label, and room for another key."""
    connection = loading.connection(connection_id)
    connection_pages.demand(connection.environment)
    return _edit_page(connection, connection_pages.edit_form(connection))


@bp.post("/<connection_id>/edit")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def update(connection_id: str) -> ResponseReturnValue:
    """Change the label, replace the key, or both."""
    connection = loading.connection(connection_id)
    connection_pages.demand(connection.environment)
    form = connection_pages.edit_form(connection)
    toast = form.attempt(lambda: _edit(connection, form))
    if toast is None:
        return _edit_page(connection, form), 422
    return redirect_to(_page(connection), toast=toast)


@bp.post("/<connection_id>/activity")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def switch(connection_id: str) -> ResponseReturnValue:
    """Switch it on or off."""
    connection = loading.connection(connection_id)
    connection_pages.demand(connection.environment)
    active = request.form.get("active") == "yes"
    connections.switch(connection, active=active, by=current.actor(), now=current.now())
    said = "on" if active else "off; no runner is given it"
    return redirect_to(_page(connection), toast=f"{connection.label} is switched {said}.")


@bp.post("/<connection_id>/delete")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def delete(connection_id: str) -> ResponseReturnValue:
    """Forget a key for good."""
    connection = loading.connection(connection_id)
    connection_pages.demand(connection.environment)
    connections.delete(connection, by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast=f"{connection.label} is deleted.")


def _page(connection: Connection) -> str:
    return url_for(".show", connection_id=connection.id)


def _next_page(connection: Connection) -> str:
    """Its own, or the one where the bot it was made for begins to use it."""
    bot = connection_pages.bot_it_is_for()
    if bot is None or not allowed("bot.configure"):
        return _page(connection)
    if connection.environment is Environment.LIVE:
        return url_for("bot_live.show", bot_id=bot.id, connection=connection.id)
    return url_for("bot_settings.mode", bot_id=bot.id, connection=connection.id)


def _new_page(form: KeyFields) -> str:
    shown = {"exchanges": connection_pages.exchanges(form), "word": vouching.word(form.venue)}
    shown |= connection_pages.addresses()
    return render_template("connections/new.html", form=form, **shown)


def _edit_page(connection: Connection, form: KeyFields) -> str:
    return render_template("connections/edit.html", connection=connection, form=form)


def _create(form: KeyFields) -> Connection:
    environment = Environment(form["environment"].data)
    connection_pages.demand(environment)
    return connections.create(
        current.workspace(),
        exchange=form.venue.id,
        environment=environment,
        label=form["label"].data or "",
        fields=form.key(),
        sealer=current.sealer(),
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )


def _edit(connection: Connection, form: KeyFields) -> str:
    rotated = connections.edit(
        connection,
        label=form["label"].data or "",
        fields=form.key(),
        sealer=current.sealer(),
        by=current.actor(),
        now=current.now(),
    )
    return "The new key is sealed; bots that use it load it now." if rotated else "Saved."
