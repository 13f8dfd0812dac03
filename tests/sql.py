"""What was said to the database, for tests of the order in which rows are taken."""

from contextlib import contextmanager

from sqlalchemy import event

from app.extensions import db


@contextmanager
def told():
    """The statements of this block, in their order."""
    said, engine = [], db.engine

    def note(_connection, _cursor, statement, *_rest):
        said.append(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)
