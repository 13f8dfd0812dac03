"""Commands for the operator: ``flask --app wsgi NAME``."""

from flask import Flask

from app.cli import audit, backup, doctor, drill, move, people, permissions, rotation, telegram

COMMANDS = (
    audit.audit,
    backup.backup,
    doctor.doctor,
    drill.gce_drill,
    move.move_database,
    people.create_operator,
    people.make_owner,
    people.resume_user,
    people.seed_demo,
    people.suspend_user,
    permissions.permissions,
    rotation.rotate_keys,
    telegram.telegram_webhook,
)


def register(app: Flask) -> None:
    """Attach the commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
