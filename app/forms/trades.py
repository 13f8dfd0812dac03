"""What people ask of trades, read from the address of the page, and what they write about one."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from wtforms import SelectField, StringField, TextAreaField, ValidationError

from app.domain.trades.listing import RESULTS, SORTS, TradeFilter
from app.forms.base import Form, offered, squeezed
from app.web.formatting import symbol, words
from runner.protocol import Mode, Side

RANGES = {
    "": ("Any time", None),
    "1d": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
    "365d": ("Last 365 days", timedelta(days=365)),
}
SIDES = {Side.BUY: "Long", Side.SELL: "Short"}
SORT_WORDS = {
    "closed": "Closing",
    "opened": "Opening",
    "result": "Result",
    "length": "Length",
    "size": "Size",
    "fees": "Fees",
}
EXAMPLE = "Write a day as 2026-11-24."


def _choice(label: str) -> SelectField:
    return SelectField(label, default="")


class TradeFilterForm(Form):
    """One field for each part of the filter; days are UTC."""

    bot = _choice("Bot")
    mode = _choice("Mode")
    result = _choice("Result")
    range = _choice("Closed")
    strategy = _choice("Strategy")
    symbol = _choice("Symbol")
    side = _choice("Side")
    kind = _choice("Exit")
    tag = _choice("Tag")
    since = StringField("From", filters=[squeezed], render_kw={"placeholder": "2026-11-01"})
    until = StringField("To", filters=[squeezed], render_kw={"placeholder": "2026-11-30"})
    sort = SelectField("Sorted by", default="closed", choices=offered(SORT_WORDS.items()))
    order = SelectField(
        "Order", default="falling", choices=offered([("falling", "Down"), ("rising", "Up")])
    )

    def offer(self, offers: dict[str, list[Any]]) -> None:
        """Fill in what there is to choose from."""
        self._fields["bot"].choices = offered([("", "All"), *map(tuple, offers["bots"])])
        self._fields["strategy"].choices = offered([("", "All"), *map(tuple, offers["strategies"])])
        symbols = [(it, symbol(it)) for it in offers["symbols"]]
        self._fields["symbol"].choices = offered([("", "All"), *symbols])
        kinds = [(it, words(it)) for it in offers["kinds"]]
        self._fields["kind"].choices = offered([("", "Any"), *kinds])
        self._fields["tag"].choices = offered([("", "Any"), *((it, it) for it in offers["tags"])])
        self._fields["mode"].choices = offered([("", "All"), *((it, it) for it in Mode)])
        self._fields["side"].choices = offered([("", "Both"), *SIDES.items()])
        self._fields["result"].choices = offered([("", "Any"), *((it, it) for it in RESULTS)])
        self._fields["range"].choices = offered((it, text) for it, (text, _) in RANGES.items())

    def validate_since(self, field: StringField) -> None:
        """A day."""
        _day(field)

    def validate_until(self, field: StringField) -> None:
        """A day."""
        _day(field)

    def wanted(self, now: datetime) -> TradeFilter:
        """The filter as typed; a range counts from now where no day is given."""
        since, until, reach = _day(self.since), _day(self.until), RANGES[self.range.data or ""][1]
        if since is None and until is None and reach is not None:
            since = now - reach
        names = ("bot", "strategy", "symbol", "mode", "side", "kind", "result", "tag")
        typed = {name: self.data[name] or "" for name in names}
        after = until + timedelta(days=1) if until else None
        return TradeFilter(**typed, since=since, until=after)

    def sorting(self) -> tuple[str, bool]:
        """By what, and whether the least comes first."""
        chosen = self.sort.data if self.sort.data in SORTS else "closed"
        return chosen, self.order.data == "rising"

    def address(self) -> dict[str, str]:
        """What is filled in, for links to the same rows."""
        usual = {"sort": "closed", "order": "falling"}
        filled = {name: value for name, value in self.data.items() if value}
        return {name: value for name, value in filled.items() if usual.get(name) != value}


class TradeNoteForm(Form):
    """What somebody writes about one trade; the domain bounds both."""

    note = TextAreaField("Note", filters=[squeezed])
    tags = StringField("Tags", filters=[squeezed])


def _day(field: StringField) -> datetime | None:
    if not field.data:
        return None
    try:
        found = date.fromisoformat(field.data)
        if not 2000 <= found.year <= 9000:
            raise ValidationError(EXAMPLE)
        return datetime.combine(found, time(), UTC)
    except ValueError:
        raise ValidationError(EXAMPLE) from None
