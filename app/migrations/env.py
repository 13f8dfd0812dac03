"""How migrations find the database: through the application that runs them."""

from alembic import context
from flask import current_app

from app import models  # noqa: F401 -- every table must be known to the metadata
from app.extensions import db


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Tables are rebuilt by copying; a foreign key must not delete what points at them.
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # The row policies bind the owner of the tables too; a migration sees every row.
                connection.exec_driver_sql("SELECT set_config('plutarc.workspace', '*', true)")
            context.run_migrations()
        connection.commit()


run()
