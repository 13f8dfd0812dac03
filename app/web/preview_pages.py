"""What the builder's preview shows: of the rules as they are typed, or the last good one."""

from contextlib import suppress
from typing import Any

from flask import request, session

from app import current
from app.domain import defaults, previews, strategies
from app.domain.errors import Invalid, Refused
from app.domain.venues import VENUES
from app.forms.previews import MarketForm
from app.forms.strategies import RulesForm
from app.models import Preview, PreviewState
from app.web.preview_looks import look

GONE = "Another preview was asked for meanwhile. Press Update preview to see this one."
AWAY = (
    "Nobody has begun it for a while: the worker of the queue “previews” is busy or away. It goes "
    "on by itself once there is one."
)


_MARKETS = "preview_markets"
MOST_REMEMBERED = 12
"""Strategies whose market this sign-in remembers: they travel in a cookie."""


def market_form() -> MarketForm:
    """The market that was picked, now or the last time, at first the workspace's usual one."""
    form = MarketForm()
    if "preview_exchange" not in request.form:
        form.preview_exchange.data, form.preview_symbol.data = _usual()
    return form


def _usual() -> tuple[str, str]:
    exchange, symbol = session.get(_MARKETS, {}).get(_strategy(), ("", ""))
    if exchange in VENUES and symbol in VENUES[exchange].symbols:
        return exchange, symbol
    usual = defaults.of(current.workspace())
    return usual.exchange, usual.symbol


def _remember(market: MarketForm) -> None:
    """What is picked is picked for the next look too, for this strategy and this person."""
    picked = [market.preview_exchange.data, market.preview_symbol.data]
    kept = {name: it for name, it in session.get(_MARKETS, {}).items() if name != _strategy()}
    rest = list(kept.items())[-(MOST_REMEMBERED - 1) :]
    session[_MARKETS] = dict([*rest, (_strategy(), picked)])


def _strategy() -> str:
    return str((request.view_args or {}).get("strategy_id", ""))


def at_rest(rules: RulesForm) -> dict[str, Any]:
    """For a page that nobody asked anything of yet: what is known already, and nothing begun."""
    market, found = market_form(), None
    with suppress(Invalid):
        if not strategies.faults(rules.rules()):
            found = previews.known(current.workspace(), _plan(rules, market))
    shown = found if found is not None and found.state is PreviewState.DONE else None
    return _context(market, shown, "current" if shown else "none")


def aside(rules: RulesForm) -> dict[str, Any]:
    """Beside a form that took a step, or was not accepted: the one shown before, if it still fits.

    Nothing is begun: whoever has script asks in a moment, all others by the button.
    """
    context = at_rest(rules)
    if context["preview_state"] == "none" and (shown := _shown()) is not None:
        return _context(context["market"], shown, "old")
    return context


def asked(rules: RulesForm) -> dict[str, Any]:
    """The preview of what is typed: done, on its way, or why there is none."""
    market = market_form()
    if not rules.accepts(lambda: strategies.check(rules.rules())):
        return _context(market, _shown(), "faulty")
    if not market.validate():
        return _context(market, _shown(), "market")
    again, person, now = "again" in request.form, current.user(), current.now()
    try:
        plan = _plan(rules, market)
        _remember(market)
        found = previews.request(current.workspace(), plan, person=person, now=now, again=again)
    except Invalid as error:
        market.adopt(error)
        return _context(market, _shown(), "market")
    except Refused as error:
        return _context(market, _shown(), "refused", message=str(error))
    return _standing(market, found)


def followed(preview_id: str) -> dict[str, Any]:
    """How far one is that is waited for."""
    found = previews.find(current.workspace(), preview_id)
    if found is None:
        return _context(None, _shown(), "refused", message=GONE)
    return _standing(None, found)


def _plan(rules: RulesForm, market: MarketForm) -> dict[str, Any]:
    picked = market.preview_exchange.data, market.preview_symbol.data
    return previews.plan(rules.rules(), *picked, current.now())


def _standing(market: MarketForm | None, found: Preview) -> dict[str, Any]:
    if found.state is PreviewState.DONE:
        return _context(market, found, "current")
    if found.state is PreviewState.FAILED:
        fault = found.fault or {}
        return _context(market, _shown(), "failed", message=_why(fault))
    stalled = previews.stalled(found, current.now())
    message = AWAY if stalled else ""
    return _context(market, _shown(), "working", waiting=found, message=message)


def _why(fault: dict[str, Any]) -> str:
    """A fault as a sentence."""
    text = str(fault.get("message") or "it ended without a word").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _shown() -> Preview | None:
    """The one that the page shows now, as it says itself."""
    name = request.values.get("previewed", "")
    found = previews.find(current.workspace(), name) if name else None
    return found if found is not None and found.state is PreviewState.DONE else None


def _context(
    market: MarketForm | None,
    shown: Preview | None,
    state: str,
    *,
    waiting: Preview | None = None,
    message: str = "",
) -> dict[str, Any]:
    told = previews.told(shown) if shown is not None else None
    return {
        "market": market,
        "previewed": shown.id if shown is not None else "",
        "look": look(told, shown.asked["rules"]["direction"]) if shown and told else None,
        "preview_state": state,
        "preview_message": message,
        "waiting": waiting,
        "days": previews.DAYS,
    }
