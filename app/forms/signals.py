"""The signal webhook of a bot: who may send, and a message to try."""

from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired

from app.domain.signals.hooks import LEAST_AGE, MOST_AGE
from app.forms.base import Form
from app.models import SignalHook

_SECONDS = f"Write whole seconds, {LEAST_AGE} to {MOST_AGE}."


class HookForm(Form):
    """Limits on what the webhook takes."""

    max_age = IntegerField("Oldest message", validators=[InputRequired(_SECONDS)])
    sources = StringField("Senders’ addresses")
    aliases = TextAreaField("Names of symbols")

    def show(self, hook: SignalHook) -> None:
        """As it is set."""
        self.max_age.data = hook.max_age
        self.sources.data = ", ".join(hook.sources)
        lines = (f"{alias} = {symbol}" for alias, symbol in hook.aliases.items())
        self.aliases.data = "\n".join(lines)


class TestForm(Form):
    """A message as its sender would write it."""

    __test__ = False  # a form, whatever its name makes a test runner think

    message = TextAreaField("Message")
