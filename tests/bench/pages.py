"""What a page costs beside the same rows with nothing around them, and how many queries."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from app.domain import accounts
from tests import site
from tests.bench import bare, village
from tests.bench.report import Figure, Section

PAGES = ("dashboard", "bot")
MOST = 3.0
_METHOD = (
    "Requests through WSGI, signed in, warm, on SQLite, in turn with the bare page so that both "
    "meet the same load; medians of {rounds} rounds of processor time, the collector set as in "
    "`gunicorn.conf.py`. "
    "Every second bot has a machine, two closed trades and an open position. *Bare* is a Flask "
    "page that sends one query a table for the same rows and prints the columns shown into plain "
    "tables: no sign-in, no guard, no frame, no formatting, no states (`tests/bench/bare.py`)."
)


def measure(few: int, many: int, rounds: int) -> Section:
    """Both pages at two sizes of a workspace."""
    # Signing in is no part of this.
    accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    section = Section("Pages", _METHOD.format(rounds=rounds))
    rows: list[list[str]] = []
    counts: dict[str, list[int]] = {page: [] for page in PAGES}
    with tempfile.TemporaryDirectory() as folder:
        app = site.build(Path(folder))
        for size in (few, many):
            built = village.build(app, size)
            for page in PAGES:
                counts[page].append(len(village.queries(app, built, page)))
                full, plain, length = _compare(app, built, page, rounds)
                rows.append(_row(page, size, full, plain, length))
                what = f"{page} at {size:,} bots beside bare"
                section.figures.append(Figure(what, full / plain, "×", most=MOST))
    head = ["page", "bots", "bare, ms CPU", "full, ms CPU", "full, kB"]
    section.tables.append((head, rows))
    for page in PAGES:
        what = f"{page}: queries at {many:,} bots, as many as at {few:,}"
        section.figures.append(Figure(what, counts[page][1], same_as=counts[page][0]))
    return section


def _row(page: str, size: int, full: float, plain: float, length: int) -> list[str]:
    return [page, f"{size:,}", f"{plain * 1e3:.2f}", f"{full * 1e3:.2f}", f"{length / 1e3:.0f}"]


def _compare(
    app: Flask, built: village.Village, page: str, rounds: int
) -> tuple[float, float, int]:
    """Processor seconds for the full page and the bare one, and the full page's length."""
    full, plain = village.visitor(app, built), bare.build(app.extensions["plutarc"], built)
    calls = (_call(full, built.url(page)), _call(plain.test_client(), f"/{page}"))
    for call in calls * 3:
        call()
    with _Calm():
        times = [[_seconds(call) for call in calls] for _ in range(rounds)]
    return (*(statistics.median(column) for column in zip(*times, strict=True)), calls[0]())


def _call(client: FlaskClient, url: str) -> Callable[[], int]:
    def call() -> int:
        response = client.get(url)
        if response.status_code != 200:
            raise RuntimeError(f"{url} answered {response.status}")
        return len(response.data)

    return call


def _seconds(call: Callable[[], int]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began


class _Calm:
    """The garbage collector as production sets it."""

    def __enter__(self) -> None:
        gc.collect()
        gc.freeze()
        self._before = gc.get_threshold()
        gc.set_threshold(20_000, 20, 50)

    def __exit__(self, *_: object) -> None:
        gc.set_threshold(*self._before)
        gc.unfreeze()
