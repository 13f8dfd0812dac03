"""Making and changing bots."""

from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)

from app.domain.defaults import Defaults
from app.domain.limits import NUMBERS, TITLES, parse
from app.domain.venues import VENUES
from app.forms.base import Form, needed, offered, squeezed
from app.forms.schedule import ScheduleFields
from app.models import Bot
from runner.protocol import Limits, Mode

MODES = [("paper", "Paper"), ("testnet", "Testnet"), ("live", "Live")]
MODE_DETAILS = {
    "paper": "Real prices, fills worked out here, no key. Nothing is ever sent to a venue.",
    "testnet": "Real orders on the venue's test system, with play money and a testnet key.",
    "live": "Real orders with real money.",
}
BUILT_IN = "Built in: play money, and the same prices for everybody here."
SYMBOLS = sorted({symbol for venue in VENUES.values() for symbol in venue.symbols})


class Shown(NamedTuple):
    """One limit on the page; the basic ones stand first, the others behind a fold."""

    name: str
    hint: str
    unit: str = ""
    basic: bool = False


LIMITS = (
    Shown("max_position_notional", "Per symbol, orders that rest included.", "USDT", basic=True),
    Shown("max_order_notional", "One entry.", "USDT", basic=True),
    Shown("max_daily_loss", "Open profit counts. No entries that day (UTC).", "USDT", basic=True),
    Shown("max_open_positions", "Across its symbols.", basic=True),
    Shown("max_drawdown", "Below the highest equity of its run, open profit included.", "USDT"),
    Shown("max_leverage", "All its positions as a multiple of its equity.", "times"),
    Shown("price_collar_percent", "No entry at a price so much worse than the mark.", "%"),
    Shown("max_error_streak", "After so many the bot is passed for broken."),
    Shown("max_orders_per_minute", "Stops a runaway loop."),
    Shown("cooldown_seconds", "No entry for so long.", "seconds"),
    Shown("balance_reserve", "Equity that entries leave alone.", "USDT"),
)
BREACHES = {
    "pause": "No entries. What is held keeps its stop and its exits.",
    "flatten": "No entries, and what is held is closed at market.",
    "stop": "What is held is closed at market, and the bot is stopped.",
}


class LimitFields(Form):
    """Risk limits above any strategy; empty means none."""

    max_position_notional = StringField(TITLES["max_position_notional"], filters=[squeezed])
    max_order_notional = StringField(TITLES["max_order_notional"], filters=[squeezed])
    max_daily_loss = StringField(TITLES["max_daily_loss"], filters=[squeezed])
    max_open_positions = StringField(TITLES["max_open_positions"], filters=[squeezed])
    max_drawdown = StringField(TITLES["max_drawdown"], filters=[squeezed])
    max_leverage = StringField(TITLES["max_leverage"], filters=[squeezed])
    price_collar_percent = StringField(TITLES["price_collar_percent"], filters=[squeezed])
    max_error_streak = StringField(TITLES["max_error_streak"], filters=[squeezed])
    max_orders_per_minute = StringField(TITLES["max_orders_per_minute"], filters=[squeezed])
    cooldown_seconds = StringField(TITLES["cooldown_seconds"], filters=[squeezed])
    balance_reserve = StringField(TITLES["balance_reserve"], filters=[squeezed])
    allowed_symbols = SelectMultipleField(
        TITLES["allowed_symbols"], choices=offered((it, it.split(":")[0]) for it in SYMBOLS)
    )
    on_breach = RadioField(
        TITLES["on_breach"],
        choices=offered((key, key.title()) for key in BREACHES),
        default="pause",
    )

    on_breach_details = BREACHES

    def limits(self) -> Limits:
        """As typed. Raises ``Invalid`` naming the field."""
        typed = {name: self._fields[name].data or "" for name in (*NUMBERS, "on_breach")}
        return parse(typed, self.allowed_symbols.data or ())

    def show_limits(self, stored: Limits) -> None:
        """Fill in what is set."""
        for name in NUMBERS:
            value = getattr(stored, name)
            self._fields[name].data = "" if value is None else format(Decimal(value), "f")
        self.allowed_symbols.data = list(stored.allowed_symbols or ())
        self.on_breach.data = stored.on_breach.value


class NewBotForm(ScheduleFields, LimitFields):
    """A whole bot on one page."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 60))
    strategy = SelectField("Strategy")
    exchange = RadioField(
        "Exchange", choices=offered((venue.id, venue.title) for venue in VENUES.values())
    )
    symbol = SelectField("Symbol", choices=offered((name, name.split(":")[0]) for name in SYMBOLS))
    mode = RadioField("Mode", choices=offered(MODES), default="paper")
    starting_balance = StringField("Starting balance", filters=[squeezed], default="10000")
    connection = SelectField("Testnet connection")
    region = SelectField("Region", validate_choice=False)
    start = BooleanField("Start it now", default=True)

    def validate_starting_balance(self, field: StringField) -> None:
        """Only paper has a balance of its own."""
        if self.mode.data == Mode.PAPER and _decimal(field.data) is None:
            raise ValidationError("Write a number like 10000.")

    def begin_with(self, found: Defaults, zone: str) -> None:
        """Fill in what the workspace's bots begin with; ``zone`` is that of the workspace."""
        self.mode.data, self.symbol.data = found.mode.value, found.symbol
        self.exchange.data = found.exchange
        self.starting_balance.data = format(found.starting_balance, "f")
        self.zone.data = found.zone or zone
        self.show_limits(found.limits)

    @property
    def balance(self) -> Decimal:
        """In quote currency; what testnet holds is up to the venue."""
        typed = _decimal(self.starting_balance.data)
        return Decimal(10_000) if typed is None else typed


class EditBotForm(LimitFields):
    """What a bot trades and within which limits."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 60))
    version = SelectField("Strategy version")
    symbols = SelectMultipleField("Symbols")
    reason = StringField("Why", filters=[squeezed])

    def field_of(self, name: str | None) -> Any:
        """The domain speaks of one symbol, the form of several."""
        return super().field_of({"symbol": "symbols", "strategy": "version"}.get(name or "", name))


class ModeForm(Form):
    """Paper or testnet at once; live is asked for on a page of its own."""

    mode = RadioField("Mode", choices=offered(MODES))
    connection = SelectField("Testnet connection")

    def begin_with(self, bot: Bot, made: str | None) -> None:
        """As the bot is, or as it would be with the testnet key ``made`` for it."""
        fits = made in (choice[0] for choice in self.connection.iter_choices())
        self.mode.data = Mode.TESTNET.value if made and fits else bot.mode.value
        self.connection.data = made if made and fits else bot.testnet_connection_id or ""


class DeleteForm(Form):
    """The typed name is the confirmation."""

    name = StringField("Name of the bot", validators=needed("Type its name to confirm.", 60))


def _decimal(text: str | None) -> Decimal | None:
    try:
        return Decimal((text or "").replace(",", ""))
    except InvalidOperation:
        return None
