"""``gce-drill``: measure on a real project what no document says."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import current
from app.cli.base import Command
from app.gateways.compute.gce_settings import GceSettings

if TYPE_CHECKING:
    from app.gateways.compute.gce_drill import Drill, Fact

_COST = (
    "This reserves one address and runs {machines} machines of type {kind} in {zone}, each for a "
    "minute or two, and deletes all of them. At list prices that is less than $0.10{hour}."
)


@click.command("gce-drill", cls=Command)
@click.argument("report", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--zone", help="The zone to use; else the first of the first region.")
@click.option("--runs", default=3, type=click.IntRange(1, 20), help="How many machines to time.")
@click.option("--hour", is_flag=True, help="Wait an hour and ask about the requestId again.")
@click.option("--yes", is_flag=True, help="Do not ask before spending money.")
def gce_drill(report: Path, zone: str | None, runs: int, hour: bool, yes: bool) -> None:
    """Check the cloud of the settings for what docs/compute.md calls never proven.

    Each fact is printed as it is measured and all of them are written to REPORT, in Markdown.
    Everything that the drill makes is deleted at its end, also after Ctrl-C.
    """
    from app.gateways.compute import gce_drill as drills  # noqa: PLC0415 -- 2 s and 140 MiB

    settings = current.config().compute.gce
    if settings is None:
        raise click.ClickException("COMPUTE_DRIVER is not gce; there is no project to measure.")
    region = zone.rpartition("-")[0] if zone else settings.regions[0]
    try:
        place = zone or drills.zone_of(settings, region)
    except Exception as error:
        raise click.ClickException(f"The cloud did not answer: {error}") from error
    price = "; the hour adds a cent" if hour else ""
    kind = settings.machine_type
    click.echo(_COST.format(machines=runs, kind=kind, zone=place, hour=price))
    if not yes:
        click.confirm("Go on?", abort=True)
    drill = drills.Drill(settings, region, place, runs=runs, hour=hour)
    facts, left = _run(drill)
    report.write_text(_written(settings, drill, facts, left))
    click.echo(f"The report is in {report}.")
    if left:
        raise click.ClickException(f"Still there, delete by hand: {', '.join(left)}.")


def _run(drill: "Drill") -> tuple[list["Fact"], list[str]]:
    """All facts that were measured, and what could not be deleted."""
    facts: list[Fact] = []
    try:
        with contextlib.suppress(KeyboardInterrupt):
            for fact in drill.facts():
                facts.append(fact)
                click.echo(f"{fact.question}\n  {fact.answer}")
    finally:
        click.echo("Deleting what the drill made.")
        left = drill.tidy()
    return facts, left


def _written(settings: GceSettings, drill: "Drill", facts: list["Fact"], left: list[str]) -> str:
    """The report."""
    where = settings.endpoint or "Google's own API"
    lines = [
        "# What a real project answered",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC at {where}:",
        f"zone {drill.zone}, {settings.machine_type}, tier {settings.network_tier}.",
        "",
        "| question | answer |",
        "|---|---|",
    ]
    for fact in facts:
        answer = fact.answer.replace("|", "/").replace("\n", " ")
        lines.append(f"| {fact.question} | {answer} |")
    lines += ["", "Left behind: " + (", ".join(left) or "nothing") + "."]
    return "\n".join(lines) + "\n"
