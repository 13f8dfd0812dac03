"""``audit export``, ``verify``, ``check``: a workspace's log as a file that proves itself.

``verify FILE`` needs neither settings nor a database, also as ``python -m app.cli verify FILE``.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from app import current
from app.cli.base import Command, NewFile, reading, shown
from app.domain import audit_check, audit_export, audit_file, checkpoint_file, checkpoints
from app.domain.audit import COMMAND_LINE
from app.domain.audit_chain import Anchor
from app.domain.audit_check import Verdict
from app.domain.audit_file import Finding, NotAnExport
from app.domain.checkpoint_file import Checkpoint, NoCheckpoint
from app.extensions import db

_ANCHOR = re.compile(r"([1-9][0-9]*):([0-9a-f]{64})")


@click.group()
def audit() -> None:
    """Take a workspace's audit log out as a file, and verify such a file or the database."""


@audit.command("export", cls=Command)
@click.argument("workspace_id")
@click.argument("file", type=click.Path(path_type=Path))
def export_log(workspace_id: str, file: Path) -> None:
    """Write the whole audit log of a workspace to FILE, as JSON Lines with all hashes.

    The file holds addresses of people. That it was made becomes an event of the log itself. Keep
    the anchor that is printed somewhere else: it proves later that nobody wrote the log anew.
    """
    reading()
    export = audit_export.of_workspace(workspace_id, datetime.now(UTC))
    with NewFile(file) as draft:
        with draft.open("w", encoding="utf-8") as output:
            output.writelines(audit_export.lines(export))
        db.session.rollback()
        audit_export.record(export, by=COMMAND_LINE, now=datetime.now(UTC))
        db.session.commit()
    click.echo(f"Wrote {export.count} events to {shown(file)}.")
    click.echo(f"Anchor, to be kept elsewhere: {export.head.seq}:{export.head.hash}")


class AnchorType(click.ParamType[Anchor]):
    """``SEQ:HASH`` as ``audit export`` prints it."""

    name = "SEQ:HASH"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Anchor:
        """Read the two parts."""
        match = _ANCHOR.fullmatch(str(value))
        if match is None:
            self.fail("is no anchor; paste it as `audit export` printed it.", param, ctx)
        return Anchor(int(match[1]), match[2])


_TEXT = click.File(encoding="utf-8", errors="replace")


@audit.command(cls=Command)
@click.argument("file", type=_TEXT)
@click.option(
    "--anchor",
    "anchors",
    type=AnchorType(),
    multiple=True,
    help="A link noted elsewhere, as `audit export` printed it; may be given again.",
)
@click.option(
    "--checkpoints",
    "kept",
    type=_TEXT,
    help="Checkpoints kept elsewhere: a download, or a mailed line.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="The installation's SIGNING_PUBLIC_KEY: each checkpoint must be signed with it.",
)
def verify(
    file: TextIO, anchors: tuple[Anchor, ...], kept: TextIO | None, keys: tuple[str, ...]
) -> None:
    """Verify an exported audit log by FILE alone; exit code 1 at the first break.

    A break is named: edited, missing, reordered, or re-chained, which is a log that is sound in
    itself and contradicts what was noted or signed earlier. Who has only the file and this
    release, no installation, runs python -m app.cli verify FILE.
    """
    try:
        noted = list(checkpoint_file.read(kept)) if kept else []
        finding = audit_file.verify(file, [*anchors, *(item.link for item in noted)])
    except (NotAnExport, NoCheckpoint) as error:
        raise click.ClickException(str(error)) from error
    signed = [*finding.checkpoints, *noted]
    _refuse_forged(signed, finding.chain, keys)
    if not finding.sound:
        raise click.ClickException(_broken(finding))
    click.echo(f"ok: {finding.chain}, events 1 to {finding.sound_up_to}, head {finding.head}")
    if finding.stubs:
        click.echo(f"{finding.whole} shown, {finding.stubs} left out by a filter, none missing")
    click.echo(_said(signed, keys))


def _refuse_forged(signed: list[Checkpoint], chain: str, keys: tuple[str, ...]) -> None:
    for item in signed:
        if item.chain != chain:
            raise click.ClickException(
                f"The checkpoint of event {item.seq} is of {item.chain}, the log of {chain}."
            )
        if keys and not item.signed_by(keys):
            raise click.ClickException(
                f"re-chained: the checkpoint of event {item.seq} was not signed with this key."
            )


def _said(signed: list[Checkpoint], keys: tuple[str, ...]) -> str:
    if not signed:
        return "no checkpoint to compare with; only an anchor or one kept elsewhere tells more"
    last = max(signed, key=lambda item: item.seq)
    proof = (
        "signed with the given key" if keys else "its signature not looked at, for want of --key"
    )
    return f"last checkpoint: event {last.seq} at {last.made_at}, {proof}"


def _broken(finding: Finding) -> str:
    problem = finding.problem
    assert problem is not None
    good = (
        f"events 1 to {finding.sound_up_to} verify" if finding.sound_up_to else "nothing verifies"
    )
    return f"{problem.kind} after event {finding.sound_up_to}: {problem.detail}; {good}."


@audit.command(cls=Command)
@click.argument("workspace_id")
def check(workspace_id: str) -> None:
    """Verify the audit log of a workspace where it lies, against its signed checkpoints.

    Compared with are those of the database and those that the storage keeps. Exit code 1 at the
    first break.
    """
    reading()
    config = current.config()
    noted = checkpoints.stored(current.storage(), workspace_id)
    verdict = audit_check.verify(workspace_id, config.signing_public_keys, noted=noted)
    db.session.rollback()
    if verdict.problem is not None:
        problem = verdict.problem
        raise click.ClickException(f"{problem.kind} at event {problem.seq}: {problem.detail}.")
    click.echo(f"ok: {verdict.chain}, {verdict.events} events{_last_signed(verdict)}")


def _last_signed(verdict: Verdict) -> str:
    if verdict.signed is None:
        return ", no checkpoint yet"
    return f", last checkpoint event {verdict.signed.seq} at {verdict.signed.made_at}"
