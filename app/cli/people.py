"""People and the demo: ``create-operator`` and ``seed-demo``."""

from datetime import UTC, datetime

import click

from app import current
from app.cli.base import Command
from app.domain import accounts, demo, estate, ownership, suspensions
from app.domain.audit import COMMAND_LINE
from app.extensions import db
from app.gateways.vault import Sealer


@click.command("create-operator", cls=Command)
@click.argument("email")
@click.option("--name", default="Operator", show_default=True)
@click.password_option()
def create_operator(email: str, name: str, password: str) -> None:
    """Create an account that runs the platform."""
    now = datetime.now(UTC)
    user = accounts.sign_up(email=email, name=name, password=password, by=COMMAND_LINE, now=now)
    user.operator, user.email_verified_at = True, now
    db.session.commit()
    click.echo(f"Created operator {user.email}.")


@click.command("suspend-user", cls=Command)
@click.argument("email")
@click.option("--reason", required=True, help="Why; it is kept in the audit log.")
def suspend_user(email: str, reason: str) -> None:
    """End a person's sessions and let them sign in no more.

    Their bots keep running. Refused for the only active owner of an organisation: appoint another
    one first with make-owner, or suspend the workspace under /operator/workspaces.
    """
    user = suspensions.find(email)
    suspensions.suspend_user(user, by=COMMAND_LINE, now=datetime.now(UTC), reason=reason)
    db.session.commit()
    click.echo(f"Suspended {user.email}.")


@click.command("resume-user", cls=Command)
@click.argument("email")
def resume_user(email: str) -> None:
    """Let a suspended person sign in again."""
    user = suspensions.find(email)
    suspensions.resume_user(user, by=COMMAND_LINE, now=datetime.now(UTC))
    db.session.commit()
    click.echo(f"{user.email} may sign in again.")


@click.command("make-owner", cls=Command)
@click.argument("workspace")
@click.argument("email")
def make_owner(workspace: str, email: str) -> None:
    """Make a member of WORKSPACE (its slug) an owner beside the others."""
    member = estate.member(workspace, suspensions.find(email))
    ownership.appoint(member, by=COMMAND_LINE, now=datetime.now(UTC))
    db.session.commit()
    click.echo(f"{member.user.email} is an owner of {member.workspace.name}.")


@click.command("seed-demo", cls=Command)
def seed_demo() -> None:
    """Fill an empty installation with the demo; a second call changes nothing."""
    config = current.config()
    if not config.demo:
        raise click.ClickException("The demo is switched off; set DEMO=1 to have it.")
    if not config.seal_public_key:
        raise click.ClickException("SEAL_PUBLIC_KEY is not set; see: python -m app.gateways.vault")
    planted = demo.plant(Sealer(config.seal_public_key), now=datetime.now(UTC))
    db.session.commit()
    click.echo("The demo is planted." if planted else "The demo is there already.")
