"""plutarc: a self-hosted home for trading bots. ``create_app`` puts the house together.

Importing this package loads nothing: the practice market lives in it too, a program of its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Config


def create_app(config: Config | None = None, role: str = "web") -> Flask:
    """Build the application for one role.

    Args:
        config: settings; by default read from the environment.
        role: ``web`` (browsers and webhooks), ``gate`` (runners), ``worker``, ``ticker`` or
            ``cli`` (the operator's commands). Only the gate holds the keys that open sealed
            credentials; the command that rotates them reads them itself.

    Raises:
        SettingsError: one line per wrong setting, with its cure.
    """
    from flask import Flask

    from app import (
        logs,
        models,  # noqa: F401 -- every table must be known before the first query
    )
    from app.config import Config
    from app.domain import price_book
    from app.extensions import db, migrate

    config = config or Config.from_environment(os.environ, role)
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config.from_mapping(config.for_flask())
    app.extensions["plutarc"] = config
    logs.configure(config.log_format)
    price_book.use(config.prices)
    db.init_app(app)
    migrate.init_app(app, db, directory="app/migrations")
    _ROLES[role](app)
    return app


def _web(app: Flask) -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    from app import cli, views
    from app.extensions import csrf, htmx
    from app.web import (
        assets,
        doors,
        errors,
        figures,
        formatting,
        guards,
        identity,
        security,
        templating,
        transactions,
        uploads,
        variations,
    )

    app.jinja_environment = templating.Environment
    hops = app.extensions["plutarc"].proxy_hops
    if hops:
        # Never for the gate: a machine is told by its address, which it could write in a header.
        # Flask documents this very assignment; its types call wsgi_app a method.
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    uploads.init_app(app)  # first: whoever reads a form must know how much it may hold
    csrf.init_app(app)
    htmx.init_app(app)
    # Identity before transactions: a request is nobody's before its transaction begins.
    spelling = (formatting, figures, variations)
    for part in (security, identity, transactions, doors, templating, assets, *spelling, errors):
        part.init_app(app)
    views.register(app)
    cli.register(app)
    guards.check_every_route(app)


def _gate(app: Flask) -> None:
    from app.views import health, runner_api
    from app.web import guards, transactions

    app.config["MAX_CONTENT_LENGTH"] = runner_api.MAX_BODY
    transactions.init_app(app)
    app.register_blueprint(runner_api.bp)
    app.register_blueprint(health.bp)
    guards.check_every_route(app)


def _back_room(_app: Flask) -> None:
    """Workers and the ticker serve no requests."""


_ROLES = {"web": _web, "gate": _gate, "worker": _back_room, "ticker": _back_room, "cli": _web}
