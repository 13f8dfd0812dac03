"""`flask --app wsgi` as an operator types it, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.cli import cli

from app.config import Config, SettingsError, read_master_keys
from app.gateways.vault import generate
from tests.cli.conftest import SECRET_KEY
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PRIVATE, PUBLIC = generate()


def flask(*args, **environ):
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *args],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_master_keys_may_be_in_its_environment(sqlite_url, tmp_path):
    done = flask(
        "rotate-keys",
        SECRET_KEY=SECRET_KEY,
        SEAL_PUBLIC_KEY=PUBLIC,
        MASTER_KEYS=PRIVATE,
        DATABASE_URL=sqlite_url,
        VAR_DIR=str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0 of 0 connections sealed anew")


def test_wrong_settings_are_told_without_a_traceback(tmp_path, monkeypatch):
    for name in ("SECRET_KEY", "SEAL_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")  # as flask sets it; taken back afterwards
    environ = {"VAR_DIR": str(tmp_path), "PORT": "x"}
    refused = CliRunner().invoke(cli, ["--app", "wsgi", "permissions"], env=environ)
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    told = refused.stderr.splitlines()
    assert [line.removeprefix("Error: ").split()[0] for line in told] == ["PORT"]


def test_what_looks_at_no_installation_needs_none(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("no export\n")
    refused = flask("audit", "verify", str(log), VAR_DIR=str(tmp_path / "none"))
    assert "This is no audit log" in refused.stderr
    told = flask("permissions", "--json", VAR_DIR=str(tmp_path / "none"))
    assert (told.returncode, told.stderr) == (0, "")
    assert len(json.loads(told.stdout)["permissions"]) == 34


def test_no_command_holds_master_keys_that_it_did_not_ask_for(tmp_path):
    environ = {"SECRET_KEY": SECRET_KEY, "SEAL_PUBLIC_KEY": PUBLIC, "MASTER_KEYS": PRIVATE}
    assert Config.from_environment(environ, "cli").master_keys == ()
    assert read_master_keys(environ) == (PRIVATE,)
    file = tmp_path / "keys"
    file.write_text(f"{PRIVATE}, {generate()[0]}\n")
    assert len(read_master_keys({"MASTER_KEYS_FILE": str(file)})) == 2


@pytest.mark.parametrize("environ", [{"VAR_DIR": "/nowhere"}, {"MASTER_KEYS": "hunter2"}])
def test_master_keys_that_are_none(environ):
    with pytest.raises(SettingsError) as caught:
        read_master_keys(environ)
    assert "hunter2" not in str(caught.value)
