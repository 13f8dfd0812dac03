"""The filter of the audit log, read from the address of the page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import SelectField, StringField, ValidationError

from app.domain.audit_query import AuditFilter
from app.forms.base import Form, offered, squeezed
from app.models import AuditOutcome

RANGES = {
    "": ("Any time", None),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}
SOURCES = ("web", "api", "worker", "cli", "gate")
FORMAT = "%Y-%m-%d %H:%M:%S"
_EXAMPLE = "Write it as 2026-11-24 02:13 or 2026-11-24."


def _text(label: str, example: str = "") -> StringField:
    return StringField(label, filters=[squeezed], render_kw={"placeholder": example})


class AuditFilterForm(Form):
    """One field for each part of the filter; times are wall-clock times of the workspace."""

    text = _text("Contains")
    actor = _text("Who", "address or id")
    action = _text("What", "bot.*")
    exclude = _text("Without", "bot.wake")
    target = _text("Whom or what", "name or id")
    outcome = SelectField(
        "Outcome",
        default="",
        choices=offered([("", "Any"), *((it.value, it.value) for it in AuditOutcome)]),
    )
    source = SelectField(
        "Source", default="", choices=offered([("", "Any"), *((it, it) for it in SOURCES)])
    )
    ip = _text("IP address")
    session = _text("Session")
    request = _text("Request")
    correlation = _text("Run, machine or approval")
    range = SelectField(
        "When", default="", choices=offered((key, label) for key, (label, _) in RANGES.items())
    )
    since = _text("From", "2026-11-24 02:13")
    until = _text("Until", "2026-11-24")

    def __init__(self, zone: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)

    def validate_since(self, field: StringField) -> None:
        """A moment as people write it."""
        self._moment(field)

    def validate_until(self, field: StringField) -> None:
        """A moment as people write it."""
        self._moment(field)

    def wanted(self, now: datetime) -> AuditFilter:
        """The filter as typed; a range counts from now where no beginning is given."""
        names = set(self.data) - {"range", "since", "until"}
        since, reach = self._moment(self.since), RANGES[self.range.data or ""][1]
        if since is None and reach is not None:
            since = now - reach
        typed = {name: self.data[name] or "" for name in names}
        return AuditFilter(**typed, since=since, until=self._moment(self.until))

    def address(self) -> dict[str, str]:
        """What is filled in, for links to the same rows."""
        return {name: value for name, value in self.data.items() if value}

    def _moment(self, field: StringField) -> datetime | None:
        if not field.data:
            return None
        try:
            found = datetime.fromisoformat(field.data.replace(" ", "T", 1))
            return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(_EXAMPLE) from None
