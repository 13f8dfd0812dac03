"""What forms of a strategy's next version share: somebody may have published meanwhile."""

from wtforms import HiddenField

from app.domain.errors import Overtaken
from app.forms.base import Form


class NextVersionForm(Form):
    """``over``: the newer version that its author has been shown and publishes over."""

    over = HiddenField()
    overtaken = False

    def seen(self, opened_on: int) -> int:
        """Number of the newest version that whoever sent this has been shown."""
        told = self.over.data or ""
        return int(told) if told.isdecimal() and len(told) < 10 else opened_on

    def adopt(self, error: Exception) -> None:
        """Remember that another version came first, so that the page shows what it changed."""
        if isinstance(error, Overtaken):
            self.overtaken = True
        super().adopt(error)
