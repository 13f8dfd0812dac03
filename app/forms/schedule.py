"""Trading sessions: several windows of weekdays and times in one zone; works without script."""

from datetime import time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from wtforms import (
    FieldList,
    FormField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms import (
    Form as PlainForm,
)

from app.domain import schedule as schedules
from app.domain.errors import Invalid
from app.domain.schedule import Schedule, Session
from app.domain.schedule_text import DAY_NAMES
from app.forms.base import Form, offered, squeezed

ROWS = 2
KINDS = [("always", "Around the clock"), ("office", "Office hours"), ("custom", "Own sessions")]
KIND_DETAILS = {
    "always": "The machine stays until you stop the bot.",
    "office": "Monday to Friday, 09:00 to 17:00, in the zone below.",
    "custom": "Your own windows; outside them the machine is given back.",
}
OFFICE = Session((0, 1, 2, 3, 4), time(9), time(17))


@cache
def zones() -> list[SelectChoice]:
    """All IANA zones by continent; UTC first."""
    found = [SelectChoice("UTC", "UTC", optgroup="Universal")]
    for name in sorted(available_timezones()):
        area, _, place = name.partition("/")
        if place and area not in ("Etc", "SystemV", "US", "posix", "right"):
            found.append(SelectChoice(name, name.replace("_", " "), optgroup=area))
    return found


class SessionForm(PlainForm):
    """One window. A row left wholly empty does not count."""

    days = SelectMultipleField(
        "Days", choices=offered((str(index), name) for index, name in enumerate(DAY_NAMES))
    )
    opens = StringField("Opens", filters=[squeezed])
    closes = StringField("Closes", filters=[squeezed])

    @property
    def blank(self) -> bool:
        """Whether nothing was entered."""
        return not (self.days.data or self.opens.data or self.closes.data)


class ScheduleFields(Form):
    """When a bot trades: part of two forms."""

    kind = RadioField("When it trades", choices=offered(KINDS), default="always")
    zone = SelectField("Time zone", choices=zones)
    sessions = FieldList(FormField(SessionForm), min_entries=ROWS)

    def plan(self) -> Schedule:
        """The schedule as typed. Raises ``Invalid`` with the id of the field at fault."""
        if self.kind.data == "always":
            return Schedule(self.zone.data or "UTC")
        if self.kind.data == "office":
            return schedules.schedule(self.zone.data, [OFFICE])
        rows = [row for row in self.sessions if not row.form.blank]
        if not rows:
            first = self.sessions[0].form.days.id
            raise Invalid("Fill in at least one session, or let it trade around the clock.", first)
        return schedules.schedule(self.zone.data, [_session(row.form) for row in rows])

    def show(self, plan: Schedule) -> None:
        """Fill in the present schedule."""
        self.zone.data = plan.zone
        if plan.always:
            return
        self.kind.data = "office" if plan.sessions == (OFFICE,) else "custom"
        while self.sessions.entries:
            self.sessions.pop_entry()
        for item in plan.sessions:
            self.sessions.append_entry(_plain(item))
        self.sessions.append_entry()

    def field_of(self, name: str | None) -> Any:
        """Also finds the fields of a row, by their ids."""
        for row in self.sessions:
            for field in row.form:
                if field.id == name:
                    return field
        return super().field_of(name)

    def fault_list(self) -> list[tuple[str | None, str]]:
        """Faults of rows stand beside the fields of the rows."""
        faults = [fault for fault in super().fault_list() if fault[0] != self.sessions.id]
        rows = [field for row in self.sessions for field in row.form if field.errors]
        return faults + [(field.id, str(field.errors[0])) for field in rows]


class ScheduleForm(ScheduleFields):
    """The schedule of a bot on its own page."""


def _session(row: SessionForm) -> Session:
    try:
        return schedules.session(
            [int(day) for day in row.days.data or []], row.opens.data or "", row.closes.data or ""
        )
    except Invalid as error:
        raise Invalid(str(error), row[error.field].id if error.field else None) from error


def _plain(item: Session) -> dict[str, Any]:
    form = "%H:%M:%S" if item.opens.second or item.closes.second else "%H:%M"
    return {
        "days": [str(day) for day in item.days],
        "opens": item.opens.strftime(form),
        "closes": item.closes.strftime(form),
    }
