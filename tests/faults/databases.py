"""The two databases of the stages: emptied, kept for later and put back, cut off."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from tests.conftest import empty
from tests.services import plain


class Sqlite:
    """A file of its own; nobody has it open while it is exchanged."""

    def __init__(self, template, place):
        self._template, self._path, self._kept = template, place / "plutarc.db", place / "kept.db"
        self.url = f"sqlite:///{self._path}"

    def empty(self):
        self._copy(self._template)

    def keep(self):
        here, there = (closing(sqlite3.connect(path)) for path in (self._path, self._kept))
        with here as source, there as copy:
            source.backup(copy)

    def put_back(self):
        self._copy(self._kept)

    def cut(self):
        """It lives in the processes that use it: there is nothing to be cut off from."""
        return False

    def _copy(self, source):
        for tail in ("-wal", "-shm"):
            Path(f"{self._path}{tail}").unlink(missing_ok=True)
        shutil.copy(source, self._path)


class Postgres:
    """A database of the server that all tests of this process share, as the guide has it."""

    def __init__(self, server, template):
        self._server = server
        server.execute(f"CREATE DATABASE faults TEMPLATE {template}")
        self._as_superuser = server.url("faults")
        self.url = self._as_superuser.replace("app@", "plutarc@")

    def empty(self):
        empty(self._as_superuser)

    def keep(self):
        self._server.execute("DROP DATABASE IF EXISTS faults_kept")
        self._server.execute("CREATE DATABASE faults_kept TEMPLATE faults")

    def put_back(self):
        self._server.execute("DROP DATABASE faults")
        self._server.execute("CREATE DATABASE faults TEMPLATE faults_kept")

    def cut(self):
        """Every connection ends, as it does when the server is started anew."""
        with psycopg.connect(plain(self._as_superuser), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'faults' AND pid <> pg_backend_pid()"
            )
        return True
