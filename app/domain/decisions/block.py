"""Decisions of some hundred candles as one small piece of bytes, and back again.

Nothing is lost: actions, reasons and every component's verdict come back to the letter.
"""

import json
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from app.domain.decisions.columns import Pages, add_texts, read_columns, read_texts
from app.domain.decisions.judged import Judged
from app.domain.decisions.older import understood
from runner.protocol import Verdict

PACKED, PLAIN = b"\x01", b"\x00"
"""How a piece begins. A plain one holds rows as they once were; ``0016`` wrote them."""
_CACHED = 16
_FAULTS = (
    *(zlib.error, struct.error, InvalidOperation),
    *(ValueError, TypeError, LookupError, StopIteration),
)
_LENGTH = struct.Struct("<I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Damaged(ValueError):
    """A piece that cannot be read."""


def packed(rows: Sequence[Judged]) -> bytes:
    """Rows, oldest first, as bytes."""
    states: dict[tuple[Any, ...], int] = {}
    shapes: dict[tuple[Any, ...], int] = {}
    pages = Pages()
    pages.add([(row.candle_at - _EPOCH) // _TICK for row in rows])
    pages.add([states.setdefault(_state(row, shapes), len(states)) for row in rows])
    texts = [
        add_texts(pages, [format(row.close, "f") for row in rows]),
        add_texts(pages, [row.reason for row in rows]),
    ]
    for place in range(max((len(row.verdicts) for row in rows), default=0)):
        said = [row.verdicts[place].detail for row in rows if place < len(row.verdicts)]
        texts.append(add_texts(pages, said))
    head = {
        "shapes": list(shapes),
        "states": list(states),
        "texts": texts,
        "columns": pages.heads,
    }
    asked = {place: row.signal for place, row in enumerate(rows) if row.signal}
    if asked:  # None is the rule, and costs nothing; nor did blocks have it before.
        head["signals"] = asked
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    return PACKED + zlib.compress(_LENGTH.pack(len(text)) + text + pages.body(), 9)


@lru_cache(_CACHED)
def unpacked(piece: bytes) -> tuple[Judged, ...]:
    """The rows of a piece.

    Raises:
        Damaged: it is none, or not whole.
    """
    try:
        raw = zlib.decompress(piece[1:])
        if piece[:1] == PLAIN:
            return tuple(map(_plain, json.loads(raw)))
        if piece[:1] != PACKED:
            raise Damaged("no decisions")
        return _rows(raw)
    except _FAULTS as error:
        raise Damaged(f"decisions that cannot be read: {error}") from error


def _state(row: Judged, shapes: dict[tuple[Any, ...], int]) -> tuple[Any, ...]:
    """All that few candles differ in: no words, no numbers."""
    shape = tuple((verdict.component, verdict.role) for verdict in row.verdicts)
    return (
        shapes.setdefault(shape, len(shapes)),
        *(row.action, row.code, row.direction, row.blocker, row.blocked),
        tuple(verdict.value for verdict in row.verdicts),
    )


def _rows(raw: bytes) -> tuple[Judged, ...]:
    (length,) = _LENGTH.unpack_from(raw)
    start = _LENGTH.size
    head = json.loads(raw[start : start + length])
    columns = read_columns(head["columns"], raw[start + length :])
    times, chosen = next(columns), next(columns)
    texts = [read_texts(columns, patterns) for patterns in head["texts"]]
    closes, reasons, details = texts[0], texts[1], [iter(one) for one in texts[2:]]
    asked = head.get("signals", {})
    found = []
    for row, (at, close, reason, place) in enumerate(
        zip(times, closes, reasons, chosen, strict=True)
    ):
        shape, action, code, direction, blocker, blocked, values = head["states"][place]
        verdicts = tuple(
            Verdict(component, role, value, next(said))
            for (component, role), value, said in zip(
                head["shapes"][shape], values, details, strict=False
            )
        )
        moment = _EPOCH + at * _TICK
        found.append(
            Judged(
                *(moment, Decimal(close), action, reason, verdicts),
                *(code, direction, blocker, blocked, asked.get(str(row), "")),
            )
        )
    return tuple(found)


def _plain(told: list[Any]) -> Judged:
    at, close, action, reason, said = told
    verdicts = tuple(Verdict(it["component"], it["role"], it["value"], it["detail"]) for it in said)
    row = Judged(datetime.fromisoformat(at), Decimal(close), action, reason, verdicts)
    return understood(row)
