"""``doctor``: looks at everything plutarc stands on, one line each, with the cure."""

from datetime import UTC, datetime

import click

from app import current
from app.cli.base import Command
from app.cli.finding import Finding, Level, Look


@click.command(cls=Command)
def doctor() -> None:
    """Look at everything plutarc stands on: a line each with ok, warn or fail, and the cure.

    The exit code is 1 if anything fails. MASTER_KEYS are looked at only if this process may read
    them.
    """
    # Every web process registers the commands; the clients that the checks need stay out of it.
    from app.cli import checks  # noqa: PLC0415 -- its clients are not for web processes

    look = Look(current.config(), datetime.now(UTC))
    failed = 0
    for name, check, cure in checks.CHECKS:
        finding = checks.examine(check, look, cure)
        failed += finding.level is Level.FAIL
        click.echo(f"{finding.level.value:4}  {name:15}  {finding.what}" + _cure(finding))
    if failed:
        raise click.ClickException(f"{failed} of {len(checks.CHECKS)} checks failed.")


def _cure(finding: Finding) -> str:
    return f"  → {finding.cure}" if finding.cure else ""
