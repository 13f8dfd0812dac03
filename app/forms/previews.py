"""On which market a preview is worked out; it is sent along with the rules and saved nowhere."""

from wtforms import Field, SelectField

from app.domain.venues import VENUES
from app.forms.base import Form, offered
from app.forms.bots import SYMBOLS


class MarketForm(Form):
    """The names begin with the form's own: a builder's fields stand in the same request."""

    preview_exchange = SelectField(
        "Exchange", choices=offered((venue.id, venue.title) for venue in VENUES.values())
    )
    preview_symbol = SelectField(
        "Symbol", choices=offered((name, name.split(":")[0]) for name in SYMBOLS)
    )

    def field_of(self, name: str | None) -> Field | None:
        """The domain speaks of exchange and symbol."""
        return super().field_of(f"preview_{name}" if name else None)
