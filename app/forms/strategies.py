"""A strategy's rules as a form: one part per component, one number per parameter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wtforms import BooleanField, Field, HiddenField, SelectField, StringField
from wtforms.validators import Length

from app.domain.strategies import InvalidRules
from app.forms.base import Form, needed, offered, squeezed
from runner.strategy import (
    COMPONENTS,
    NEEDS_THRESHOLD,
    TIMEFRAMES,
    ComponentSpec,
    Parameter,
)

LONGEST_NUMBER = 30
SECTIONS = (
    ("signals", "signal", "Signals", "Say when to enter, and in which direction."),
    ("filters", "filter", "Filters", "Each must agree with the market before an entry."),
    ("guards", "guard", "Entry guards", "Checked in the moment before an order goes out."),
    ("gates", "gate", "Risk gates", "Hold entries back while the market is dangerous."),
    ("exits", "exit", "Exits", "Whichever comes first ends the position."),
)
DIRECTIONS = [("both", "Long and short"), ("long", "Long only"), ("short", "Short only")]
COMBINATIONS = [
    ("min_score", "Sum of weights"),
    ("weighted", "Share of all weights"),
    ("min_signals", "Number of signals"),
    ("all", "All signals"),
    ("any", "Any signal"),
    ("majority", "Most signals"),
]
SIZINGS = [
    ("percent_equity", "Percent of equity"),
    ("fixed_notional", "Fixed amount"),
    ("atr_risk", "Percent of equity at risk"),
]
_OWN_CANDLES = [("", "As the strategy"), *((name, name) for name in TIMEFRAMES)]


class CopyForm(Form):
    """A version taken along to another workspace."""

    workspace = SelectField("Workspace")
    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))


class NameForm(Form):
    """A new strategy from a template."""

    name = StringField("Name", filters=[squeezed], validators=needed("Give it a name.", 80))


@dataclass(frozen=True)
class Part:
    """One component of the form. ``fields`` pairs each parameter with its field."""

    section: str
    spec: ComponentSpec
    key: str
    entry: dict[str, Any] | None
    enabled: Field
    timeframe: Field
    weight: Field | None
    fields: tuple[tuple[Parameter, Field], ...]

    @property
    def shown(self) -> bool:
        """Whether it is one of the rules or was just switched on; the others are offered."""
        return self.entry is not None or bool(self.enabled.data)


class RulesForm(Form):
    """The rules of the next version, all components of the library included."""

    base = HiddenField()
    note = StringField("What changed", filters=[squeezed])
    timeframe = SelectField("Timeframe", choices=list(TIMEFRAMES))
    direction = SelectField("Direction", choices=offered(DIRECTIONS))
    combination = SelectField("Signals count by", choices=offered(COMBINATIONS))
    threshold = StringField("Enter from", filters=[squeezed])
    sizing = SelectField("Position size", choices=offered(SIZINGS))
    size = StringField(
        "Size",
        filters=[squeezed],
        validators=[Length(max=LONGEST_NUMBER, message="Write a number of at most 30 digits.")],
    )

    atr_period = StringField("ATR length", filters=[squeezed])
    atr_multiple = StringField("Distance at risk", filters=[squeezed])

    parts: list[Part]
    market_type: str

    @classmethod
    def of(cls, rules: dict[str, Any], number: int) -> "RulesForm":
        """A form that shows ``rules``, those of version ``number``, and can take their successor.

        A form that was sent says itself which version it was opened on.
        """
        names: dict[str, Any] = {}
        for section, kind, key, entry in _slots(rules):
            names |= _fields(section, COMPONENTS[kind], key, entry)
        grown = type("GrownRulesForm", (cls,), names)
        form: RulesForm = grown(data={"base": str(number), **_head(rules)})
        form.market_type = rules["market_type"]
        form.parts = [form._part(*slot) for slot in _slots(rules)]
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
        for section, _, _, _ in SECTIONS:
            found[section] = [_entry(part) for part in self._kept(section)]
        found["sizing"] = {"kind": self.sizing.data, "value": self.size.data or ""}
        if self.sizing.data == "atr_risk":
            found["sizing"]["period"] = number(self.atr_period.data)
            found["sizing"]["multiple"] = number(self.atr_multiple.data)
        return found

    def adopt(self, error: Exception) -> None:
        """Faults of rules come by path; each goes beside its field."""
        if not isinstance(error, InvalidRules):
            return super().adopt(error)
        fields = self._fields_by_path()
        for path, message in error.faults.items():
            field = fields.get(path)
            if field is None:
                self.form_errors.append(message)
            else:
                field.errors = [*field.errors, message]
        return None

    def sections(self) -> list[tuple[str, str, list[Part]]]:
        """Title, hint and parts of each section that has any."""
        grouped = [
            (title, hint, [part for part in self.parts if part.section == section])
            for section, _, title, hint in SECTIONS
        ]
        return [group for group in grouped if group[2]]

    def _kept(self, section: str) -> list[Part]:
        """Parts that belong into the rules: those of the old version, and what was switched on."""
        return [
            part
            for part in self.parts
            if part.section == section and (part.entry is not None or part.enabled.data)
        ]

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
        for section, _, _, _ in SECTIONS:
            for index, part in enumerate(self._kept(section)):
                path = f"{section}[{index}]"
                found |= {f"{path}.params.{spec.name}": field for spec, field in part.fields}
                found[f"{path}.timeframe"] = part.timeframe
                if part.weight is not None:
                    found[f"{path}.weight"] = part.weight
        return found

    def _part(self, section: str, kind: str, key: str, entry: dict[str, Any] | None) -> Part:
        spec = COMPONENTS[kind]
        fields = tuple((item, self._fields[f"{key}-{item.name}"]) for item in spec.parameters)
        enabled, weight = self._fields[f"{key}-on"], self._fields.get(f"{key}-weight")
        timeframe = self._fields[f"{key}-timeframe"]
        return Part(section, spec, key, entry, enabled, timeframe, weight, fields)


def number(text: str | None) -> Any:
    """A whole number, a decimal number, or the text itself where it is neither or too long."""
    if text and len(text) > LONGEST_NUMBER:
        return text
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            continue
    return text


def _slots(rules: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any] | None]]:
    """Section, kind, key and present entry: first what the rules hold, then the rest."""
    for section, role, _, _ in SECTIONS:
        entries = rules.get(section, [])
        for index, entry in enumerate(entries):
            yield section, entry["kind"], f"{section}-{index}", entry
        present = {entry["kind"] for entry in entries}
        for spec in COMPONENTS.values():
            if role in spec.roles and spec.kind not in present:
                yield section, spec.kind, f"{section}-{spec.kind}", None


def _fields(
    section: str, spec: ComponentSpec, key: str, entry: dict[str, Any] | None
) -> dict[str, Any]:
    given = (entry or {}).get("params", {})
    on = entry is not None and entry.get("enabled", True)
    fields: dict[str, Any] = {
        f"{key}-on": BooleanField(spec.title, default=on),
        f"{key}-timeframe": SelectField(
            "Candles", choices=offered(_OWN_CANDLES), default=(entry or {}).get("timeframe", "")
        ),
    }
    if section == "signals":
        weight = (entry or {}).get("weight", 1.0)
        fields[f"{key}-weight"] = StringField("Weight", default=f"{weight:g}", filters=[squeezed])
    for item in spec.parameters:
        fields[f"{key}-{item.name}"] = _field(item, given.get(item.name, item.default))
    return fields


def _field(item: Parameter, value: Any) -> Field:
    if item.kind == "choice":
        choices = offered((name, name.replace("_", " ")) for name in item.choices)
        return SelectField(item.title, choices=choices, default=value, description=item.help)
    return StringField(item.title, default=f"{value:g}", description=item.help, filters=[squeezed])


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


def _entry(part: Part) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": part.spec.kind,
        "enabled": bool(part.enabled.data),
        "params": {spec.name: _typed(spec, field.data) for spec, field in part.fields},
    }
    if part.timeframe.data:
        entry["timeframe"] = part.timeframe.data
    if part.weight is not None:
        weight = number(part.weight.data)
        entry["weight"] = float(weight) if isinstance(weight, int) else weight
    return entry


def _typed(spec: Parameter, text: str | None) -> Any:
    """Keep the type that the old version had, so that an unchanged form differs in nothing."""
    value = number(text)
    return float(value) if spec.kind == "float" and isinstance(value, int) else value
