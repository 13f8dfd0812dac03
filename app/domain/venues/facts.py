"""What each exchange can do, in words: the public page and docs/exchanges.md say the same."""

from collections.abc import Iterable

from app.domain.venues.venue import Venue
from runner import capabilities
from runner.capabilities.table import Capabilities, Sandbox

_KINDS = {"market": "market", "limit": "limit", "stop_market": "stop (market)"}
_SANDBOX = {
    Sandbox.HOST: "its testnet",
    Sandbox.DEMO: "its demo, on a host of its own",
    Sandbox.HEADER: "its demo, told from live by a header",
    Sandbox.ENDPOINT: "itself: there is no money but play money",
    Sandbox.NONE: "none: paper, and then live",
}


def told(venue: Venue) -> dict[str, str]:
    """Name of each fact to the fact, in the order in which they are read."""
    row = capabilities.TABLE[venue.id]
    return {
        "Contracts": f"{_listed(row.contracts)}, settled in {row.quote}",
        "Markets": _listed(symbol.partition(":")[0] for symbol in row.symbols),
        "Modes": _listed(row.modes),
        "Test venue": _SANDBOX[row.sandbox],
        "Orders": _orders(row),
        "Not sent": _refused(row),
        "Margin": f"{_listed(row.margin)}; leverage {row.leverage}",
        "Candles": f"{_listed(row.timeframes)}; {row.candles_at_once:,} in one request",
        "Streams": "candles, orders and positions" if row.streams else "none: asked at intervals",
        "Keys": _keys(row),
        "Matching engine": _engine(row),
        "If the machine dies": venue.if_machine_dies,
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _orders(row: Capabilities) -> str:
    kinds = _listed(_KINDS[kind] for kind in row.orders)
    return f"{kinds}, limit that must not take" if row.post_only else kinds


def _refused(row: Capabilities) -> str:
    reasons = dict(row.refused)
    if not row.post_only:
        reasons["limit that must not take"] = "not compared with its documentation yet"
    return "; ".join(f"{_KINDS.get(kind, kind)}: {why}" for kind, why in reasons.items()) or "—"


def _keys(row: Capabilities) -> str:
    if row.unbound_key_days is None:
        return "no rule for keys that are bound to no address is known"
    return f"one bound to no address lapses after {row.unbound_key_days} days"


def _engine(row: Capabilities) -> str:
    if row.engine is None:
        return "where plutarc runs" if row.sandbox is Sandbox.ENDPOINT else "not known"
    source = "as it documents" if row.engine.documented else "as people measured"
    return f"{row.engine.place}, {source}; nearest region {row.engine.cloud_region}"
