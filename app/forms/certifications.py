"""Certifications: starting one, believing somebody's key, taking in a report."""

from wtforms import FileField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.domain.certification import testers
from app.domain.venues import Venue
from app.forms.base import Form, needed, offered, squeezed
from runner.certify.envelope import MOST_BYTES


class CertifyForm(Form):
    """On which symbol."""

    symbol = SelectField("Symbol")

    def offer(self, venue: Venue) -> "CertifyForm":
        """What the exchange trades; a certification needs a linear perpetual."""
        self.symbol.choices = offered((it, it.partition(":")[0]) for it in venue.symbols)
        return self


class PinForm(Form):
    """Whose key it is."""

    name = StringField(
        "Name", filters=[squeezed], validators=needed("Name whoever holds the key.", testers.NAME)
    )
    public_key = StringField(
        "Public key", filters=[squeezed], validators=needed("Paste the key.", 100)
    )
    note = StringField(
        "Note",
        filters=[squeezed],
        validators=[
            Optional(),
            Length(max=testers.NOTE, message=f"Keep it within {testers.NOTE} characters."),
        ],
    )


class ReportForm(Form):
    """A report as a file, or pasted."""

    file = FileField("File")
    content = TextAreaField("Or paste it")

    def sent(self) -> bytes:
        """The file's bytes, at most one more than a report may have; else what was pasted."""
        read = getattr(self.file.data, "read", None)
        found: bytes = read(MOST_BYTES + 1) if read else b""
        return found or (self.content.data or "").encode()
