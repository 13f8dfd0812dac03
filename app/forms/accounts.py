"""Signing up, signing in, and a person's own settings."""

from wtforms import PasswordField, RadioField, StringField

from app.forms.base import Form, needed, offered, squeezed

THEMES = [("auto", "As the device"), ("light", "Light"), ("dark", "Dark")]


class SignInForm(Form):
    """E-mail and password."""

    email = StringField(
        "E-mail", filters=[squeezed], validators=needed("Write your e-mail address.", 254)
    )
    password = PasswordField("Password", validators=needed("Write your password.", 256))


class CodeForm(Form):
    """A code of the second factor, or one of those kept for when it is lost."""

    code = StringField("Code", filters=[squeezed], validators=needed("Write the code.", 64))


class SignUpForm(Form):
    """A new account."""

    name = StringField(
        "Your name", filters=[squeezed], validators=needed("Write how others should see you.", 80)
    )
    email = StringField(
        "E-mail", filters=[squeezed], validators=needed("Write your e-mail address.", 254)
    )
    password = PasswordField("Password", validators=needed("Choose a password.", 256))


class InvitedForm(SignUpForm):
    """A new account for the address that was invited."""

    email = None


class ProfileForm(Form):
    """Name and theme."""

    name = StringField(
        "Your name", filters=[squeezed], validators=needed("Write how others should see you.", 80)
    )
    theme = RadioField("Appearance", choices=offered(THEMES))


class LeavingForm(Form):
    """The address, typed out."""

    email = StringField("E-mail", validators=needed("Type your address to confirm.", 254))
