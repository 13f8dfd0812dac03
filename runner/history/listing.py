"""The venue's rules of a symbol as they were at the last fetch, kept beside its candles."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from runner.exchange.base import Instrument
from runner.history.files import Series
from runner.protocol import ProtocolError, from_plain, to_plain


def keep(folder: Path, exchange: str, instrument: Instrument) -> None:
    """Write the rules down, whole or not at all."""
    target = _path(folder, exchange, instrument.symbol)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".rules-")
    with os.fdopen(handle, "w") as file:
        json.dump(to_plain(instrument), file, sort_keys=True)
    Path(name).replace(target)


def known(folder: Path, exchange: str, symbol: str) -> Instrument | None:
    """The rules as they were kept; ``None`` where there are none that make sense."""
    try:
        plain = json.loads(_path(folder, exchange, symbol).read_text())
        found: Instrument = from_plain(Instrument, plain)
    except (OSError, ValueError, ProtocolError):
        return None
    return found


def _path(folder: Path, exchange: str, symbol: str) -> Path:
    return folder / Series(exchange, symbol, "any").folder.parent / "rules.json"
