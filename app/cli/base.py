"""What commands share: a refusal is one clear line and an exit code, never a traceback."""

import os
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.config import SettingsError
from app.domain.errors import DomainError
from app.extensions import db

NO_DATABASE = (
    "The database does not answer as it should ({}). Check DATABASE_URL, bring it up to this "
    "release with `flask --app wsgi db upgrade`, and look at `flask --app wsgi doctor`."
)


class Command(click.Command):
    """A command whose refusals and outages are told in the words of the operator."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; what a person can put right becomes one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except (DomainError, SettingsError) as error:
            raise click.ClickException(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(NO_DATABASE.format(type(error.orig).__name__)) from error


def shown(path: Path) -> str:
    """A path as the operator would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


class NewFile:
    """A file that appears whole or not at all, and never in place of another.

    Written beside its final name, readable by its owner alone. Raises ``click.ClickException``
    if something of that name is there already or the directory does not take it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")

    def __enter__(self) -> Path:
        if self.path.exists() or self.path.is_symlink():
            raise self._taken()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise click.ClickException(
                f"Cannot write to {self.path.parent} ({error.strerror}); name another file."
            ) from error
        return self.draft

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            self.draft.unlink(missing_ok=True)

    def _publish(self) -> None:
        with self.draft.open("rb") as file:
            os.fsync(file.fileno())
        try:
            os.link(self.draft, self.path)
        except FileExistsError as error:
            raise self._taken() from error

    def _taken(self) -> click.ClickException:
        return click.ClickException(
            f"{shown(self.path)} exists and is not overwritten; name another file."
        )


def reading() -> None:
    """Begin a transaction that only reads, so that on SQLite writers need not wait for it."""
    db.session.connection(execution_options={"read_only": True})
