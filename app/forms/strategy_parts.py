"""The entries of a strategy's rules as parts of a form, and what a step of the builder does."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from wtforms import BooleanField, Field, SelectField, StringField

from app.forms.base import offered, squeezed
from runner.strategy import COMPONENTS, TIMEFRAMES, ComponentSpec, Parameter

MOST_PARTS = 20
LONGEST_NUMBER = 30
_OWN_CANDLES = [("", "As the strategy"), *((name, name) for name in TIMEFRAMES)]
_NAME = re.compile(r"(?P<section>[a-z]{5,7})-(?P<number>[0-9]{1,3}):(?P<kind>[a-z0-9_]{1,60})")


class Section(NamedTuple):
    """One list of the rules; ``noun`` is what one entry of it is called."""

    key: str
    role: str
    title: str
    noun: str
    hint: str


SECTIONS = {
    key: Section(key, role, title, noun, hint)
    for key, role, title, noun, hint in (
        ("signals", "signal", "Signals", "signal", "Say when to enter, and in which direction."),
        (
            "filters",
            "filter",
            "Filters",
            "filter",
            "Each must agree with the market before an entry.",
        ),
        (
            "guards",
            "guard",
            "Entry guards",
            "entry guard",
            "Checked in the moment before an order goes out.",
        ),
        (
            "gates",
            "gate",
            "Risk gates",
            "risk gate",
            "Hold entries back while the market is dangerous.",
        ),
        ("exits", "exit", "Exits", "exit", "Whichever comes first ends the position."),
    )
}


class Slot(NamedTuple):
    """A place in the form. ``key`` begins the names of its fields and stays when it moves."""

    section: str
    number: int
    kind: str

    @property
    def key(self) -> str:
        return f"{self.section}-{self.number}"

    @property
    def name(self) -> str:
        """How the form itself carries it, in a hidden field."""
        return f"{self.key}:{self.kind}"


@dataclass(frozen=True)
class Part:
    """One entry in the form. ``fields`` pairs each parameter with its field."""

    slot: Slot
    spec: ComponentSpec
    enabled: Field
    timeframe: Field
    weight: Field | None
    fields: tuple[tuple[Parameter, Field], ...]

    @property
    def key(self) -> str:
        return self.slot.key

    def entry(self) -> dict[str, Any]:
        """As it stands in the rules; what is no number stays text, so that validation names it."""
        entry: dict[str, Any] = {
            "kind": self.spec.kind,
            "enabled": bool(self.enabled.data),
            "params": {spec.name: _typed(spec, field.data) for spec, field in self.fields},
        }
        if self.timeframe.data:
            entry["timeframe"] = self.timeframe.data
        if self.weight is not None:
            weight = number(self.weight.data)
            entry["weight"] = float(weight) if isinstance(weight, int) else weight
        return entry

    def by_path(self, path: str) -> dict[str, Field]:
        """Its fields by the paths under which validation speaks of them."""
        found = {f"{path}.params.{spec.name}": field for spec, field in self.fields}
        found |= {path: self.enabled, f"{path}.timeframe": self.timeframe}
        return found if self.weight is None else {**found, f"{path}.weight": self.weight}


def slots_of(rules: dict[str, Any]) -> list[Slot]:
    """One for each entry of the rules, in their order."""
    return [
        Slot(section, index, entry["kind"])
        for section in SECTIONS
        for index, entry in enumerate(rules.get(section, []))
    ]


def slots_sent(names: Iterable[str]) -> list[Slot]:
    """Those a form sent, in its order; what no page of ours would send is left out."""
    found: dict[str, Slot] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        slot = Slot(match["section"], int(match["number"]), match["kind"])
        if _fits(slot) and len(_in(found.values(), slot.section)) < MOST_PARTS:
            found.setdefault(slot.key, slot)
    return list(found.values())


def stepped(slots: list[Slot], step: str) -> list[Slot]:
    """After a step: ``add:signals:ema_cross``, or ``remove``, ``up`` and ``down`` with a key."""
    verb, _, about = step.partition(":")
    if verb == "add":
        section, _, kind = about.partition(":")
        present = _in(slots, section)
        slot = Slot(section, max((item.number for item in present), default=-1) + 1, kind)
        fits = _fits(slot) and len(present) < MOST_PARTS and slot.number < 1000
        return [*slots, slot] if fits else slots
    here = next((item for item in slots if item.key == about), None)
    if here is None:
        return slots
    if verb == "remove":
        return [item for item in slots if item != here]
    return _swapped(slots, here, {"up": -1, "down": 1}.get(verb, 0))


def choices(section: str, text: str) -> list[tuple[str, list[ComponentSpec]]]:
    """What can be added there, by group; each word of ``text`` must occur in its words."""
    words = text.lower().split()
    fitting = [
        spec
        for spec in COMPONENTS.values()
        if SECTIONS[section].role in spec.roles
        and all(word in f"{spec.title} {spec.summary} {spec.group}".lower() for word in words)
    ]
    ordered = sorted(fitting, key=lambda spec: (spec.group, spec.title))
    return [(group, list(specs)) for group, specs in groupby(ordered, lambda spec: spec.group)]


def fields_of(slot: Slot, entry: dict[str, Any]) -> dict[str, Any]:
    """The unbound fields of one entry by their names; an empty entry is one just added."""
    given = entry.get("params", {})
    spec, key = COMPONENTS[slot.kind], slot.key
    fields: dict[str, Any] = {
        f"{key}-on": BooleanField(spec.title, default=entry.get("enabled", True)),
        f"{key}-timeframe": SelectField(
            "Candles", choices=offered(_OWN_CANDLES), default=entry.get("timeframe", "")
        ),
    }
    if slot.section == "signals":
        weight = entry.get("weight", 1.0)
        fields[f"{key}-weight"] = StringField("Weight", default=f"{weight:g}", filters=[squeezed])
    for item in spec.parameters:
        fields[f"{key}-{item.name}"] = _field(item, given.get(item.name, item.default))
    return fields


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


def _in(slots: Iterable[Slot], section: str) -> list[Slot]:
    return [slot for slot in slots if slot.section == section]


def _fits(slot: Slot) -> bool:
    section, spec = SECTIONS.get(slot.section), COMPONENTS.get(slot.kind)
    return section is not None and spec is not None and section.role in spec.roles


def _swapped(slots: list[Slot], here: Slot, by: int) -> list[Slot]:
    """With ``here`` and its neighbour in the same list exchanged, where there is one."""
    fellows = _in(slots, here.section)
    place = fellows.index(here) + by
    if not 0 <= place < len(fellows):
        return slots
    there = fellows[place]
    exchanged = {here: there, there: here}
    return [exchanged.get(item, item) for item in slots]


def _field(item: Parameter, value: Any) -> Field:
    if item.kind == "choice":
        named = offered((name, name.replace("_", " ")) for name in item.choices)
        return SelectField(item.title, choices=named, default=value, description=item.help)
    return StringField(item.title, default=f"{value:g}", description=item.help, filters=[squeezed])


def _typed(spec: Parameter, text: str | None) -> Any:
    """Keep the type that the old version had, so that an unchanged form differs in nothing."""
    value = number(text)
    return float(value) if spec.kind == "float" and isinstance(value, int) else value
