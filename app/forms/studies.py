"""What a study is asked for: as a backtest, and besides what to vary and how to cut the period."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from wtforms import BooleanField, Field, SelectField, StringField, ValidationError

from app.domain import studies
from app.domain.studies import MOST_AXES, OBJECTIVES, Axis, Study
from app.forms.backtests import BacktestForm, decimal
from app.forms.base import offered, squeezed
from app.models import BacktestKind
from runner.strategy import Dial, dials

NUMBERS = ("low", "high", "step")
STEPS = 6
"""So many steps the form begins with on either axis."""


class StudyForm(BacktestForm):
    """Axes by number; the first must be chosen."""

    path_1 = SelectField("First parameter")
    low_1 = StringField("From", filters=[squeezed])
    high_1 = StringField("To", filters=[squeezed])
    step_1 = StringField("Step", filters=[squeezed])
    path_2 = SelectField("Second parameter")
    low_2 = StringField("From", filters=[squeezed])
    high_2 = StringField("To", filters=[squeezed])
    step_2 = StringField("Step", filters=[squeezed])
    path_3 = SelectField("Third parameter")
    low_3 = StringField("From", filters=[squeezed])
    high_3 = StringField("To", filters=[squeezed])
    step_3 = StringField("Step", filters=[squeezed])
    objective = SelectField("Judge by", choices=offered(OBJECTIVES.items()))
    in_sample = StringField("In sample", filters=[squeezed])
    out_of_sample = StringField("Out of sample", filters=[squeezed])
    anchored = BooleanField("Each choice sees everything from the beginning on")

    def offer(self, rules: dict[str, Any]) -> None:
        """What can be varied."""
        known = studies.titles(rules)
        rows = [(dial.path, f"{known[dial.path]} {_reach(dial)}") for dial in dials(rules)]
        for number in range(1, MOST_AXES + 1):
            none = [] if number == 1 else [("", "None")]
            self._fields[f"path_{number}"].choices = offered([*none, *rows])

    def begin_around(self, rules: dict[str, Any]) -> None:
        """Propose the first two numbers, each around what it is now."""
        numeric = [dial for dial in dials(rules) if dial.parameter.kind != "choice"]
        for number, dial in enumerate(numeric[:2], 1):
            self._fields[f"path_{number}"].data = dial.path
            for name, value in zip(NUMBERS, _around(dial), strict=True):
                self._fields[f"{name}_{number}"].data = f"{value:f}"

    def begin_like_study(self, options: dict[str, Any]) -> None:
        """Fill in what an earlier study varied, and how it cut the period."""
        self.objective.data = options["objective"]
        for number, axis in enumerate(options["grid"], 1):
            self._fields[f"path_{number}"].data = axis["path"]
            values = axis["values"]
            if len(values) > 1 and not isinstance(values[0], str):
                low, second, high = (Decimal(str(it)) for it in (values[0], values[1], values[-1]))
                for name, value in zip(NUMBERS, (low, high, second - low), strict=True):
                    self._fields[f"{name}_{number}"].data = f"{value.normalize():f}"
        if "in_sample" in options:
            self.in_sample.data = f"{options['in_sample']:g}"
            self.out_of_sample.data = f"{options['out_of_sample']:g}"
            self.anchored.data = options["anchored"]

    def begin_windows(self) -> None:
        """Propose a third of the period to choose on, and a ninth to judge on: six windows."""
        seconds = (self.plan.until - self.plan.since).total_seconds()
        days = Decimal(str(seconds)) / 86_400
        self.in_sample.data, self.out_of_sample.data = _short(days / 3), _short(days / 9)

    def validate(self, extra_validators: Any = None) -> bool:
        """Numbers of axes that are chosen must be numbers; the others do not matter."""
        sound = super().validate(extra_validators)
        for field in [*self._numbers(), self.in_sample, self.out_of_sample]:
            try:
                _number(field)
            except ValidationError as error:
                field.errors = [*field.errors, str(error)]
                sound = False
        return sound

    def study(self, kind: BacktestKind) -> Study:
        """As typed; the shape is checked before."""
        axes = tuple(
            Axis(path, *(_number(self._fields[f"{name}_{number}"]) for name in NUMBERS))
            for number, path in self._chosen()
        )
        return Study(
            axes,
            self.objective.data,
            _number(self.in_sample),
            _number(self.out_of_sample),
            bool(self.anchored.data),
            kind,
        )

    def axes(self) -> list[tuple[Field, list[Field]]]:
        """Each axis as its fields."""
        return [
            (
                self._fields[f"path_{number}"],
                [self._fields[f"{name}_{number}"] for name in NUMBERS],
            )
            for number in range(1, MOST_AXES + 1)
        ]

    def _chosen(self) -> list[tuple[int, str]]:
        paths = [(n, self._fields[f"path_{n}"].data or "") for n in range(1, MOST_AXES + 1)]
        return [(number, path) for number, path in paths if path]

    def _numbers(self) -> list[Field]:
        return [self._fields[f"{name}_{n}"] for n, _ in self._chosen() for name in NUMBERS]


def _number(field: Field) -> Decimal | None:
    return decimal(field) if field.data else None


def _reach(dial: Dial) -> str:
    one = dial.parameter
    now = dial.value.replace("_", " ") if isinstance(dial.value, str) else f"{dial.value:g}"
    if one.kind == "choice":
        return f"(all {len(one.choices)} choices, now {now})"
    return f"({one.minimum:g} to {one.maximum:g} {one.unit}".rstrip() + f", now {now})"


def _around(dial: Dial) -> tuple[Decimal, Decimal, Decimal]:
    """From half of the value to half more, in whole steps, within the parameter's range."""
    one, value = dial.parameter, Decimal(str(dial.value))
    least, most = Decimal(str(one.minimum)), Decimal(str(one.maximum))
    unit = Decimal(1) if one.kind == "int" else Decimal("0.01")
    low = max((value / 2).quantize(unit), least)
    high = min((value * Decimal("1.5")).quantize(unit), most)
    step = max(((high - low) / STEPS).quantize(unit), unit)
    if high <= low:
        low, high = least, min(least + step * STEPS, most)
    return low, high, step


def _short(days: Decimal) -> str:
    """Two significant digits, cut: a period of minutes has windows too, and they fit into it."""
    return f"{days.quantize(Decimal((0, (1,), days.adjusted() - 1)), ROUND_DOWN).normalize():f}"
