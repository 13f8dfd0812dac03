"""A whole web application on a database of its own, for tests and for looking at it."""

import secrets
import sqlite3
from contextlib import closing, contextmanager
from weakref import WeakSet

from app import create_app
from app.config import Config
from app.extensions import db
from app.gateways import vault
from tests.factories import TEMPO

_BUILT = WeakSet()


def build(folder, url=None, **settings):
    """An application over a fresh SQLite file in ``folder``, or over a migrated database."""
    _, public_key = vault.generate()
    folder.mkdir(exist_ok=True)
    values = {"secret_key": secrets.token_hex(32), "seal_public_key": public_key}
    values |= {"storage_url": (folder / "files").absolute().as_uri()} | settings
    config = Config(
        role="web",
        var_dir=folder,
        database_url=url or f"sqlite:///{folder}/plutarc.db",
        redis_url="",
        tempo=TEMPO,
        **values,
    )
    app = create_app(config)
    if url is None:
        with app.app_context():
            db.create_all()
        _BUILT.add(app)
    return app


@contextmanager
def as_it_was():
    """Whatever is done here to rows of applications built before is undone in the end.

    So no test meets what another one left: not its people, not the accounts and addresses that
    one bot alone may have, not what a person may do only so often a day.
    """
    with _copies() as copies:
        try:
            yield
        finally:
            for app, copy in copies:
                with app.app_context():
                    db.session.remove()
                    db.engine.dispose()
                with closing(sqlite3.connect(_file(app))) as file:
                    copy.backup(file)


@contextmanager
def _copies():
    copies = []
    try:
        for app in list(_BUILT):
            copies.append((app, sqlite3.connect(":memory:")))
            with closing(sqlite3.connect(_file(app))) as file:
                file.backup(copies[-1][1])
        yield copies
    finally:
        for _, copy in copies:
            copy.close()


def _file(app):
    with app.app_context():
        return db.engine.url.database


@contextmanager
def rows(app):
    """A transaction on the application's database."""
    with app.app_context():
        yield db.session
        db.session.commit()
