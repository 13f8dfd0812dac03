"""The reference of the commands, ``docs/commands.md``, drawn from their own help.

``python -m app.cli reference > docs/commands.md``
"""

from collections.abc import Iterable, Iterator

import click

from app.cli import COMMANDS

_WIDTH = 96
_OPENING = """# The operator's commands

`flask --app wsgi COMMAND`, with the settings of the installation in the environment. A command that
cannot do what it should says why in one line, changes nothing more, and exits with a code other
than 0. Beside these there is `db upgrade`, which brings the database up to the release. This page
is drawn from the commands' own help (`python -m app.cli reference`); a test compares the two.
"""


def reference(commands: Iterable[click.Command] = COMMANDS) -> str:
    """The page."""
    sections = [_section(path, command) for path, command in _leaves(commands, "")]
    return "\n".join([_OPENING, *sections])


def _leaves(commands: Iterable[click.Command], prefix: str) -> Iterator[tuple[str, click.Command]]:
    for command in sorted(commands, key=lambda item: item.name or ""):
        path = f"{prefix}{command.name}"
        if isinstance(command, click.Group):
            yield from _leaves(command.commands.values(), f"{path} ")
        else:
            yield path, command


def _section(path: str, command: click.Command) -> str:
    context = click.Context(
        command, info_name=path, terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    return f"## {path}\n\n```\n{command.get_help(context)}\n```\n"
