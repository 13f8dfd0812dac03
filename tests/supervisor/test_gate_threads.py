"""How many threads the gate gets, by what its database can take."""

import pytest

from app.supervisor.house import gate_threads


@pytest.mark.parametrize(
    ("settings", "threads"),
    [
        ({}, "1"),
        ({"DATABASE_URL": "sqlite:///x.db", "COMPUTE_DRIVER": "local"}, "1"),
        ({"COMPUTE_DRIVER": "gce"}, "2"),
        ({"DATABASE_URL": "postgresql+psycopg://x"}, "8"),
    ],
)
def test_sqlite_s_one_writer_gets_one_thread(settings, threads):
    assert gate_threads(settings) == threads
