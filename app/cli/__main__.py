"""``python -m app.cli``: the commands that need neither settings nor a database."""

import click

from app.cli import components, exchanges, reference
from app.cli.audit import verify


@click.group()
def main() -> None:
    """Commands that need no installation: verify an exported audit log, print the references."""


main.add_command(verify)


@main.command("reference")
def print_reference() -> None:
    """Print docs/commands.md."""
    click.echo(reference.reference(), nl=False)


@main.command("components")
def print_components() -> None:
    """Print docs/components.md."""
    click.echo(components.reference(), nl=False)


@main.command("exchanges")
def print_exchanges() -> None:
    """Print docs/exchanges.md."""
    click.echo(exchanges.reference(), nl=False)


if __name__ == "__main__":
    main(prog_name="python -m app.cli")
