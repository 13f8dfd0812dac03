"""The kill switch: what it does, to which bots, and why."""

from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from app.domain.errors import Invalid
from app.domain.panic import REASON, Order
from app.forms.base import Form, offered
from app.models import KillAct

ACTS = (
    (KillAct.FLATTEN.value, "Close everything"),
    (KillAct.CANCEL.value, "Cancel entries"),
    (KillAct.PAUSE.value, "Pause entries"),
)
ACT_DETAILS = {
    KillAct.FLATTEN.value: "Paused, resting entries cancelled, positions closed at market.",
    KillAct.CANCEL.value: "Paused, resting entries cancelled. Positions and stops stay.",
    KillAct.PAUSE.value: "No new entries until somebody resumes. All else stays.",
}
ALL, SOME = "all", "some"
REASONS = ("Market is wild", "Strategy misbehaves", "Exchange is in trouble", "Going offline")
"""Offered while typing; any other will do, and none too."""


class PanicForm(Form):
    """Everything is filled in already; one press is enough."""

    press = HiddenField()
    act = RadioField(
        "What",
        choices=offered(ACTS),
        default=KillAct.FLATTEN.value,
        validators=[InputRequired("Choose what to do.")],
    )
    whom = RadioField(
        "Which bots",
        choices=offered([(ALL, "All of them"), (SOME, "Only those ticked")]),
        default=ALL,
    )
    bots = SelectMultipleField(
        "Bots",
        # One that has stopped meanwhile keeps nobody from flattening the others.
        validate_choice=False,
    )
    reason = StringField(
        "Why",
        validators=[Length(max=REASON, message=f"Use at most {REASON} characters.")],
    )

    def offer(self, found: list[tuple[str, str]], only: str | None) -> None:
        """The bots there are; ``only`` that one is ticked if it is among them, else all are."""
        self.bots.choices = offered(found)
        if self.bots.data is None:
            values = [value for value, _ in found]
            self.whom.data, self.bots.data = (SOME, [only]) if only in values else (ALL, values)

    @property
    def order(self) -> Order:
        """What is asked for.

        Raises:
            Invalid: of those to be ticked none is.
        """
        if self.whom.data == SOME and not self.bots.data:
            raise Invalid("Tick at least one bot, or choose all of them.", "bots")
        chosen = None if self.whom.data == ALL else self.bots.data
        return Order(KillAct(self.act.data), chosen, self.reason.data or "", self.press.data or "")
