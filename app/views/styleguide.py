"""Every component on one page, for whoever builds the next one."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from math import sin

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app import current
from app.domain.feed import Activity
from app.forms.base import offered
from app.forms.bots import MODE_DETAILS, ModeForm
from app.web.candle_chart import Candle, Mark, candle_chart
from app.web.guards import signed_in

bp = Blueprint("styleguide", __name__, url_prefix="/styleguide")


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Each component with plain sample values."""
    now = current.now()
    form = ModeForm(data={"mode": "paper"})
    form.connection.choices = offered([("", "Choose one")])
    form.connection.errors = ["Testnet orders need a testnet connection; choose one."]
    feed = [Activity(now - timedelta(minutes=3), "notice", None, "preflight passed", "good")]
    rows = [
        ("BTC/USDT", Decimal("63250.1"), Decimal("12.4")),
        ("ETH/USDT", Decimal(3120), Decimal("-3.05")),
    ]
    shown = {"now": now, "form": form, "feed": feed, "rows": rows, "modes": MODE_DETAILS}
    return render_template("styleguide/index.html", **shown, candles=_candles())


def _candles() -> Markup:
    """A hundred hours with a trade each way."""
    hour = 3600
    prices = [100 + 8 * sin(it / 9) + 3 * sin(it / 2) for it in range(101)]
    candles = [
        Candle(it * hour, now, max(now, then) + 0.6, min(now, then) - 0.4, then)
        for it, (now, then) in enumerate(pairwise(prices))
    ]
    marks = [
        Mark(16 * hour, 108.1, "buy", "Long entry at 108.10"),
        Mark(31 * hour, 97.2, "sell", "Long exit at 97.20, lost", False, (16 * hour, 108.1)),
        Mark(77 * hour, 106.2, "sell", "Short entry at 106.20"),
        Mark(97 * hour, 92.5, "buy", "Short exit at 92.50, won", True, (77 * hour, 106.2)),
    ]
    return candle_chart(candles, marks, span=hour, title="A hundred candles with two trades")
