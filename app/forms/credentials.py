"""Passwords and addresses: choosing, changing and getting them back."""

from wtforms import PasswordField, StringField

from app.forms.base import Form, needed, squeezed

LONGEST = 256


class NewPasswordForm(Form):
    """A password to come."""

    password = PasswordField("New password", validators=needed("Choose a password.", LONGEST))


class AddressForm(Form):
    """An address."""

    email = StringField(
        "E-mail", filters=[squeezed], validators=needed("Write an e-mail address.", 254)
    )
