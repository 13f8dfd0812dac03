"""The page for people who open the practice market in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from app.practice.kinds import KINDS

if TYPE_CHECKING:
    from app.practice.exchange import Exchange

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem }
th, td { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #8886 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
"""


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    def cells(tag: str, row: Sequence[object]) -> str:
        return "".join(
            f"<{tag}{' class=n' if k else ''}>{escape(str(cell))}</{tag}>"
            for k, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', heads)}</tr></thead><tbody>{body}</tbody></table>"


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _prices(exchange: Exchange, ms: int) -> str:
    rows = [
        (
            one.instrument.symbol,
            one.instrument.price(one.last(ms).price),
            f"{one.mark(ms):.4f}",
            f"{one.funding_rate(ms) * 100:.4f} %",
        )
        for one in exchange.markets.values()
    ]
    return _table(("Symbol", "Last", "Mark", "Funding rate"), rows)


def _callers(exchange: Exchange) -> str:
    rows = [
        (row["address"], row["account"], _moment(row["last_seen"]), row["requests"])
        for row in exchange.callers.listed()
    ]
    return _table(("Source address", "Account", "Last seen (UTC)", "Requests"), rows)


def _scope(fault: dict[str, Any]) -> str:
    named = [f"{name} {want}" for name, want in fault["match"].items()]
    return ", ".join(named) or "everyone"


def _numbers(fault: dict[str, Any]) -> str:
    names = ("seconds", "amount", "count", "probability")
    return ", ".join(f"{name} {fault[name]:g}" for name in names if fault[name] is not None)


def _faults(exchange: Exchange, ms: int) -> str:
    rows = [
        (one["id"], KINDS[one["kind"]].summary, _scope(one), _numbers(one), one["struck"])
        for one in exchange.faults.listed(ms)
        if one["active"]
    ]
    if not rows:
        return "<p>None: the market behaves.</p>"
    return _table(("Fault", "What it does", "Whom it meets", "Numbers", "Struck"), rows)


def _violations(exchange: Exchange) -> str:
    rows = [
        (one["kind"], one["account"], one["what"], _moment(one["last_seen"]), one["count"])
        for one in exchange.watch.violations()
    ]
    if not rows:
        return "<p>None: every account has had one user at a time.</p>"
    return _table(("Violation", "Account", "What", "Last seen (UTC)", "Times"), rows)


def render(exchange: Exchange, ms: int) -> str:
    """The market at this moment, as a page that refreshes itself."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>Practice market</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Practice market</h1>
<p>A simulated exchange for bots that practise. It speaks the REST protocol of Binance USD-M
futures; prices are made up, money is play money. {_moment(ms)} UTC.</p>
<h2>Contracts</h2>
{_prices(exchange, ms)}
<h2>Violations</h2>
{_violations(exchange)}
<h2>Active faults</h2>
{_faults(exchange, ms)}
<h2>Callers</h2>
{_callers(exchange)}
</body>
</html>
"""
