"""What operators fill in about the fleet: renewals, upgrades, breakers, banners."""

from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional

from app.domain import renewals, upgrades
from app.forms.base import Form, needed, offered, squeezed
from app.models import Renewal

POLICIES = {
    Renewal.WHEN_FLAT: "Once it is flat",
    Renewal.DRAIN: "Finish now",
    Renewal.FLATTEN: "Flatten now",
    Renewal.NEXT_WAKE: "At its next wake",
}
POLICY_DETAILS = {
    Renewal.WHEN_FLAT: "Trades on; replaced as soon as it holds nothing and has no order.",
    Renewal.DRAIN: "No new entries from now on; exits are managed, and it is replaced once flat.",
    Renewal.FLATTEN: "Closes what it holds at market, then is replaced.",
    Renewal.NEXT_WAKE: "Changes nothing now. One that never sleeps is not replaced.",
}


def _policy() -> RadioField:
    return RadioField("How", choices=offered(POLICIES.items()), default=Renewal.WHEN_FLAT)


class RenewForm(Form):
    """One machine."""

    policy = _policy()
    why = StringField(
        "Why",
        filters=[squeezed],
        validators=needed("Say why; its owners can read it.", renewals.REASON),
    )


class UpgradeForm(Form):
    """All machines of an older runner. Empty: a tenth at once, at least five."""

    policy = _policy()
    at_once = IntegerField(
        "How many at once",
        validators=[
            Optional(),
            NumberRange(1, upgrades.MOST_AT_ONCE, f"Give 1 to {upgrades.MOST_AT_ONCE}."),
        ],
    )


class ShutForm(Form):
    """A breaker opened by hand."""

    hours = IntegerField(
        "For how many hours",
        default=1,
        validators=[InputRequired("Give the hours."), NumberRange(1, 720, "Give 1 to 720 hours.")],
    )
    why = StringField("Why", filters=[squeezed], validators=needed("Say why.", 300))


class BannerForm(Form):
    """Maintenance that everybody should know of. Moments are in UTC."""

    text = TextAreaField(
        "What everybody reads", filters=[squeezed], validators=needed("Say what happens.", 300)
    )
    starts = StringField("Begins", validators=needed("Say when it begins."))
    ends = StringField("Ends", validators=needed("Say when it ends."))
