"""Cloning a bot."""

from wtforms import StringField

from app.forms.base import Form, needed, squeezed


class CloneForm(Form):
    """All the rest is taken along as it is."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 60))
