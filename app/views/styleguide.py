"""Every component on one page, for whoever builds the next one."""

from datetime import timedelta
from decimal import Decimal

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app import current
from app.domain.feed import Activity
from app.forms.base import offered
from app.forms.bots import MODE_DETAILS, ModeForm
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
    return render_template(
        "styleguide/index.html", now=now, form=form, feed=feed, rows=rows, modes=MODE_DETAILS
    )
