"""What a workspace means to spend, and who is told."""

from decimal import Decimal

from wtforms import SelectField, StringField

from app.domain.errors import Invalid
from app.domain.terms import Terms
from app.forms.base import Form, needed, offered, squeezed
from app.forms.risk import amount, number
from app.models import IdlePayer


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
    idle_payer = SelectField(
        "An idle address is paid by",
        choices=offered([("operator", "the operator"), ("workspace", "the workspace")]),
    )
    max_bots = StringField("Bots at most", filters=[squeezed])
    max_machines = StringField("Machines at once at most", filters=[squeezed])
    max_spend = StringField("Spending a month at most", filters=[squeezed])

    def show(self, terms: Terms) -> None:
        """Fill in what holds."""
        self.markup_percent.data = _plain(terms.markup_percent)
        self.idle_payer.data = terms.idle_payer.value
        for name in ("max_bots", "max_machines", "max_spend"):
            value = getattr(terms, name)
            self._fields[name].data = "" if value is None else _plain(Decimal(value))

    def wanted(self) -> Terms:
        """As typed. Raises ``Invalid`` naming the field."""
        return Terms(
            markup_percent=_percent(self.markup_percent.data),
            idle_payer=IdlePayer(self.idle_payer.data),
            max_bots=whole(self.max_bots.data, "max_bots"),
            max_machines=whole(self.max_machines.data, "max_machines"),
            max_spend=amount(self.max_spend.data, "max_spend"),
        )


def whole(text: str | None, field: str) -> int | None:
    """A whole number as typed, ``None`` where nothing was. Raises ``Invalid`` naming the field."""
    if not text:
        return None
    found = number(text)
    if found is None or "." in text or len(text) > 12:
        raise Invalid("Write a whole number, or nothing.", field)
    return int(found)


def _percent(text: str | None) -> Decimal:
    found = number(text or "0")
    if found is None:
        raise Invalid("Write a number such as 12.5.", "markup_percent")
    return found


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
