"""What the pages about a bot's signals show."""

import json
from typing import Any
from urllib.parse import urlsplit

from flask import render_template, request, url_for

from app import current
from app.domain.signals import hooks, intake, listing
from app.domain.signals.listing import Listed
from app.forms.signals import HookForm, TestForm
from app.models import Bot, Signal
from app.web import bot_pages, loading
from app.web.signal_door import SIGNATURE, STAMP

TITLES = {
    "all": "All",
    "orders": "With an order",
    "without": "Without a trade",
    "rejected": "Rejected",
    "tests": "Tests",
}
TONES = {
    "entry": "good",
    "exit": "good",
    "kept": "info",
    "received": "info",
    "delivered": "info",
    "rejected": "bad",
    "expired": "warn",
    "not answered": "bad",
    "superseded": "warn",
}
YOURS = "the secret of this webhook"
_PORTS = (None, 80, 443)


def index(bot: Bot, form: TestForm | None = None, tested: Signal | None = None) -> str:
    """What came in, and how to have something come in."""
    if form is None:
        form = TestForm(formdata=None)
        form.message.data = alert(YOURS)["strategy"]
    shown = bot_pages.state_of(bot) | listed(bot) | door(bot)
    shown |= {"tab": "signals", "version": "", "form": form, "tested": tested}
    return render_template("bots/signals.html", **shown)


def listed(bot: Bot) -> dict[str, Any]:
    """One page of what is asked for."""
    wanted = request.args.get("show", "")
    wanted = wanted if wanted in listing.FILTERS else "all"
    number, now = loading.page_number(), current.now()
    rows = listing.page(bot, wanted, number)
    shown = rows[: listing.PAGE]
    return {
        "bot": bot,
        "now": now,
        "signals": shown,
        "wanted": wanted,
        "number": number,
        "more": len(rows) > listing.PAGE,
        "filters": _filters(bot, wanted),
        "tones": TONES,
        "still": _is_still(bot, shown, number),
    }


def door(bot: Bot, secret: str = YOURS) -> dict[str, Any]:
    """The webhook: where it is, what it wants, and what to paste at the sender."""
    address = current.config().base_url + url_for("signal_in.take", bot_id=bot.id)
    return {
        "hook": hooks.of(bot),
        "hears": hooks.hears(bot),
        "address": address,
        "unreachable": _unreachable(address),
        "alert": alert(secret),
        "signing": {"stamp": STAMP, "signature": SIGNATURE},
        "tradingview": ", ".join(hooks.TRADINGVIEW),
    }


def alert(secret: str) -> dict[str, str]:
    """Messages for an alert of TradingView: on a strategy of Pine, and on an indicator."""
    common = {"secret": secret, "symbol": "{{ticker}}"}
    strategy = {
        "action": "{{strategy.order.action}}",
        "position": "{{strategy.market_position}}",
    }
    last = {"time": "{{timenow}}", "price": "{{close}}"}
    return {
        "strategy": json.dumps(common | strategy | last, indent=2),
        "indicator": json.dumps(common | {"action": "buy"} | last, indent=2),
    }


def test(bot: Bot) -> str:
    """Check a message as typed, and show what would become of it."""
    form = TestForm()
    typed = form.message.data or ""
    row = intake.test(bot, typed, tempo=current.config().tempo, now=current.now())
    return index(bot, form, row)


def settings(bot: Bot, form: HookForm) -> str:
    """Who may send, how old a message may be, names of symbols."""
    return render_template("bots/signal_settings.html", bot=bot, form=form, **door(bot))


def configure(bot: Bot, form: HookForm) -> None:
    """Take over what was typed."""
    hooks.configure(
        bot,
        max_age=form.max_age.data or 0,
        sources=form.sources.data or "",
        aliases=form.aliases.data or "",
        by=current.actor(),
        now=current.now(),
    )


def _filters(bot: Bot, wanted: str) -> list[tuple[str, str, bool]]:
    return [
        (title, url_for("bot_signals.index", bot_id=bot.id, show=name), name == wanted)
        for name, title in TITLES.items()
    ]


def _is_still(bot: Bot, rows: list[Listed], number: int) -> bool:
    """Whether nobody need look again: an older page, or a webhook that takes nothing."""
    hook = hooks.of(bot)
    shut = hook is None or hook.sealed is None
    return number > 1 or (shut and not listing.moving(rows, current.now()))


def _unreachable(address: str) -> str:
    """Why a program on the internet cannot send here, as far as the address tells."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return "This server is reached from this computer alone. Set BASE_URL to a public address."
    if parts.port not in _PORTS:
        return "TradingView sends to the ports 80 and 443 alone; this address has another one."
    return ""
