"""A practice market to talk to, and one to drive by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.practice.client import Process, ask
from tests.practice.floor import Floor


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running market; tests keep apart by using a key each."""
    process = Process(tmp_path_factory.mktemp("market"))
    yield process.base
    assert process.end() == 0


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    with Floor(tmp_path) as opened:
        yield opened


@pytest.fixture
def switch(base: str) -> Iterator[Callable[..., list[str]]]:
    """Switches faults of the running market on for one test; returns their ids."""

    def on(*faults: dict[str, Any]) -> list[str]:
        status, body, _headers = ask("POST", f"{base}/practice/v1/faults", json=list(faults))
        assert status == 200, body
        return list(body["ids"])

    yield on
    assert ask("DELETE", f"{base}/practice/v1/faults")[0] == 200
