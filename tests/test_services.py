import os
import select
import shutil
import socket
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from redis import Redis

from app.models import Leadership
from tests import services


def test_valkey_is_real_and_empty(redis_url):
    with Redis.from_url(redis_url) as client:
        assert client.info()["server_name"] == "valkey"
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_valkey_is_empty_again(redis_url):
    with Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_both_databases_are_real_and_migrated(engine_url):
    engine = sa.create_engine(engine_url)
    tables = sa.inspect(engine).get_table_names()
    with engine.begin() as connection:
        users = connection.execute(
            sa.select(sa.func.count()).select_from(sa.table("user"))
        ).scalar_one()
    engine.dispose()
    assert "alembic_version" in tables
    assert users == 0


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_a_test_writes_is_gone_for_the_next(turn, postgres_url, sqlite_url):
    for url in (postgres_url, sqlite_url):
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            assert connection.execute(sa.select(Leadership.name)).all() == []
            lease = {"name": "ticker", "holder": turn, "until": datetime.now(UTC)}
            connection.execute(sa.insert(Leadership), lease)
        engine.dispose()


def test_nothing_leaves_this_machine():
    with pytest.raises(RuntimeError, match="loopback"), socket.socket() as outgoing:
        outgoing.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="look up"):
        urllib.request.urlopen("http://example.org/", timeout=1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
@pytest.mark.parametrize("kind", ["Valkey", "Postgres"])
def test_services_end_with_a_killed_test_process(kind):
    script = f"from tests import services; s = services.{kind}(); print(s.process.pid, s.dir)"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{script}\nimport sys; sys.stdout.flush(); input()"],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    with child:
        pid, directory = child.stdout.readline().split()
        watched = os.pidfd_open(int(pid))
        child.kill()
    try:
        ended, _, _ = select.select([watched], [], [], 20)
        assert ended
    finally:
        os.close(watched)
        shutil.rmtree(directory)


@pytest.mark.browser
def test_the_browser_is_real(browser):
    page = browser.new_page()
    page.set_content("<title>here</title>")
    assert page.title() == "here"
    page.close()


def test_free_ports_are_not_given_twice():
    assert len({services.free_port() for _ in range(10)}) == 10


def test_free_ports_are_free():
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", services.free_port()))
