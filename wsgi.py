"""Entry point of every server: ``wsgi:create_app()``, for the gate ``create_app(role='gate')``.

``flask --app wsgi COMMAND`` comes in here too, as the operator's command line.
"""

import os

import click
from flask import Flask

import app
from app.settings import SettingsError


def create_app(role: str | None = None) -> Flask:
    """The application of ``role``: by default ``cli`` for a flask command, else ``web``."""
    # Flask sets this for every command before it looks for the application.
    commanded = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    try:
        return app.create_app(role=role or ("cli" if commanded else "web"))
    except SettingsError as error:
        if commanded:
            raise click.ClickException(str(error)) from error
        raise
