"""Bots asleep in a fake cloud that are due within one minute, and what acts as their runners."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from flask import Flask
from sqlalchemy import insert, text, update

from app.config import Config
from app.domain import leads, places, runners, schedule
from app.domain.errors import Gone
from app.extensions import db
from app.gateways.compute.gce_names import MANAGED_BY
from app.gateways.vault import Opener
from app.models import Bot, BotAddress, BotCompute, Machine, Phase, Wish
from runner.protocol import Claim
from tests import factories
from tests.fakes.gce.behaviour import REGIONS
from tests.fakes.gce.control import Remote

REGION = "europe-west1"
INSERT, BOOT = 0.4, 1.0
"""Seconds that the cloud takes to make a machine, and a machine to boot."""
BEGIN_IN = timedelta(seconds=3)
"""From when the bots are there until the first may be due."""
REPORT_EVERY = 5.0
PROJECT = "demo-project"


def behaviour(count: int) -> str:
    """The cloud's, as JSON: room for so many."""
    room = dict.fromkeys(("static_addresses", "in_use_addresses", "instances"), count + 10)
    return json.dumps({"insert": INSERT, "reserve": 0.0, **room})


def found(app: Flask) -> str:
    """The tables, and one bot that stays asleep: the pattern for all others; its id."""
    now = datetime.now(UTC) - timedelta(minutes=20)
    with app.app_context():
        db.create_all()
        first = factories.bot(factories.organisation(now=now), now=now, region=REGION)
        row = db.session.get_one(BotCompute, first.id)
        row.phase, row.due_at = Phase.ASLEEP, now + timedelta(days=300)
        places.learn_zones(REGION, REGIONS[REGION])
        db.session.commit()
        made = first.id
        db.session.remove()
    return made


def settle(app: Flask, cloud: str, pattern: str, count: int) -> dict[str, datetime]:
    """That many bots asleep at their addresses, due within the next minute; each one's due."""
    ids = [f"bot_rush{number:022}" for number in range(count)]
    ips = _reserve(cloud, ids)
    config: Config = app.extensions["plutarc"]
    now, lead, spread = datetime.now(UTC), config.tempo.first_lead, config.tempo.spread
    opens = now.replace(microsecond=0) + BEGIN_IN + lead + spread
    dues = {one: opens - lead - leads.share_of(one, spread) for one in ids}
    with app.app_context():
        first = db.session.get_one(Bot, pattern)
        first.schedule = schedule.schedule("UTC", [_session(opens)]).to_plain()
        _copies(first, ids, ips, dues, now - timedelta(minutes=20))
        if db.engine.dialect.name == "postgresql":
            # What it does by itself within a minute after so many rows have come.
            db.session.execute(text("ANALYZE"))
        db.session.commit()
        db.session.remove()
    return dues


def _session(opens: datetime) -> schedule.Session:
    """From then for eight hours, every day."""
    closes = opens + timedelta(hours=8)
    return schedule.session(list(range(7)), f"{opens:%H:%M:%S}", f"{closes:%H:%M:%S}")


def _copies(
    first: Bot,
    ids: list[str],
    ips: dict[str, str],
    dues: dict[str, datetime],
    now: datetime,
) -> None:
    compute = db.session.get_one(BotCompute, first.id)
    asleep = {"phase_since": now}
    _copy(Bot, first, [{"id": one, "name": one, "wish": Wish.FOLLOW} for one in ids])
    _copy(BotCompute, compute, [asleep | {"bot_id": one, "due_at": dues[one]} for one in ids])
    rows = [
        {
            "bot_id": one,
            "workspace_id": first.workspace_id,
            "name": _address(one),
            "region": REGION,
            "ip": ips[_address(one)],
            "reserved_at": now,
        }
        for one in ids
    ]
    db.session.execute(insert(BotAddress), rows)


def _copy(kind: type[Any], row: Any, changes: list[dict[str, Any]]) -> None:
    values = {column.key: getattr(row, column.key) for column in kind.__table__.columns}
    db.session.execute(insert(kind), [values | change for change in changes])


def _address(bot_id: str) -> str:
    return f"b-{bot_id.removeprefix('bot_')}-ip"


def _reserve(cloud: str, ids: list[str]) -> dict[str, str]:
    """An address for each, asked for directly: how the platform does it is not measured here."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = f"{cloud}/compute/v1/projects/{PROJECT}/regions/{REGION}/addresses"
    for one in ids:
        body = {
            "name": _address(one),
            "networkTier": "STANDARD",
            "addressType": "EXTERNAL",
            "labels": {"managed-by": MANAGED_BY, "env": "prod", "bot": one},
        }
        request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
        opener.open(request, timeout=60).close()
    found = Remote(cloud).snapshot()["addresses"]
    return {it["name"]: it["address"] for it in found}


class Runners:
    """Claims for each machine some time after it began to run, and reports for all now and then."""

    def __init__(self, app: Flask, door: Path, private: str) -> None:
        self.claimed = 0
        self.refused = 0
        self._app, self._opener = app, Opener((private,))
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(door))
        self._door.settimeout(0.2)
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=it, daemon=True) for it in (self._claim_all, self._report_all)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _claim_all(self) -> None:
        waiting: list[tuple[float, list[str]]] = []
        while not self._over.is_set():
            self._door.settimeout(max(waiting[0][0] - time.monotonic(), 0.001) if waiting else 0.2)
            try:
                told = self._door.recv(4096).decode().split()
                waiting.append((time.monotonic() + BOOT, told))
            except TimeoutError:
                pass
            while waiting and waiting[0][0] <= time.monotonic():
                self._claim(*waiting.pop(0)[1])

    def _claim(self, bot: str, generation: str, token: str, ip: str) -> None:
        message = Claim(
            bot=bot, generation=int(generation), token=token, boot_id="boot", runner_version="0"
        )
        config: Config = self._app.extensions["plutarc"]
        with self._app.app_context():
            try:
                runners.claim(
                    message,
                    address=ip,
                    opener=self._opener,
                    endpoints={},
                    tempo=config.tempo,
                    now=datetime.now().astimezone(),
                )
                db.session.commit()
                self.claimed += 1
            except Gone:
                self.refused += 1
            finally:
                db.session.remove()

    def _report_all(self) -> None:
        while not self._over.wait(REPORT_EVERY):
            with self._app.app_context():
                alive = Machine.claimed_at.is_not(None), Machine.gone_at.is_(None)
                told = {"synced_at": datetime.now().astimezone()}
                db.session.execute(update(Machine).where(*alive).values(**told))
                db.session.commit()
                db.session.remove()
