"""What the pages of results cost over very many closed trades."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from argon2 import PasswordHasher

from app.domain import accounts
from tests import factories, site
from tests.bench import harvest
from tests.bench.report import Figure, Section
from tests.pages import Pages

MOST = 1.0
_METHOD = (
    "Requests through WSGI, signed in, warm, on SQLite; medians of {rounds} rounds of processor "
    "time. One workspace with 20 bots, a year of paper trading, {trades:,} closed trades with two "
    "orders and two fills each."
)


def measure(trades: int, rounds: int) -> Section:
    """The list, the figures of a workspace and of a bot, and the charts' numbers."""
    accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    section = Section("Results", _METHOD.format(rounds=rounds, trades=trades))
    with tempfile.TemporaryDirectory() as folder:
        app = site.build(Path(folder))
        built = harvest.build(app, trades)
        client = Pages(app)
        client.sign_in(built.email, factories.PASSWORD)
        home = f"/w/{built.workspace}"
        rows = []
        for name, path in (
            ("trades", "/trades"),
            ("trades by result", "/trades?sort=result"),
            ("analytics", "/analytics?mode=paper"),
            ("analytics of a bot", f"/analytics/bots/{built.bot}?mode=paper"),
            ("lines of the charts", "/analytics/series?mode=paper"),
        ):
            spent, length = _seconds(client, home + path, rounds)
            rows.append([name, f"{spent * 1e3:.0f}", f"{length / 1e3:.0f}"])
            section.figures.append(Figure(f"{name}, seconds", spent, "s", most=MOST))
    section.tables.append((["page", "ms CPU", "kB"], rows))
    return section


def _seconds(pages: Pages, address: str, rounds: int) -> tuple[float, int]:
    times, length = [], 0
    for _ in range(rounds + 1):
        began = time.process_time()
        answer = pages.client.get(address)
        times.append(time.process_time() - began)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status}")
        length = len(answer.data)
    return statistics.median(times[1:]), length
