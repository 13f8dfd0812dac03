"""A benchmark's result as a page of Markdown: every figure beside its target, misses said aloud."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured number. ``most`` is the target it must not exceed, ``same_as`` one to equal."""

    what: str
    value: float
    unit: str = ""
    most: float | None = None
    same_as: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; ``None`` where there is none."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.same_as is None else self.value == self.same_as

    @property
    def target(self) -> str:
        """The target in words."""
        if self.most is not None:
            return f"≤ {spell(self.most)} {self.unit}".strip()
        return "" if self.same_as is None else f"= {spell(self.same_as)}"

    def row(self) -> list[str]:
        """Its line in a table."""
        verdict = {True: "met", False: "**missed**", None: ""}[self.met]
        return [self.what, f"{spell(self.value)} {self.unit}".strip(), self.target, verdict]


@dataclass
class Section:
    """One part of the benchmark: how it was done, tables, figures, what could not be measured."""

    title: str
    method: str
    tables: list[tuple[list[str], list[list[str]]]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The section as Markdown."""
        told = ["", f"## {self.title}", "", self.method]
        for head, rows in self.tables:
            told += ["", *table(head, rows)]
        if self.figures:
            rows = [figure.row() for figure in self.figures]
            told += ["", *table(["figure", "measured", "target", ""], rows)]
        return [*told, *(f"\n**Not measured:** {gap}" for gap in self.gaps)]


def page(title: str, facts: list[tuple[str, str]], sections: list[Section]) -> str:
    """The whole result; what was missed and what was not measured comes first."""
    told = [f"# {title}", "", *table(["", ""], [list(fact) for fact in facts])]
    told += ["", "## In short", "", *_short(sections)]
    for section in sections:
        told += section.lines()
    return "\n".join(told) + "\n"


def _short(sections: list[Section]) -> list[str]:
    figures = [figure for section in sections for figure in section.figures]
    missed = [f for f in figures if f.met is False]
    judged = sum(f.met is not None for f in figures)
    told = [f"{judged - len(missed)} of {judged} targets met."]
    told += [f"- **Missed**: {f.what}: {f.row()[1]}, the target is {f.target}" for f in missed]
    return told + [f"- **Not measured**: {gap}" for section in sections for gap in section.gaps]


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; every column but the first is set to the right."""
    marks = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)]


def spell(value: float) -> str:
    """Three significant digits for small numbers, whole and grouped from a hundred on."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
