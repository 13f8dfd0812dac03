"""A code strategy's source as it is typed."""

from wtforms import HiddenField, StringField, TextAreaField

from app.domain.code_rules import InvalidSource, told
from app.forms.base import Form, needed, squeezed
from app.forms.versions import NextVersionForm


class SourceForm(Form):
    """``base``: number of the version it was opened on; 0 for a strategy that is yet to be."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))
    base = HiddenField()
    source = TextAreaField("Source")

    fault_lines: frozenset[int] = frozenset()

    def adopt(self, error: Exception) -> None:
        """All faults of a source, one by one; their lines are marked in the text below."""
        if not isinstance(error, InvalidSource):
            return super().adopt(error)
        self.source.errors = [*self.source.errors, *map(told, error.faults)]
        self.fault_lines = frozenset(fault.line for fault in error.faults)
        return None

    def fault_list(self) -> list[tuple[str | None, str]]:
        """Every fault of the source, not the first alone."""
        others = [it for it in super().fault_list() if it[0] != self.source.id]
        return [*others, *((self.source.id, message) for message in self.source.errors)]


class NoteForm(NextVersionForm):
    """What a new version changes."""

    note = StringField("What changed", filters=[squeezed])
