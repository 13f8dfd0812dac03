"""Making and changing bots."""

from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.validators import InputRequired

from app.domain.bot_rules import parse_limits
from app.domain.defaults import Defaults
from app.domain.limits import TITLES
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
LIMITS = tuple(
    (name, TITLES[name], hint)
    for name, hint in (
        ("max_position_notional", "In quote currency, per symbol."),
        ("max_order_notional", "In quote currency."),
        ("max_daily_loss", "No entries that day beyond it."),
        ("max_open_positions", "Across its symbols."),
        ("max_orders_per_minute", "Stops a runaway loop."),
    )
)


class LimitFields(Form):
    """Risk limits above any strategy; empty means none."""

    max_position_notional = StringField(TITLES["max_position_notional"], filters=[squeezed])
    max_order_notional = StringField(TITLES["max_order_notional"], filters=[squeezed])
    max_daily_loss = StringField(TITLES["max_daily_loss"], filters=[squeezed])
    max_open_positions = StringField(TITLES["max_open_positions"], filters=[squeezed])
    max_orders_per_minute = StringField(TITLES["max_orders_per_minute"], filters=[squeezed])

    def limits(self) -> Limits:
        """As typed. Raises ``Invalid`` naming the field."""
        return parse_limits({name: self._fields[name].data or "" for name, _, _ in LIMITS})

    def show_limits(self, stored: dict[str, Any]) -> None:
        """Fill in what is stored."""
        for name, _, _ in LIMITS:
            value = stored.get(name)
            self._fields[name].data = "" if value is None else str(value)


class NewBotForm(ScheduleFields, LimitFields):
    """A whole bot on one page."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 60))
    strategy = SelectField("Strategy")
    symbol = SelectField("Symbol")
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
        self.starting_balance.data = format(found.starting_balance, "f")
        self.zone.data = found.zone or zone
        self.show_limits(vars(found.limits))

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


class PanicForm(Form):
    """The bots to pause and flatten; all, unless some are unticked."""

    bots = SelectMultipleField(
        "Bots",
        # One that has stopped meanwhile keeps nobody from flattening the others.
        validate_choice=False,
        validators=[InputRequired("Tick at least one bot, or do nothing.")],
    )


class DeleteForm(Form):
    """The typed name is the confirmation."""

    name = StringField("Name of the bot", validators=needed("Type its name to confirm.", 60))


def _decimal(text: str | None) -> Decimal | None:
    try:
        return Decimal((text or "").replace(",", ""))
    except InvalidOperation:
        return None
