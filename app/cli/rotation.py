"""``rotate-keys``: seal every credential anew for the first of the master keys."""

import os
from datetime import UTC, datetime

import click

from app import current
from app.cli.base import Command
from app.config import read_master_keys
from app.domain import rotation
from app.domain.audit import COMMAND_LINE
from app.domain.rotation import Unreadable
from app.extensions import db
from app.gateways.vault import Opener, Sealer, public_key_of


@click.command("rotate-keys", cls=Command)
def rotate_keys() -> None:
    """Seal every connection anew for the first of MASTER_KEYS; the others open older ones.

    Put the new key first in MASTER_KEYS and its public half into SEAL_PUBLIC_KEY, restart web and
    gate, run this, then take the old key away. It may be interrupted, repeated, and run while
    plutarc runs. A connection that no key opens is named and left as it is; then the exit code is
    1 and the old keys must stay.
    """
    keys = read_master_keys(os.environ)
    public = public_key_of(keys[0])
    if public != current.config().seal_public_key:
        raise click.ClickException(
            "SEAL_PUBLIC_KEY does not belong to the first of MASTER_KEYS, so new connections would "
            f"still be sealed for another key. Set SEAL_PUBLIC_KEY={public}, restart web, "
            "try again."
        )
    opener, sealer = Opener(keys), Sealer(public)
    total, resealed = rotation.total(), 0
    db.session.rollback()
    while True:
        # A connection made meanwhile by a web not yet restarted may lie behind: look once more.
        changed, unreadable = _pass(opener, sealer, total)
        resealed += changed
        if not changed:
            break
    _conclude(total, resealed, unreadable)


def _pass(opener: Opener, sealer: Sealer, total: int) -> tuple[int, list[Unreadable]]:
    after, looked_at, resealed = "", 0, 0
    unreadable: list[Unreadable] = []
    while True:
        now = datetime.now(UTC)
        batch = rotation.reseal_batch(after, opener=opener, sealer=sealer, by=COMMAND_LINE, now=now)
        db.session.commit()
        if batch.last is None:
            return resealed, unreadable
        after = batch.last
        looked_at += batch.looked_at
        resealed += batch.resealed
        unreadable += batch.unreadable
        click.echo(f"{looked_at} of {total} looked at, {resealed} sealed anew", err=True)


def _conclude(total: int, resealed: int, unreadable: list[Unreadable]) -> None:
    click.echo(f"{resealed} of {total} connections sealed anew for the first key.")
    if not unreadable:
        click.echo("Every connection opens with the first key; the older ones can go.")
        return
    for item in unreadable:
        click.echo(f"{item.connection_id}: {item.why}", err=True)
    raise click.ClickException(
        f"{len(unreadable)} could not be opened and were left as they are. Add the key they were "
        "sealed with to MASTER_KEYS, or have their owners enter them again. Keep the old keys."
    )
