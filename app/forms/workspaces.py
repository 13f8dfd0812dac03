"""Workspaces: founding an organisation, its settings, its end."""

from wtforms import SelectField, StringField, TextAreaField

from app.forms.base import Form, needed, squeezed
from app.forms.schedule import zones


class FoundingForm(Form):
    """A new organisation; without a slug it gets one made from its name."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))
    slug = StringField("Slug", filters=[squeezed])


class SettingsForm(Form):
    """Name, slug and zone."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))
    slug = StringField("Slug", filters=[squeezed], validators=needed("Give it a slug.", 60))
    zone = SelectField("Time zone", choices=zones)


class DeleteForm(Form):
    """The name, typed out."""

    name = StringField("Name", validators=needed("Type the name to confirm."))


class SuspendForm(Form):
    """Why a workspace is taken out of use."""

    reason = TextAreaField(
        "Reason", filters=[squeezed], validators=needed("Say why; its owners will read it.", 300)
    )
