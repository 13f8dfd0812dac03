"""What a workspace means to spend, and who is told."""

from decimal import Decimal

from wtforms import StringField

from app.domain.errors import Invalid
from app.forms.base import Form, needed, squeezed
from app.forms.risk import amount


class BudgetForm(Form):
    """An amount a month; nothing typed means no budget."""

    amount = StringField("Budget a month", filters=[squeezed])

    def wanted(self) -> Decimal | None:
        """As typed. Raises ``Invalid``."""
        return amount(self.amount.data, "amount")


class ContactForm(Form):
    """An address that is told."""

    email = StringField("E-mail", filters=[squeezed], validators=needed("Give an address.", 254))
    name = StringField("Name (optional)", filters=[squeezed])


class TermsForm(Form):
    """What an operator agrees with a workspace; an empty bound is none."""

    markup_percent = StringField("Mark-up on the price book", filters=[squeezed])
    idle_payer = StringField("Who pays for the address of a sleeping bot")
    max_bots = StringField("Bots at most", filters=[squeezed])
    max_machines = StringField("Machines at once at most", filters=[squeezed])
    max_spend = StringField("Spending a month at most", filters=[squeezed])


def whole(text: str | None, field: str) -> int | None:
    """A whole number as typed, ``None`` where nothing was. Raises ``Invalid`` naming the field."""
    if not text:
        return None
    plain = text.replace(",", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise Invalid("Write a whole number, or nothing.", field)
    return int(plain)
