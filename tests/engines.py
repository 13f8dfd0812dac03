"""Engines that share what they know: each test has an application, and SQL is compiled once.

An engine keeps the SQL it has compiled, and so do the mappers, by its dialect. The application
makes one engine per process and compiles each statement once; tests make thousands of engines,
and compiling again for each would be most of their work.
"""

from app.extensions import db

_known = {}


def _kind(engine):
    """Engines that differ in no more than the database and its place speak alike."""
    query = {name: value for name, value in engine.url.query.items() if name != "host"}
    return engine.url.drivername, engine.url.username, tuple(sorted(query.items()))


def share_what_is_compiled():
    make = db._make_engine

    def sharing(*arguments):
        engine = make(*arguments)
        dialect, compiled = _known.setdefault(_kind(engine), (engine.dialect, {}))
        if dialect is not engine.dialect and dialect.server_version_info is None:
            # The first one never met its database.
            dialect, compiled = _known[_kind(engine)] = engine.dialect, {}
        engine.dialect = dialect
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    db._make_engine = sharing
