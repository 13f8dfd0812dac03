"""Commands run against a real, migrated database."""

import os
from dataclasses import dataclass, field

import pytest

from app import create_app
from app.config import Config
from app.extensions import db
from app.gateways.vault import generate

SECRET_KEY = "0123456789abcdef" * 3


@dataclass
class House:
    """An installation: its application and what its environment says."""

    app: object
    environ: dict
    private: str = field(repr=False)
    public: str

    def run(self, *args):
        """As a process of its own would run it: in no transaction that is under way."""
        db.session.rollback()
        return self.app.test_cli_runner().invoke(args=list(args))


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Build an installation on a database; ended with the test."""
    for name in list(os.environ):
        if name.startswith(
            ("MASTER_KEYS", "SEAL_", "DATABASE_URL", "RUNNER_BASE_URL", "SMTP_", "MAIL_")
        ):
            monkeypatch.delenv(name)
    var_dir = tmp_path / "var"
    var_dir.mkdir()
    contexts = []

    def building(url, **settings):
        private, public = generate()
        environ = {
            "SECRET_KEY": SECRET_KEY,
            "SEAL_PUBLIC_KEY": public,
            "DATABASE_URL": url,
            "VAR_DIR": str(var_dir),
        } | settings
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        app = create_app(Config.from_environment(environ, "cli"), "cli")
        context = app.app_context()
        context.push()
        contexts.append(context)
        return House(app, environ, private, public)

    yield building
    for context in reversed(contexts):
        db.session.remove()
        db.engine.dispose()
        context.pop()


@pytest.fixture
def house(sqlite_url, build):
    return build(sqlite_url)
