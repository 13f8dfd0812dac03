"""Asking somebody in."""

from wtforms import RadioField, StringField

from app.forms.base import Form, needed, squeezed


class InvitationForm(Form):
    """An address and a role; the choices are the roles that the inviter may give."""

    email = StringField(
        "E-mail", filters=[squeezed], validators=needed("Write an e-mail address.", 254)
    )
    role = RadioField("Role", validate_choice=True)
