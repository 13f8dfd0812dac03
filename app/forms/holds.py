"""Pausing the entries of all bots."""

from wtforms import TextAreaField

from app.forms.base import Form, needed


class HoldForm(Form):
    """Why; everybody reads it."""

    text = TextAreaField("Reason", validators=needed("Say why; everybody reads it.", 300))
