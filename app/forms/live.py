"""Before a bot trades real money: its live key, what guards it when alone, and the request."""

from wtforms import BooleanField, SelectField, StringField

from app.domain import revisions
from app.domain.revisions import LARGEST_STOP, LEAST_STOP, TITLES, Safety
from app.forms.base import Form, offered, squeezed
from app.models import Bot
from runner.protocol import OnEnd

ENDS = {
    OnEnd.PROTECTED: "Leave positions with their stops at the venue",
    OnEnd.CANCEL: "Leave positions with their stops, take resting entries back",
    OnEnd.FLATTEN: "Close everything at market",
}


class LiveForm(Form):
    """All that is approved with going live, beside the strategy and the limits."""

    connection = SelectField(TITLES["connection"], validate_choice=False)
    disaster_stop_percent = StringField(
        TITLES["disaster_stop_percent"],
        filters=[squeezed],
        description=(
            "Percent from the entry price, where the strategy places no stop of its own: from "
            f"{LEAST_STOP} to {LARGEST_STOP}. Empty for none."
        ),
    )
    on_end = SelectField(TITLES["on_end"], choices=offered((k.value, v) for k, v in ENDS.items()))
    grace_minutes = StringField(
        TITLES["grace_minutes"],
        filters=[squeezed],
        description=(
            "Minutes it goes on entering while the platform cannot be reached; exits go on "
            "without end. Empty for the usual: 0 when live, 60 on paper and testnet."
        ),
    )
    acknowledged = BooleanField(
        "I have read what nobody has seen at this exchange yet, and want it live all the same"
    )
    reason = StringField("Why", filters=[squeezed])

    def show(self, bot: Bot, made: str | None) -> None:
        """Fill in what is stored, or the live key ``made`` for it."""
        percent, minutes = bot.disaster_stop_percent, bot.grace_minutes
        fits = made in (choice[0] for choice in self.connection.iter_choices())
        self.connection.data = made if made and fits else bot.live_connection_id or ""
        self.disaster_stop_percent.data = "" if percent is None else format(percent, "f")
        self.on_end.data = bot.on_end.value
        self.grace_minutes.data = "" if minutes is None else str(minutes)

    def safety(self) -> Safety:
        """As typed. Raises ``Invalid`` naming the field."""
        names = ("disaster_stop_percent", "on_end", "grace_minutes")
        return revisions.parse({name: self._fields[name].data or "" for name in names})
