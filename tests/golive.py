"""What it takes to go live, made for a test: a venue with a live mode, a key that was seen."""

import itertools
from dataclasses import replace
from datetime import datetime

from app.domain import connections
from app.domain.venues import PRACTICE, VENUES
from app.extensions import db
from app.models import BotAddress, Environment
from app.practice.keys import new_key
from runner.protocol import Mode
from tests import factories
from tests.factories import NOW

GOOD = (
    ("address", True, "the venue sees the bot's address"),
    ("key", True, "the venue accepts the key"),
    ("trading right", True, "the key may trade"),
    ("withdrawal right", True, "the key may not withdraw"),
    ("position mode", True, "one-way"),
)


def open_live(monkeypatch):
    """Let the practice market have a live mode."""
    modes = (*PRACTICE.modes, Mode.LIVE)
    monkeypatch.setitem(VENUES, PRACTICE.id, replace(PRACTICE, modes=modes))


UNSEEN = "Never proven at the real exchange: that its stops fire."


def nobody_has_seen_it(monkeypatch, words=UNSEEN):
    """Let the practice market be one of those where nobody has seen plutarc trade yet."""
    monkeypatch.setitem(VENUES, PRACTICE.id, replace(VENUES[PRACTICE.id], unproven=words))


def key(workspace, sealer, label="Real money", now=NOW):
    api_key, secret = new_key()
    return connections.create(
        workspace,
        exchange=PRACTICE.id,
        environment=Environment.LIVE,
        label=label,
        fields={"api_key": api_key, "secret": secret},
        sealer=sealer,
        author=None,
        by=factories.TESTER,
        now=now,
    )


_numbers = itertools.count(1)


def seen(bot, connection, at: datetime = NOW, **otherwise):
    """The bot's machine looked at the key from its address; ``otherwise`` names what it found."""
    address = db.session.get(BotAddress, bot.id)
    if address is None:
        place = {"bot_id": bot.id, "workspace_id": bot.workspace_id, "region": bot.region}
        number = next(_numbers)
        address = BotAddress(
            **place, name=f"b-{bot.id}-ip", ip=f"127.65.{number >> 8}.{number & 255}"
        )
        db.session.add(address)
    checks = [
        {"name": name, "ok": otherwise.get(name.replace(" ", "_"), ok), "detail": detail}
        for name, ok, detail in GOOD
    ]
    connection.checked_at = at
    connection.findings = {"checks": checks, "made_by": bot.id, "made_at": address.ip}
    db.session.flush()
