"""The reference of strategy components, ``docs/components.md``, drawn from their own schemas.

``python -m app.cli components > docs/components.md``
"""

from collections.abc import Iterator

from runner.strategy import COMPONENTS, ComponentSpec, Parameter
from runner.strategy.spec import GROUPS

_OPENING = """# Strategy components

What a strategy can be built from. This page is drawn from the components' own schemas
(`python -m app.cli components`); a test compares the two.

- A **signal** says long, short or nothing on each closed candle; the combination mode adds the
  signals up. A **filter**, an **entry guard** and a **risk gate** let an entry pass or block it,
  and an **exit rule** ends a position. A component serves in each of the roles named beside it.
- A *directional* component in the role of a filter, guard or gate passes where its direction is the
  one asked for. One that is not directional says yes or no, and cannot be a signal.
- Lengths are counted in closed candles: the strategy's own, or those of a longer time frame that
  the component is given. Days begin at 00:00 UTC, and all times are UTC.
- The *warm-up* is the history that is read before the first decision, here with the default
  parameters. After it a component no longer knows where it began: an average keeps less than half a
  percent of its seed. Those marked *days* must besides have seen so many whole days.
- Indicators follow TA-Lib's definitions where TA-Lib has them.
- Each is used by a template, or users of another platform asked for it or use it:
  `docs/component-origins.csv` says who and where, and `test_origins.py` names the exception.
- What is not known (funding or open interest of a market without any) passes nothing.
  History tells neither: a change of open interest is known only so many candles after the start.
"""


def reference() -> str:
    """The page."""
    parts = [_OPENING]
    for group in GROUPS:
        specs = [spec for spec in COMPONENTS.values() if spec.group == group]
        parts += [f"## {group.capitalize()}\n", *_overview(specs), ""]
        parts += [_section(spec) for spec in specs]
    return "\n".join(parts).rstrip() + "\n"


def _overview(specs: list[ComponentSpec]) -> Iterator[str]:
    yield "| component | roles | directional | warm-up |"
    yield "| --- | --- | --- | --- |"
    for spec in specs:
        directional = "yes" if spec.directional else "no"
        yield f"| {spec.title} | {', '.join(spec.roles)} | {directional} | {_warmup(spec)} |"


def _warmup(spec: ComponentSpec) -> str:
    candles = spec.warmup({p.name: p.default for p in spec.parameters})
    told = f"{candles} candle{'s' if candles != 1 else ''}"
    return f"{told}, {spec.days} day{'s' if spec.days != 1 else ''}" if spec.days else told


def _section(spec: ComponentSpec) -> str:
    defaults = {p.name: p.default for p in spec.parameters}
    opening = "By default it speaks when" if spec.directional else "By default it passes while"
    if spec.roles == ("exit",):
        opening = "By default it leaves a position"
    lines = [
        f"### {spec.title}",
        "",
        f"`{spec.kind}`. {spec.summary} {opening} {spec.sentence(defaults)}.",
        "",
    ]
    if spec.parameters:
        lines += [
            "| parameter | unit | range | default | meaning |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_row(parameter) for parameter in spec.parameters]
        lines.append("")
    return "\n".join(lines)


def _row(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        bounds, default = ", ".join(parameter.choices), str(parameter.default)
    else:
        bounds = f"{parameter.minimum:,g} to {parameter.maximum:,g}"
        default = f"{parameter.default:,g}"
    name = f"{parameter.title} (`{parameter.name}`)"
    return f"| {name} | {parameter.unit} | {bounds} | {default} | {parameter.help} |"
