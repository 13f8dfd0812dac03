"""What bounds a workspace's bots, what new ones begin with, what protects it, and answers."""

import re
from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    SelectField,
    SelectMultipleField,
    StringField,
)

from app.domain.ceilings import AMOUNTS, BOOK, Ceilings
from app.domain.defaults import Defaults
from app.domain.errors import Invalid
from app.domain.protection import Protection
from app.domain.venues import VENUES
from app.forms.base import Form, offered, squeezed
from app.forms.bots import SYMBOLS, LimitFields
from app.forms.schedule import zones
from runner.protocol import Mode

_NUMBER = re.compile(r"([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?|\.[0-9]+")


class ReasonField(Form):
    """Why somebody else should approve it."""

    reason = StringField("Why", filters=[squeezed])


class CeilingsForm(ReasonField):
    """What all bots of a workspace may be and may risk together."""

    modes = SelectMultipleField(
        "Modes", choices=offered((mode.value, mode.title()) for mode in Mode)
    )
    exchanges = SelectMultipleField(
        "Exchanges", choices=offered((venue.id, venue.title) for venue in VENUES.values())
    )
    symbols = SelectMultipleField(
        "Symbols", choices=offered((name, name.split(":")[0]) for name in SYMBOLS)
    )
    max_notional = StringField("Largest holding of all bots", filters=[squeezed])
    max_daily_loss = StringField("Daily loss of all bots", filters=[squeezed])
    max_gross = StringField(BOOK["max_gross"], filters=[squeezed])
    max_net = StringField(BOOK["max_net"], filters=[squeezed])
    max_per_asset = StringField(BOOK["max_per_asset"], filters=[squeezed])

    def ceilings(self) -> Ceilings:
        """As typed; nothing ticked means that all are allowed. Raises ``Invalid``."""
        return Ceilings(
            modes=tuple(Mode(item) for item in self.modes.data or ()) or None,
            exchanges=tuple(self.exchanges.data or ()) or None,
            symbols=tuple(self.symbols.data or ()) or None,
            **{name: amount(self._fields[name].data, name) for name in AMOUNTS},
        )

    def show(self, bounds: Ceilings) -> None:
        """Fill in what is set."""
        self.modes.data = [mode.value for mode in bounds.modes or ()]
        self.exchanges.data = list(bounds.exchanges or ())
        self.symbols.data = list(bounds.symbols or ())
        for name in AMOUNTS:
            value = getattr(bounds, name)
            self._fields[name].data = "" if value is None else format(value, "f")


class DefaultsForm(LimitFields):
    """What the form for a new bot is filled with."""

    mode = SelectField(
        "Mode", choices=offered((m.value, m.title()) for m in (Mode.PAPER, Mode.TESTNET))
    )
    exchange = SelectField(
        "Exchange", choices=offered((venue.id, venue.title) for venue in VENUES.values())
    )
    symbol = SelectField("Symbol", choices=offered((name, name.split(":")[0]) for name in SYMBOLS))
    starting_balance = StringField("Starting balance of paper", filters=[squeezed])
    zone = SelectField("Time zone of schedules", choices=zones)

    def defaults(self) -> Defaults:
        """As typed. Raises ``Invalid`` naming the field."""
        balance = amount(self.starting_balance.data, "starting_balance")
        if balance is None:
            raise Invalid("Write a number like 10000.", "starting_balance")
        return Defaults(
            mode=Mode(self.mode.data),
            exchange=self.exchange.data,
            symbol=self.symbol.data,
            starting_balance=balance,
            limits=self.limits(),
            zone=self.zone.data,
        )

    def show(self, found: Defaults, zone: str) -> None:
        """Fill in what is set; ``zone`` is that of the workspace."""
        self.mode.data, self.exchange.data = found.mode.value, found.exchange
        self.symbol.data = found.symbol
        self.starting_balance.data = format(found.starting_balance, "f")
        self.zone.data = found.zone or zone
        self.show_limits(found.limits)


class ProtectionForm(ReasonField):
    """How a workspace protects itself."""

    two_person = BooleanField("Two persons for what raises the risk")
    managers_invite = BooleanField("Managers may invite")
    factor = StringField("Second factor demanded from", filters=[squeezed])

    def protection(self, zone: str) -> Protection:
        """As typed; the day begins in ``zone``. Raises ``Invalid``."""
        return Protection(
            two_person=bool(self.two_person.data),
            managers_invite=bool(self.managers_invite.data),
            factor_from=self._moment(zone),
        )

    def show(self, found: Protection, zone: str) -> None:
        """Fill in what is set."""
        self.two_person.data, self.managers_invite.data = found.two_person, found.managers_invite
        day = found.factor_from
        self.factor.data = day.astimezone(ZoneInfo(zone)).date().isoformat() if day else ""

    def _moment(self, zone: str) -> datetime | None:
        if not self.factor.data:
            return None
        try:
            day = datetime.strptime(self.factor.data, "%Y-%m-%d").replace(tzinfo=UTC).date()
            return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Invalid("Write a day like 2027-01-31, or leave it empty.", "factor") from None


class AnswerForm(Form):
    """Why a request is rejected."""

    answer = StringField("Why not", filters=[squeezed])


def amount(text: str | None, field: str) -> Decimal | None:
    """A number as typed, ``None`` where nothing was. Raises ``Invalid`` naming the field."""
    if not text:
        return None
    found = number(text)
    if found is None and "," in text:
        raise Invalid("Write a number such as 1,250.50: a comma only parts thousands.", field)
    if not found:
        raise Invalid("Write a number above zero, such as 1250.50.", field)
    return found


def number(text: str) -> Decimal | None:
    """Digits as people write them, ``None`` for all else: 12,5 is not taken for 125."""
    if not _NUMBER.fullmatch(text):
        return None
    return Decimal(text.replace(",", ""))
