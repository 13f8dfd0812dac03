"""What a backtest is asked for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import Field, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import Length

from app.domain.backtest_plan import Assumed, Plan
from app.domain.venues import VENUES
from app.forms.base import Form, needed, offered, squeezed
from app.forms.bots import SYMBOLS
from runner.strategy import TIMEFRAMES

EXAMPLE = "Write day and time as 2026-11-24 08:00 (UTC)."
CANDLES = 1500
"""So many the form begins with: enough for some trades, and fetched in seconds."""
_FORMAT = "%Y-%m-%d %H:%M"


class BacktestForm(Form):
    """Times UTC, amounts in quote currency, fees and rates in percent."""

    version = SelectField("Strategy version")
    exchange = SelectField(
        "Exchange", choices=offered((venue.id, venue.title) for venue in VENUES.values())
    )
    symbols = SelectMultipleField(
        "Symbols", choices=offered((name, name.split(":")[0]) for name in SYMBOLS)
    )
    since = StringField("From", filters=[squeezed], validators=needed(EXAMPLE, 30))
    until = StringField("To", filters=[squeezed], validators=needed(EXAMPLE, 30))
    balance = StringField("Starting balance", filters=[squeezed], default="10000")
    taker_fee = StringField("Taker fee", filters=[squeezed])
    maker_fee = StringField("Maker fee", filters=[squeezed])
    spread_percent = StringField("Spread", filters=[squeezed], default="0.02")
    depth = StringField("Depth of a level", filters=[squeezed], default="250000")
    funding_rate = StringField("Funding rate", filters=[squeezed])
    seed = StringField("Seed", filters=[squeezed], default="1")
    note = StringField(
        "Note", filters=[squeezed], validators=[Length(max=120, message="Use at most 120 letters.")]
    )

    def begin_with(self, timeframe: str, exchange: str, symbol: str, now: datetime) -> None:
        """Fill in a period that ends now, of candles of this time frame."""
        end = now.replace(second=0, microsecond=0)
        self.exchange.data, self.symbols.data = exchange, [symbol]
        self.until.data = end.strftime(_FORMAT)
        begin = end - timedelta(seconds=TIMEFRAMES[timeframe] * CANDLES)
        self.since.data = begin.strftime(_FORMAT)

    def begin_like(self, asked: dict[str, Any], note: str) -> None:
        """Fill in what an earlier backtest was asked for."""
        self.exchange.data, self.symbols.data = asked["exchange"], asked["symbols"]
        for field, name in ((self.since, "since"), (self.until, "until")):
            field.data = datetime.fromisoformat(asked[name]).strftime(_FORMAT)
        self.balance.data, self.seed.data, self.note.data = (
            asked["balance"],
            str(asked["seed"]),
            note,
        )
        model = asked["model"]
        self.spread_percent.data, self.depth.data = model["spread_percent"], model["depth"]
        for name in ("taker_fee", "maker_fee", "funding_rate"):
            self._fields[name].data = _percent(model[name]) if name in model else ""

    def validate_since(self, field: Field) -> None:
        """A moment."""
        _moment(field)

    def validate_until(self, field: Field) -> None:
        """A moment."""
        _moment(field)

    def validate_balance(self, field: Field) -> None:
        """A number."""
        decimal(field)

    def validate_taker_fee(self, field: Field) -> None:
        """A number, or nothing."""
        _share(field)

    def validate_maker_fee(self, field: Field) -> None:
        """A number, or nothing."""
        _share(field)

    def validate_spread_percent(self, field: Field) -> None:
        """A number."""
        decimal(field)

    def validate_depth(self, field: Field) -> None:
        """A number."""
        decimal(field)

    def validate_funding_rate(self, field: Field) -> None:
        """A number, or nothing."""
        _share(field)

    def validate_seed(self, field: Field) -> None:
        """A whole number."""
        if not (field.data or "").isdecimal():
            raise ValidationError("Write a whole number like 1.")

    @property
    def plan(self) -> Plan:
        """As typed; the shape is checked before."""
        assumed = Assumed(
            spread_percent=decimal(self.spread_percent),
            depth=decimal(self.depth),
            taker_fee=_share(self.taker_fee),
            maker_fee=_share(self.maker_fee),
            funding_rate=_share(self.funding_rate),
        )
        return Plan(
            exchange=self.exchange.data,
            symbols=tuple(self.symbols.data or ()),
            since=_moment(self.since),
            until=_moment(self.until),
            balance=decimal(self.balance),
            seed=int(self.seed.data or "1"),
            assumed=assumed,
        )


def _moment(field: Field) -> datetime:
    try:
        found = datetime.strptime(field.data or "", _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise ValidationError(EXAMPLE) from None
    if not 2009 <= found.year <= 9000:
        raise ValidationError(EXAMPLE)
    return found


def decimal(field: Field) -> Decimal:
    """A number as people write it. Raises ``ValidationError``."""
    try:
        found = Decimal((field.data or "").replace(",", ""))
    except InvalidOperation:
        raise ValidationError("Write a number like 100.") from None
    if not found.is_finite() or abs(found.adjusted()) > 20:
        raise ValidationError("Write a number like 100.")
    return found


def _share(field: Field) -> Decimal | None:
    """A percentage as a share; nothing where nothing is typed."""
    return decimal(field) / 100 if field.data else None


def _percent(share: str) -> str:
    return f"{(Decimal(share) * 100).normalize():f}"
