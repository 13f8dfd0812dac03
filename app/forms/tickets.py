"""Tickets: asking, answering, mending the own words, and finding them again."""

import re
from collections.abc import Callable
from typing import TypeVar

from wtforms import (
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Length, Optional, ValidationError

from app.domain.errors import TooMany
from app.domain.support.said import BODY, EMPTY, SUBJECT
from app.forms.base import Form, needed, offered, squeezed
from app.forms.bundles import BundleForm
from app.models import TicketCategory, TicketPriority
from app.models.base import new_id

Result = TypeVar("Result")
_FITS = Length(max=BODY, message=f"Keep it within {BODY:,} characters; attach longer texts.")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,60}")

CATEGORIES = [
    (TicketCategory.BOT, "A bot"),
    (TicketCategory.TECHNICAL, "Something technical"),
    (TicketCategory.ACCOUNT, "My account"),
    (TicketCategory.BILLING, "Costs and billing"),
    (TicketCategory.OTHER, "Something else"),
]
PRIORITIES = [
    (TicketPriority.LOW, "Low"),
    (TicketPriority.NORMAL, "Normal"),
    (TicketPriority.HIGH, "High"),
    (TicketPriority.URGENT, "Urgent"),
]
PRIORITY_DETAILS = {
    TicketPriority.LOW: "A question, an idea.",
    TicketPriority.NORMAL: "Something does not work as it should.",
    TicketPriority.HIGH: "I cannot go on with what I do.",
    TicketPriority.URGENT: "Money is at risk right now.",
}
CATEGORY_NAMES: dict[TicketCategory, str] = dict(CATEGORIES)
PRIORITY_NAMES: dict[TicketPriority, str] = dict(PRIORITIES)


class WritingForm(Form):
    """Something written to the desk. ``wait``: seconds to leave it be, if it was too much."""

    wait = 0
    key = HiddenField()
    body = TextAreaField("Your message", validators=[_FITS])
    files = MultipleFileField("Files")

    def attempt(self, verb: Callable[[], Result]) -> Result | None:
        """As every form, and what is asked too often leaves what was typed on the page."""
        try:
            return super().attempt(verb)
        except TooMany as error:
            self.adopt(error)
            self.wait = error.wait
            return None

    def renew(self) -> None:
        """A key for this very form: pressed twice, it says one thing."""
        if not _KEY.fullmatch(self.key.data or ""):
            self.key.data = new_id("key")

    @property
    def status(self) -> int:
        """What an answer with this form's faults is."""
        return 429 if self.wait else 422

    @property
    def had_files(self) -> bool:
        """Whether files were chosen; browsers do not put them back."""
        return any(getattr(it, "filename", "") for it in self.files.data or ())


class NewTicketForm(WritingForm, BundleForm):
    """A new ticket, and what may go along with it."""

    subject = StringField(
        "Subject",
        filters=[squeezed],
        validators=needed("Say in a few words what it is about.", SUBJECT),
    )
    category = SelectField(
        "What is it about?", choices=offered(CATEGORIES), default=TicketCategory.OTHER
    )
    priority = RadioField(
        "How urgent is it?", choices=offered(PRIORITIES), default=TicketPriority.NORMAL
    )
    about = HiddenField()
    about_id = HiddenField()
    follows = HiddenField()

    def validate_body(self, field: TextAreaField) -> None:
        """Said here too, so that all that is missing is said at once."""
        if not (field.data or "").strip() and not self.had_files:
            raise ValidationError(EMPTY)


class ReplyForm(WritingForm):
    """Another message."""


class EditForm(Form):
    """Other words for the last message."""

    body = TextAreaField("Your message", validators=[_FITS])


class ListForm(Form):
    """What a list is searched for."""

    text = StringField("Search", filters=[squeezed], validators=[Optional(), Length(max=100)])
