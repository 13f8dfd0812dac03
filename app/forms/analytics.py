"""Which results are asked for, read from the address of the page."""

from datetime import datetime

from wtforms import SelectField

from app.forms.base import Form, offered
from app.forms.trades import RANGES
from runner.protocol import Mode


class AnalyticsForm(Form):
    """Period and currency; the mode is a tab. What is not offered is as if not said."""

    range = SelectField(
        "Period",
        default="",
        choices=offered((key, label) for key, (label, _) in RANGES.items() if key != "1d"),
    )
    currency = SelectField("Currency", default="")

    def offer(self, currencies: list[str]) -> None:
        """What its trades settle in."""
        self._fields["currency"].choices = offered((it, it) for it in currencies)

    def since(self, now: datetime) -> datetime | None:
        """From when on; ``None`` is from the beginning. Whole days, so that they can be told."""
        reach = RANGES.get(self.range.data or "", RANGES[""])[1]
        start = now - reach if reach else None
        return start and start.replace(hour=0, minute=0, second=0, microsecond=0)

    def address(self) -> dict[str, str]:
        """What is asked for, for links to the same figures."""
        return {name: value for name, value in self.data.items() if value}


def mode_of(text: str, known: list[Mode]) -> Mode:
    """The mode an address names, if there is one; else the most serious one that has run."""
    if text in list(Mode):
        return Mode(text)
    return known[0] if known else Mode.PAPER
