"""Writing off what an exchange lists no more."""

from wtforms import SelectField, StringField

from app.domain.write_offs import REASON
from app.forms.base import Form, needed, offered
from app.web.formatting import symbol


class WriteOffForm(Form):
    """Which symbol, and what a person has seen at the exchange."""

    symbol = SelectField("Symbol")
    reason = StringField("What became of it", validators=needed("Say what became of it.", REASON))

    def offer(self, found: list[str]) -> None:
        self.symbol.choices = offered((name, symbol(name)) for name in found)
