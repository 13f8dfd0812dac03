"""``python -m app.supervisor.prepare [--demo]``: bring the database up to this release."""

from __future__ import annotations

import sys

import flask_migrate
from flask.cli import ScriptInfo

from app import create_app


def main(arguments: list[str]) -> int:
    """Migrate, and plant the demo if asked; one process, since starting one costs a second."""
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade()
        if "--demo" in arguments:
            script = ScriptInfo(create_app=lambda: app)
            app.cli.main(args=["seed-demo"], obj=script, standalone_mode=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
