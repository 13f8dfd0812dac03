"""A wish of the day: wake it, keep it awake, let it sleep for a while."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from wtforms import RadioField, StringField

from app import current
from app.domain import wishes
from app.domain.errors import Invalid
from app.forms.base import Form, offered, squeezed
from app.forms.schedule import whole
from app.models import Bot


class WishForm(Form):
    """A wish of the day beside the schedule; times are wall-clock times of the schedule's zone."""

    what = RadioField(
        "What it should do",
        choices=offered(
            [
                ("wake", "Wake now"),
                ("awake", "Keep awake until"),
                ("sleep", "Sleep now"),
                ("follow", "Only its schedule"),
            ]
        ),
        default="wake",
    )
    hours = StringField("For how many hours", filters=[squeezed])
    until = StringField("Until", filters=[squeezed])

    def carry_out(self, bot: Bot) -> None:
        """Do as was chosen. Raises ``Invalid`` or ``Refused`` as ``wishes`` does."""
        by, now, until = current.actor(), current.now(), self._until(bot)
        if self.what.data == "wake":
            wishes.wake(bot, whole(self.hours.data, "hours"), by=by, now=now)
        elif self.what.data == "sleep":
            wishes.sleep(bot, until, by=by, now=now)
        elif self.what.data == "follow":
            wishes.undo(bot, by=by, now=now)
        elif until is None:
            raise Invalid("Say until when.", "until")
        else:
            wishes.keep_awake(bot, until, by=by, now=now)

    def _until(self, bot: Bot) -> datetime | None:
        if not self.until.data:
            return None
        try:
            wall = datetime.fromisoformat(self.until.data)
            if wall.tzinfo is None:
                wall = wall.replace(tzinfo=ZoneInfo(bot.schedule["zone"]))
            return wall.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Invalid("Write it as 2026-11-24 18:00.", "until") from error
