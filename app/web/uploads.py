"""Files that come with a form: how much a request may hold, and handing them to the storage."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from werkzeug.datastructures import FileStorage

from app import current
from app.domain.support import files
from app.domain.support.said import NewFile
from app.web import identity, transactions

READ_TO_THE_END = 64 * files.MEGABYTE
"""More than is taken: what is somewhat too large is read, so that the form comes back whole."""

View = TypeVar("View", bound=Callable[..., Any])


def takes_files(view: View) -> View:
    """A route whose POST may hold files, from whoever has a session."""
    # Functions carry attributes; the types of callables do not say so.
    view.takes_files = True  # type: ignore[attr-defined]  # as said
    return view


def init_app(app: Flask) -> None:
    """Give such routes room, before anybody reads their forms."""
    app.before_request(_make_room)
    app.jinja_env.globals.update(takes_files=_here)


def keep(sent: Iterable[FileStorage] | None) -> tuple[NewFile, ...]:
    """Put the files of a form into the storage, while no transaction holds up anybody else.

    Raises:
        Invalid: they are too many or too large; the text names the field ``files``.
    """
    chosen = [it for it in sent or () if isinstance(it, FileStorage) and it.filename]
    if not chosen:
        return ()
    files.check([_size(it) for it in chosen])
    storage = current.storage()
    with transactions.reading():
        return tuple(
            files.store(storage, it.filename or "", it.mimetype or "", it.stream.read())
            for it in chosen
        )


def _make_room() -> None:
    if request.method == "POST" and _here() and identity.has_token():
        request.max_content_length = READ_TO_THE_END


def _here() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "takes_files", False))


def _size(file: FileStorage) -> int:
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    return size
