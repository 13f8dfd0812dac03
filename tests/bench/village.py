"""A workspace with many bots whose machines have told of a session, and its owner signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.extensions import db
from tests import factories, site, telling
from tests.pages import Pages

CANDLES = 65
"""The shortest session that ``telling`` can tell of; the pages show at most 20 of them."""


@dataclass(frozen=True)
class Village:
    """Where the pages of one workspace are, and who may see them."""

    workspace: str
    bot: str
    email: str

    def url(self, page: str) -> str:
        """The address of ``dashboard``, ``bots`` (all of them) or ``bot`` (one of them)."""
        home = f"/w/{self.workspace}"
        paths = {"dashboard": "/", "bots": "/bots", "bot": f"/bots/{self.bot}"}
        return home + paths[page]


def build(app: Flask, count: int, told: int | None = None) -> Village:
    """``count`` bots; every second of the first ``told`` (all) has traded and holds a position."""
    now = datetime.now(UTC)
    with site.rows(app):
        owner = factories.user("Olga", now=now)
        workspace = factories.organisation(owner, now=now)
        version = factories.strategy(workspace, now=now).latest
        made = [
            factories.bot(workspace, now=now, version=version, name=f"Bot {number:04}")
            for number in range(count)
        ]
        for number, bot in enumerate(made[:told:2]):
            machine = telling.awake(bot, now)
            telling.session(bot, machine, now, candles=CANDLES, trades=2, seed=number)
        db.session.commit()
        found = Village(workspace.id, made[0].id, owner.email)
        db.session.remove()
    return found


def visitor(app: Flask, village: Village) -> FlaskClient:
    """A client signed in as the owner."""
    pages = Pages(app)
    pages.sign_in(village.email, factories.PASSWORD)
    return pages.client


def queries(app: Flask, village: Village, page: str) -> list[str]:
    """The statements that showing a page sends to the database, after it was shown once."""
    client, sent = visitor(app, village), []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    client.get(village.url(page))
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        response = client.get(village.url(page))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    if response.status_code != 200:
        raise RuntimeError(f"{page} answered {response.status}")
    return sent
