"""Resetting the paper balance of a bot."""

from decimal import Decimal

from wtforms import StringField

from app.forms.base import Form, squeezed
from app.forms.risk import amount


class ResetForm(Form):
    """What to begin with anew."""

    starting_balance = StringField("Starting balance", filters=[squeezed])

    @property
    def balance(self) -> Decimal:
        """In quote currency. Raises ``Invalid``."""
        return amount(self.starting_balance.data, "starting_balance") or Decimal(0)
