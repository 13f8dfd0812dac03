"""Trading sessions: several windows of weekdays and times in one zone; works without script."""

import hashlib
import json
from collections.abc import Container
from datetime import date, time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms import (
    Form as PlainForm,
)

from app import current
from app.domain import schedule as schedules
from app.domain import schedule_rules, schedule_text
from app.domain.errors import Invalid
from app.domain.schedule import Blackout, Schedule, Session
from app.domain.schedule_text import DAY_NAMES
from app.forms.base import Form, offered, squeezed

ROWS = 2
KINDS = [
    ("always", "Around the clock"),
    ("office", "Office hours"),
    ("markets", "Market hours"),
    ("custom", "Own sessions"),
]
KIND_DETAILS = {
    "always": "The machine stays until you stop the bot.",
    "office": "Monday to Friday, 09:00 to 17:00, in the zone below.",
    "markets": "Sessions of Tokyo, London, New York, or around funding.",
    "custom": "Your own windows; outside them the machine is given back.",
}
MARKETS = [
    ("tokyo", "Tokyo, 09:00–15:00 there"),
    ("london", "London, 08:00–16:30 there"),
    ("new_york", "New York, 09:30–16:00 there"),
    ("funding", "Around funding (00, 08, 16 UTC)"),
]
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


class BlackoutForm(PlainForm):
    """Days without trading. A row without days does not count."""

    first = StringField("From", filters=[squeezed])
    last = StringField("To", filters=[squeezed])
    note = StringField("Why", filters=[squeezed])

    @property
    def blank(self) -> bool:
        """Whether nothing was entered."""
        return not (self.first.data or self.last.data or self.note.data)


class ScheduleFields(Form):
    """When a bot trades: part of two forms."""

    kind = RadioField("When it trades", choices=offered(KINDS), default="always")
    zone = SelectField("Time zone", choices=zones)
    sessions = FieldList(FormField(SessionForm), min_entries=ROWS)
    markets = SelectMultipleField("Markets", choices=offered(MARKETS))
    funding_minutes = StringField("Minutes around funding", filters=[squeezed], default="15")
    blackouts = FieldList(FormField(BlackoutForm), min_entries=1)
    flatten = BooleanField("Flat at the end: close what is open when a window ends")
    quiet_minutes = StringField("No new entries before the end", filters=[squeezed], default="0")
    least_sleep = StringField("Shortest gap worth sleeping", filters=[squeezed])
    explained = HiddenField()

    def grows(self, sent: Container[str]) -> bool:
        """Add the row that was asked for; whether one was."""
        if "add_session" in sent:
            self.sessions.append_entry()
        elif "add_blackout" in sent:
            self.blackouts.append_entry()
        else:
            return False
        return True

    def plan(self) -> Schedule:
        """The schedule as typed. Raises ``Invalid`` with the id of the field at fault."""
        rows = [row for row in self.blackouts if not row.form.blank]
        plan = schedule_rules.ending(
            self._sessions(),
            blackouts=[_blackout(row.form) for row in rows],
            flatten=self.flatten.data,
            quiet_minutes=whole(self.quiet_minutes.data, "quiet_minutes") or 0,
            least_sleep=whole(self.least_sleep.data, "least_sleep"),
            shortest=current.config().tempo.sleep_min_gap,
        )
        if schedule_text.never_opens(plan, current.now()):
            raise Invalid(schedule_text.NEVER, self.blackouts[0].form.first.id)
        return plan

    def settled_plan(self) -> Schedule:
        """The same, to be kept. Own sessions that overlap are explained before.

        Raises ``Invalid`` also where they do and it was not said yet of these very sessions.
        """
        plan = self.plan()
        found = schedule_text.overlaps(plan, current.now()) if self.kind.data == "custom" else []
        if found and not self.was_explained(plan):
            self.explain(plan)
            raise Invalid(f"{found[0].text} Send it again if that is meant.", "sessions-0-opens")
        return plan

    def explain(self, plan: Schedule) -> None:
        """Remember which schedule was explained; the form brings it back."""
        self.explained.data = _mark(plan)

    def was_explained(self, plan: Schedule) -> bool:
        """Whether this very schedule was."""
        return bool(self.explained.data == _mark(plan))

    def _sessions(self) -> Schedule:
        if self.kind.data == "always":
            return Schedule(self.zone.data or "UTC")
        if self.kind.data == "office":
            return schedules.schedule(self.zone.data, [OFFICE])
        if self.kind.data == "markets":
            return schedules.schedule(self.zone.data, self._markets())
        rows = [row for row in self.sessions if not row.form.blank]
        if not rows:
            first = self.sessions[0].form.days.id
            raise Invalid("Fill in at least one session, or let it trade around the clock.", first)
        return schedules.schedule(self.zone.data, [_session(row.form) for row in rows])

    def _markets(self) -> list[Session]:
        chosen = self.markets.data or []
        if not chosen:
            raise Invalid("Tick at least one market.", "markets")
        found = [item for name, item in schedule_rules.MARKETS.items() if name in chosen]
        if "funding" in chosen:
            minutes = whole(self.funding_minutes.data, "funding_minutes") or 0
            found += schedule_rules.around_funding(minutes)
        return found

    def show(self, plan: Schedule) -> None:
        """Fill in the present schedule."""
        self.zone.data = plan.zone
        self.flatten.data = plan.flatten
        self.quiet_minutes.data = str(plan.quiet_minutes)
        self.least_sleep.data = str(plan.least_sleep or "")
        while self.blackouts.entries:
            self.blackouts.pop_entry()
        for blackout in plan.blackouts:
            self.blackouts.append_entry(blackout.to_plain())
        self.blackouts.append_entry()
        if plan.always:
            return
        self.markets.data = schedule_rules.markets(plan)
        if self.markets.data:
            self.kind.data = "markets"
            self.funding_minutes.data = str(schedule_rules.funding_minutes(plan) or 15)
            return
        self.kind.data = "office" if plan.sessions == (OFFICE,) else "custom"
        while self.sessions.entries:
            self.sessions.pop_entry()
        for item in plan.sessions:
            self.sessions.append_entry(_plain(item))
        self.sessions.append_entry()

    def field_of(self, name: str | None) -> Any:
        """Also finds the fields of a row, by their ids."""
        for row in (*self.sessions, *self.blackouts):
            for field in row.form:
                if field.id == name:
                    return field
        return super().field_of(name)

    def fault_list(self) -> list[tuple[str | None, str]]:
        """Faults of rows stand beside the fields of the rows."""
        lists = (self.sessions.id, self.blackouts.id)
        faults = [fault for fault in super().fault_list() if fault[0] not in lists]
        both = (*self.sessions, *self.blackouts)
        rows = [field for row in both for field in row.form if field.errors]
        return faults + [(field.id, str(field.errors[0])) for field in rows]


class ScheduleForm(ScheduleFields):
    """The schedule of a bot on its own page."""


def _mark(plan: Schedule) -> str:
    told = json.dumps(plan.to_plain(), sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def whole(text: str | None, field: str) -> int | None:
    """A whole number as typed, or none. Raises ``Invalid``."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Invalid("Write a whole number.", field)
    return int(text)


def _blackout(row: BlackoutForm) -> Blackout:
    try:
        first = _day(row.first.data, "first")
        last = _day(row.last.data, "last") if row.last.data else None
        return schedule_rules.blackout(first, last, row.note.data or "")
    except Invalid as error:
        raise Invalid(str(error), row[error.field].id if error.field else None) from error


def _day(text: str | None, field: str) -> date:
    try:
        day = date.fromisoformat(text or "")
    except ValueError as error:
        raise Invalid("Write a day as 2026-12-24.", field) from error
    if not 2000 <= day.year <= 2100:
        raise Invalid("Choose a day of this century.", field)
    return day


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
