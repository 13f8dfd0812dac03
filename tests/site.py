"""A whole web application on a database of its own, for tests and for looking at it."""

import secrets
from contextlib import contextmanager

from app import create_app
from app.config import Config
from app.extensions import db
from app.gateways import vault
from tests.factories import TEMPO


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
    return app


@contextmanager
def rows(app):
    """A transaction on the application's database."""
    with app.app_context():
        yield db.session
        db.session.commit()
