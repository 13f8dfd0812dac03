"""The forms of canned replies and of the desk's hours and promises."""

from datetime import date, time

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from app.domain.errors import Invalid
from app.domain.support.hours import Hours
from app.domain.support.office import HOUR, Office, Targets
from app.forms.base import Form, needed, offered, squeezed
from app.forms.schedule import zones
from app.models import ClockKind, TicketPriority

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KINDS = {ClockKind.FIRST_RESPONSE: "first answer", ClockKind.RESOLUTION: "solution"}


class ReplyForm(Form):
    """A canned reply."""

    title = StringField("Title", filters=[squeezed], validators=needed("Give it a title.", 80))
    body = TextAreaField("Text", validators=[Length(max=20_000)])


class HoursForm(Form):
    """When the desk is open, and its promises in open hours."""

    zone = SelectField("Time zone", choices=zones)
    weekdays = SelectMultipleField(
        "Open on", choices=offered((str(number), name) for number, name in enumerate(DAYS))
    )
    opens = StringField("From", filters=[squeezed], validators=[Length(max=5)])
    closes = StringField(
        "To", filters=[squeezed], validators=[Length(max=5)], description="00:00 ends the day."
    )
    holidays = TextAreaField(
        "Holidays", description="One a line, as 2026-12-25.", validators=[Length(max=3000)]
    )
    urgent_first_response = StringField("Urgent, first answer", filters=[squeezed])
    urgent_resolution = StringField("Urgent, solution", filters=[squeezed])
    high_first_response = StringField("High, first answer", filters=[squeezed])
    high_resolution = StringField("High, solution", filters=[squeezed])
    normal_first_response = StringField("Normal, first answer", filters=[squeezed])
    normal_resolution = StringField("Normal, solution", filters=[squeezed])
    low_first_response = StringField("Low, first answer", filters=[squeezed])
    low_resolution = StringField("Low, solution", filters=[squeezed])

    @classmethod
    def of(cls, office: Office) -> "HoursForm":
        """The form filled with what holds."""
        hours = office.hours
        promised = {
            f"{priority}_{kind}": f"{seconds / HOUR:g}"
            for priority, targets in office.targets.items()
            for kind, seconds in targets.items()
        }
        return cls(
            formdata=None,
            data={
                "zone": hours.zone,
                "weekdays": [str(it) for it in sorted(hours.weekdays)],
                "opens": hours.opens.strftime("%H:%M"),
                "closes": hours.closes.strftime("%H:%M"),
                "holidays": "\n".join(sorted(it.isoformat() for it in hours.holidays)),
                **promised,
            },
        )

    def office(self) -> Office:
        """What was typed. Raises ``Invalid`` with the field that does not do."""
        hours = Hours(
            zone=self.zone.data,
            weekdays=frozenset(int(it) for it in self.weekdays.data or ()),
            opens=_time(self.opens.data, "opens"),
            closes=_time(self.closes.data, "closes"),
            holidays=frozenset(_day(it) for it in (self.holidays.data or "").split()),
        )
        return Office(hours, self._targets())

    def _targets(self) -> Targets:
        return {
            priority: {kind: self._promised(f"{priority}_{kind}") for kind in ClockKind}
            for priority in TicketPriority
        }

    def _promised(self, name: str) -> int:
        try:
            return round(float(self[name].data or "") * HOUR)
        except (ValueError, OverflowError):
            raise Invalid("Give a number of hours, as 8 or 0.5.", name) from None


def _time(text: str | None, field: str) -> time:
    try:
        found = time.fromisoformat(text or "")
        return found.replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise Invalid("Give a time of day, as 09:00.", field) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:20]} is no day; write it as 2026-12-25.", "holidays") from None
