"""The operators' forms at a ticket, and the filter of their queue."""

from collections.abc import Iterable
from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    MultipleFileField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length

from app.domain.support import queue, states
from app.domain.support.queue import Order, Wanted, Whose
from app.forms.base import Form, needed, offered, squeezed
from app.models import Ticket, TicketCategory, TicketPriority, TicketState, User

ORDERS = {
    Order.DUE: "due first",
    Order.PRIORITY: "priority",
    Order.OLDEST: "oldest",
    Order.NEWEST: "newest",
}
_SAID = (DataRequired("Say why; its owner reads it."),)
THEN = {
    TicketState.WAITING_USER: "Wait for the user",
    TicketState.OPEN: "Keep it open",
    TicketState.ON_HOLD: "Put it on hold",
    TicketState.RESOLVED: "Solved",
}


def _any(pairs: Iterable[str]) -> list[Any]:
    return offered([("", "Any"), *((one, one) for one in pairs)])


class QueueForm(Form):
    """The filter, read from the address; what is not on a list counts as not said."""

    state = SelectField("State", default="answer", choices=offered(queue.STATES.items()))
    whose = SelectField(
        "Assigned to",
        default="",
        choices=offered([("", "Anyone"), ("mine", "Me"), ("nobody", "Nobody")]),
    )
    priority = SelectField("Priority", default="", choices=_any(TicketPriority))
    category = SelectField("Category", default="", choices=_any(TicketCategory))
    tag = StringField("Tag", filters=[squeezed])
    workspace = StringField("Workspace (id)", filters=[squeezed])
    incident = StringField("Incident (id)", filters=[squeezed])
    breached = BooleanField("Late only", false_values=("", "0"))
    text = StringField("Find in messages", filters=[squeezed])
    note = StringField("Find in internal notes", filters=[squeezed])
    order = SelectField("Order", default="due", choices=offered(ORDERS.items()))

    def wanted(self) -> Wanted:
        """The filter; each value off its list is left out."""
        text, note = (self.text.data or "")[:100], (self.note.data or "")[:100]
        return Wanted(
            state=self.state.data if self.state.data in queue.STATES else "answer",
            whose=_one(Whose, self.whose.data) or Whose.ANYONE,
            priority=_one(TicketPriority, self.priority.data),
            category=_one(TicketCategory, self.category.data),
            tag=(self.tag.data or "")[:40],
            workspace=(self.workspace.data or "")[:40],
            incident=(self.incident.data or "")[:40],
            breached=bool(self.breached.data),
            text=note or text,
            notes=bool(note),
            order=_one(Order, self.order.data) or Order.DUE,
        )

    def address(self) -> dict[str, str]:
        """What is asked for, for links to the same tickets."""
        typed = {name: str(value)[:100] for name, value in self.data.items() if value}
        if "breached" in typed:
            typed["breached"] = "y"
        return {name: value for name, value in typed.items() if value != self[name].default}


def _one(kind: Any, value: Any) -> Any:
    return next((one for one in kind if one == value), None)


class _Writing(Form):
    """Something written, with its files; the key makes a second click the same thing."""

    files = MultipleFileField("Files")
    key = HiddenField(validators=[Length(max=40)])

    @property
    def had_files(self) -> bool:
        """Whether files were chosen; browsers do not put them back."""
        return any(getattr(it, "filename", "") for it in self.files.data or ())


class AnswerForm(_Writing):
    """An answer that the owner reads, and where it leaves the ticket."""

    files = MultipleFileField("Files", id="answer_files")
    body = TextAreaField("Answer", id="answer")
    then = SelectField(
        "Then",
        id="then",
        default=TicketState.WAITING_USER.value,
        choices=offered((one, THEN[one]) for one in states.AFTER_ANSWER if one in THEN),
    )
    seen = IntegerField("Seen")
    anyway = HiddenField()

    @property
    def state(self) -> TicketState:
        """What the ticket becomes."""
        return TicketState(self.then.data)


class NoteForm(_Writing):
    """What operators tell each other."""

    files = MultipleFileField("Files", id="note_files")
    body = TextAreaField("Internal note", id="note")


class SortForm(Form):
    """Category and priority."""

    category = SelectField("Category", choices=offered((one, one) for one in TicketCategory))
    priority = SelectField("Priority", choices=offered((one, one) for one in TicketPriority))


class AssignForm(Form):
    """Who looks after a ticket."""

    assignee = SelectField("Assigned to")

    def offer(self, operators: Iterable[User], mine: User) -> None:
        """Everybody at the desk, oneself first."""
        people = sorted(operators, key=lambda it: (it.id != mine.id, it.name.lower()))
        named = [(it.id, f"{it.name} (me)" if it.id == mine.id else it.name) for it in people]
        self.assignee.choices = offered([("", "Nobody"), *named])


class TagsForm(Form):
    """Tags, apart by commas."""

    tags = StringField("Tags", filters=[squeezed], validators=[Length(max=500)])

    def names(self) -> list[str]:
        """Each of them."""
        return (self.tags.data or "").split(",")


class OtherForm(Form):
    """Another ticket, by number or id."""

    other = StringField(
        "Ticket", filters=[squeezed], validators=needed("Name a ticket: its number or its id.", 40)
    )


class RedactForm(Form):
    """Why a message is emptied."""

    reason = StringField("Reason", filters=[squeezed], validators=[*_SAID, Length(max=200)])


class CloseForm(Form):
    """Why a ticket is closed without being solved."""

    reason = StringField("Reason", filters=[squeezed], validators=[*_SAID, Length(max=300)])


def sort_form(ticket: Ticket) -> SortForm:
    """The form filled with what the ticket is."""
    return SortForm(data={"category": ticket.category.value, "priority": ticket.priority.value})
