"""What the pages of trades load, and how their files are sent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from flask import Response, render_template, request, stream_with_context

from app import current, tenancy
from app.domain import tags
from app.domain.trades import export, listing, notes, story
from app.domain.trades.story import Story
from app.forms.trades import TradeFilterForm, TradeNoteForm
from app.models import TradeRow
from app.web import downloads, loading, series, sheets, transactions
from app.web.formatting import decimals

COMPARED = 4


def filter_form() -> TradeFilterForm:
    """The filter as the address says it, with what there is to choose from."""
    form = TradeFilterForm(formdata=request.args)
    form.offer(listing.offers(current.workspace()))
    return form


def listed(form: TradeFilterForm) -> dict[str, Any]:
    """One page of what is asked for. A filter that cannot be read shows nothing and says why."""
    workspace, number = current.workspace(), loading.page_number()
    found: list[listing.Listed] = []
    count, address = 0, {}
    if form.validate():
        wanted, (sort, rising) = form.wanted(current.now()), form.sorting()
        count, address = listing.count(workspace, wanted), form.address()
        number = min(number, max(1, -(-count // listing.PAGE)))
        found = listing.page(workspace, wanted, sort=sort, rising=rising, number=number)
    return {
        "form": form,
        "rows": found[: listing.PAGE],
        "count": count,
        "address": address,
        "number": number,
        "more": len(found) > listing.PAGE,
        "filtered": bool(set(address) - {"sort", "order"}),
        "compared": COMPARED,
    }


def told(trade: TradeRow, form: TradeNoteForm | None = None) -> dict[str, Any]:
    """All that the page of one trade shows."""
    found = story.of(trade, current.now())
    note = notes.note_of(trade)
    if form is None:
        form = TradeNoteForm(formdata=None)
        form.note.data = note.text if note is not None else ""
        form.tags.data = ", ".join(notes.tags_of(trade))
    return {"form": form, "note": note, "tags": notes.tags_of(trade), **spelt(found)}


def spelt(found: Story) -> dict[str, Any]:
    """A story with the decimals its prices and sizes need."""
    prices = [fill.price for fill in found.fills] + [found.trade.entry_price]
    sizes = [fill.quantity for fill in found.fills] + [found.trade.entered]
    places = {"places": decimals(prices, least=2), "size": decimals(sizes, 0, 6)}
    return {"story": found, "trade": found.trade, "bot": found.bot, **places}


def compared(trade_ids: list[str]) -> dict[str, Any]:
    """Up to four trades side by side; ids of none are passed over."""
    rows = listing.of_ids(current.workspace(), trade_ids[:COMPARED])
    now = current.now()
    return {"pairs": [(it, spelt(story.of(it.trade, now))) for it in rows], "most": COMPARED}


def drawing(trade: TradeRow) -> dict[str, Any]:
    """Numbers for the chart of one trade."""
    found = story.of(trade, current.now())
    candles = story.candles(trade, found.version, current.now())
    return {
        "version": f"{len(candles)}-{trade.closed_at is not None}",
        "candles": series.candle_points(candles),
        "markers": series.markers([trade], trade.symbol, candles),
        "equity": [],
        "decimals": series.price_decimals(candles),
        "live": trade.closed_at is None,
    }


def annotate(trade: TradeRow, form: TradeNoteForm) -> bool:
    """Save what was written; whether it could be."""

    def write() -> None:
        by, now = current.actor(), current.now()
        names = tags.read(form.tags.data or "")
        text = (form.note.data or "").replace("\r\n", "\n")
        notes.annotate(trade, text, names, author=current.user(), by=by, now=now)

    return form.accepts(write)


def file(form: TradeFilterForm) -> Response:
    """All trades of the filter; 422 if it cannot be read."""
    if not form.validate():
        return Response(render_template("trades/index.html", **listed(form)), 422)
    workspace, wanted = current.workspace(), form.wanted(current.now())
    name = f"trades-{workspace.slug}-{current.now():%Y%m%d}.csv"
    workspace_id = workspace.id
    return streamed(name, export.COLUMNS, lambda: export.rows(workspace_id, wanted))


def streamed(
    name: str, columns: Sequence[str], rows: Callable[[], Iterable[tuple[object, ...]]]
) -> Response:
    """A table of any length, row by row, in a transaction of its own; the request's ends first.

    ``rows`` closes over plain values: what the request loaded is gone by then.
    """
    workspace_id = current.workspace().id

    def lines() -> Iterator[str]:
        tenancy.enter(workspace_id)
        with transactions.reading():
            yield sheets.line(columns)
            for row in rows():
                yield sheets.line(sheets.harmless_cells(row))

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = downloads.disposition(name)
    return response
