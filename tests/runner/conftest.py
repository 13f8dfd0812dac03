"""One practice market and one bundle per test process."""

import os

import pytest

from tests.runner.machine import Practice, bundle


@pytest.fixture(scope="session")
def practice(tmp_path_factory):
    with Practice(tmp_path_factory.mktemp("practice")) as market:
        yield market


@pytest.fixture(scope="session")
def pyz(tmp_path_factory):
    # Parallel test processes share one: the build is cached and its files appear whole.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return bundle(shared / "bundle")["path"]
