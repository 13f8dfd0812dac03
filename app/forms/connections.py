"""Keys at an exchange: written once, never shown again. Each exchange has fields of its own."""

from wtforms import PasswordField, SelectField, StringField

from app.domain.venues import Venue
from app.forms.base import Form, needed, squeezed

ENVIRONMENTS = [("testnet", "Testnet: play money"), ("live", "Live: real money")]


class KeyFields(Form):
    """A label, and beside it the fields of one exchange's keys."""

    label = StringField("Label", filters=[squeezed], validators=needed("Give it a label.", 60))
    venue: Venue

    def key(self) -> dict[str, str]:
        """What was typed of the key, by the name of the field."""
        return {item.name: self._fields[item.name].data or "" for item in self.venue.key_fields}


class ConnectionForm(KeyFields):
    """A new connection, for one of the environments its exchange has."""

    environment = SelectField("Environment")


class EditConnectionForm(KeyFields):
    """Another label, another key, or both; a key left empty is kept."""


def for_venue(kind: type[KeyFields], venue: Venue) -> KeyFields:
    """A form of ``kind`` with the fields that keys of ``venue`` have."""
    fields = {
        item.name: (PasswordField if item.secret else StringField)(item.title, filters=[squeezed])
        for item in venue.key_fields
    }
    form: KeyFields = type(kind.__name__, (kind,), {**fields, "venue": venue})()
    return form
