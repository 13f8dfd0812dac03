"""A strategy's rules as a form that grows and shrinks by one entry at a time."""

from collections.abc import Iterable
from typing import Any

from wtforms import Field, FileField, HiddenField, SelectField, StringField
from wtforms.validators import Length

from app.domain.strategies import InvalidRules
from app.domain.strategy_changes import COMBINATIONS, DIRECTIONS, SIZINGS
from app.domain.strategy_files import LARGEST, UnreadableFile
from app.forms.base import Form, needed, offered, squeezed
from app.forms.strategy_parts import (
    LONGEST_NUMBER,
    SECTIONS,
    Part,
    Section,
    Slot,
    fields_of,
    number,
    slots_of,
    slots_sent,
    stepped,
)
from app.forms.versions import NextVersionForm
from runner.strategy import COMPONENTS, NEEDS_THRESHOLD, TIMEFRAMES


class CopyForm(Form):
    """A version taken along to another workspace."""

    workspace = SelectField("Workspace")
    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))


class NameForm(Form):
    """A new strategy from a template."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))


class TagsForm(Form):
    """What a strategy is found by."""

    tags = StringField("With commas between them", filters=[squeezed])


class FileForm(Form):
    """A strategy that was exported, here or elsewhere."""

    file = FileField("File")

    def content(self) -> bytes:
        """The bytes that were sent, one more than a file may have at most; none, if none was."""
        read = getattr(self.file.data, "read", None)
        found: bytes = read(LARGEST + 1) if read else b""
        return found

    def adopt(self, error: Exception) -> None:
        """All faults of the file stand above it, one by one."""
        if not isinstance(error, UnreadableFile):
            return super().adopt(error)
        self.form_errors.extend(error.faults)
        return None


class RulesForm(NextVersionForm):
    """The rules of the next version: those it was opened on, as the builder's steps left them."""

    base = HiddenField()
    note = StringField("What changed", filters=[squeezed])
    timeframe = SelectField("Timeframe", choices=list(TIMEFRAMES))
    direction = SelectField("Direction", choices=offered(DIRECTIONS.items()))
    combination = SelectField("Signals count by", choices=offered(COMBINATIONS.items()))
    threshold = StringField("Enter from", filters=[squeezed])
    sizing = SelectField("Position size", choices=offered(SIZINGS.items()))
    size = StringField(
        "Size",
        filters=[squeezed],
        validators=[Length(max=LONGEST_NUMBER, message="Write a number of at most 30 digits.")],
    )
    atr_period = StringField("ATR length", filters=[squeezed])
    atr_multiple = StringField("Distance at risk", filters=[squeezed])

    parts: list[Part]
    market_type: str
    section_faults: dict[str, list[str]]

    @classmethod
    def of(
        cls, rules: dict[str, Any], number: int, sent: Iterable[str] | None = None, step: str = ""
    ) -> "RulesForm":
        """A form that shows ``rules``, those of version ``number``, and can take their successor.

        Args:
            rules: what the form was opened on.
            number: the version they are of. A form that was sent says it itself.
            sent: names of the slots of a form that was sent; ``None`` where none was.
            step: what the builder is to do with these slots first.
        """
        before = slots_of(rules) if sent is None else slots_sent(sent)
        slots = stepped(before, step)
        names: dict[str, Any] = {}
        for slot in slots:
            names |= fields_of(slot, _entry(rules, slot))
        grown = type("GrownRulesForm", (cls,), names)
        form: RulesForm = grown(data={"base": str(number), **_head(rules)})
        form.market_type, form.section_faults = rules["market_type"], {}
        form.parts = [form._part(slot) for slot in slots]
        for part in form.parts:
            # A box that was not on the page yet was not unticked either.
            part.enabled.data = part.enabled.data or part.slot not in before
        return form

    def rules(self) -> dict[str, Any]:
        """The rules as typed; what is no number stays text, so that validation names it."""
        found: dict[str, Any] = {
            "market_type": self.market_type,
            "timeframe": self.timeframe.data,
            "direction": self.direction.data,
            "combination": {"mode": self.combination.data},
        }
        if self.combination.data in NEEDS_THRESHOLD:
            found["combination"]["threshold"] = number(self.threshold.data)
        for section in SECTIONS:
            found[section] = [part.entry() for part in self.parts_of(section)]
        found["sizing"] = {"kind": self.sizing.data, "value": self.size.data or ""}
        if self.sizing.data == "atr_risk":
            found["sizing"]["period"] = number(self.atr_period.data)
            found["sizing"]["multiple"] = number(self.atr_multiple.data)
        return found

    def parts_of(self, section: str) -> list[Part]:
        """The entries of one list, in their order."""
        return [part for part in self.parts if part.slot.section == section]

    def sections(self) -> list[tuple[Section, list[Part]]]:
        """Each list with its entries."""
        return [(section, self.parts_of(key)) for key, section in SECTIONS.items()]

    def adopt(self, error: Exception) -> None:
        """Faults of rules come by path; each goes beside its field, or its list."""
        if not isinstance(error, InvalidRules):
            return super().adopt(error)
        fields = self._fields_by_path()
        for path, message in error.faults.items():
            field = fields.get(path)
            if field is not None:
                field.errors = [*field.errors, message]
            elif path in SECTIONS:
                self.section_faults.setdefault(path, []).append(message)
            else:
                self.form_errors.append(message)
        return None

    def fault_list(self) -> list[tuple[str | None, str]]:
        """Those of whole lists besides."""
        faults: list[tuple[str | None, str]] = [
            (f"section_{section}", message)
            for section, messages in self.section_faults.items()
            for message in messages
        ]
        return [*faults, *super().fault_list()]

    def _fields_by_path(self) -> dict[str, Field]:
        found = {
            "timeframe": self.timeframe,
            "direction": self.direction,
            "combination.mode": self.combination,
            "combination.threshold": self.threshold,
            "sizing.kind": self.sizing,
            "sizing.value": self.size,
            "sizing.period": self.atr_period,
            "sizing.multiple": self.atr_multiple,
        }
        for section in SECTIONS:
            for index, part in enumerate(self.parts_of(section)):
                found |= part.by_path(f"{section}[{index}]")
        return found

    def _part(self, slot: Slot) -> Part:
        spec, key = COMPONENTS[slot.kind], slot.key
        fields = tuple((item, self._fields[f"{key}-{item.name}"]) for item in spec.parameters)
        enabled, weight = self._fields[f"{key}-on"], self._fields.get(f"{key}-weight")
        return Part(slot, spec, enabled, self._fields[f"{key}-timeframe"], weight, fields)


def _entry(rules: dict[str, Any], slot: Slot) -> dict[str, Any]:
    """What the rules hold in this place; nothing where another component stands there now."""
    entries: list[dict[str, Any]] = rules.get(slot.section, [])
    entry = entries[slot.number] if slot.number < len(entries) else {}
    return entry if entry.get("kind") == slot.kind else {}


def _head(rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "timeframe": rules["timeframe"],
        "direction": rules["direction"],
        "combination": rules["combination"]["mode"],
        "threshold": f"{rules['combination'].get('threshold', 1):g}",
        "sizing": rules["sizing"]["kind"],
        "size": rules["sizing"]["value"],
        "atr_period": f"{rules['sizing'].get('period', 14):g}",
        "atr_multiple": f"{rules['sizing'].get('multiple', 2):g}",
    }
