"""Incidents, subscriptions to them, and the door for people without an account."""

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, NumberRange

from app.domain.status import components, incidents
from app.domain.support.said import BODY, SUBJECT
from app.forms.base import Form, needed, offered, squeezed
from app.models import Condition, IncidentState, TicketCategory

IMPACTS = {Condition.DEGRADED: "Degraded", Condition.DOWN: "Down"}
STATES = {
    IncidentState.INVESTIGATING: "Being looked into",
    IncidentState.IDENTIFIED: "Cause found",
    IncidentState.MONITORING: "Cured, being watched",
    IncidentState.RESOLVED: "Over",
}
CATEGORIES = {
    TicketCategory.ACCOUNT: "An account or signing in",
    TicketCategory.BILLING: "Prices and payment",
    TicketCategory.TECHNICAL: "Something technical",
    TicketCategory.BOT: "A bot",
    TicketCategory.OTHER: "Something else",
}


def _parts() -> list[tuple[str, str]]:
    return [(it.key, it.title) for it in components.catalogue()]


def _trap() -> StringField:
    """People do not see it; programs that fill in every field do."""
    return StringField("Leave this empty")


class IncidentForm(Form):
    """A new incident with its first update."""

    title = StringField(
        "Title",
        filters=[squeezed],
        validators=needed("Name it as everybody sees it.", incidents.TITLE),
    )
    impact = RadioField("How bad", choices=offered(IMPACTS.items()), default=Condition.DEGRADED)
    components = SelectMultipleField("What it hits", choices=_parts)
    ago = IntegerField(
        "Began how long ago",
        default=0,
        validators=[
            InputRequired("Give the minutes; 0 for just now."),
            NumberRange(0, 10_080, "Give 0 to 10,080 minutes, which is a week."),
        ],
    )
    body = TextAreaField("First update", validators=needed("Say what you know.", incidents.BODY))


class UpdateForm(Form):
    """What is told next."""

    state = SelectField("Where it stands", choices=offered(STATES.items()))
    body = TextAreaField("Update", validators=needed("Say what you know.", incidents.BODY))
    answers = BooleanField("Answer all its tickets with this")
    seen = HiddenField()


class LookBackForm(Form):
    """What is told once it is over."""

    body = TextAreaField("Look back", validators=needed("Say what happened.", incidents.BODY))
    seen = HiddenField()


class TieForm(Form):
    """Which incident a ticket belongs to; ``none`` lets it go."""

    incident_id = StringField("Incident", validators=needed("Choose an incident.", 40))


class SubscribeForm(Form):
    """An address that wants to hear of incidents."""

    email = StringField("E-mail", filters=[squeezed], validators=needed("Write your address.", 254))
    website = _trap()


class ContactForm(Form):
    """A question from somebody without an account."""

    name = StringField(
        "Your name", filters=[squeezed], validators=needed("Write how to call you.", 80)
    )
    email = StringField("E-mail", filters=[squeezed], validators=needed("Write your address.", 254))
    subject = StringField(
        "Subject", filters=[squeezed], validators=needed("Say what it is about.", SUBJECT)
    )
    category = SelectField("It is about", choices=offered(CATEGORIES.items()))
    body = TextAreaField("What would you like to know?", validators=needed("Write it here.", BODY))
    website = _trap()
