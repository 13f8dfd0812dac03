"""Files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from flask import Response

from app.web.downloads import disposition


def answer(name: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> Response:
    """Rows as a CSV file that the browser saves under ``name``; ``None`` is an empty cell."""
    body = io.StringIO()
    writer = csv.writer(body, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    response = Response(body.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = disposition(name)
    return response


def line(cells: Iterable[object]) -> str:
    """One row of such a file, for those that are sent while they are made."""
    body = io.StringIO()
    csv.writer(body, lineterminator="\r\n").writerow(cells)
    return body.getvalue()


def harmless_cells(row: Iterable[object]) -> list[object]:
    """A row whose texts calculate nothing; numbers stay as they are, in plain digits."""
    return [
        harmless(cell)
        if isinstance(cell, str)
        else format(cell, "f")
        if isinstance(cell, Decimal)
        else cell
        for cell in row
    ]


def harmless(text: str) -> str:
    """A spreadsheet calculates what begins like a formula; an apostrophe keeps it a text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
