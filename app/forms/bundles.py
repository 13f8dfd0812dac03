"""Diagnostic bundles, answers to support access, and the questions of operators for it."""

from typing import Any

from wtforms import BooleanField, HiddenField, IntegerField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange

from app.domain.support.access import LONGEST, REASON, SHORTEST
from app.forms.base import Form, needed, squeezed


class BundleForm(Form):
    """What was previewed, locked, and whether it may be sent: not unless somebody says so."""

    bundle = HiddenField()
    send_bundle = BooleanField("Send exactly this along", default=False)


class AttachForm(BundleForm):
    """A fresh bundle for a ticket that is open already."""

    bot = SelectField("Bot", choices=[])


RANGE = f"From {SHORTEST} to {LONGEST} minutes."


class MinutesField(IntegerField):
    """A whole number of minutes; what is none is told as what is out of range."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read it."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(RANGE) from error


class AskAccessForm(Form):
    """An operator's question."""

    reason = TextAreaField(
        "Why", filters=[squeezed], validators=needed("Say why; they read it first.", REASON)
    )
    minutes = MinutesField(
        "For how many minutes",
        default=30,
        validators=[InputRequired(RANGE), NumberRange(SHORTEST, LONGEST, RANGE)],
    )
