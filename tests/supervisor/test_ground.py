import json
import socket
import stat

import pytest

from app.config import Config
from app.gateways.compute import locks
from app.gateways.vault import public_key_of
from app.supervisor import ground
from app.supervisor.__main__ import main
from app.supervisor.house import draw
from tests.services import free_port

SYSTEM = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def var_dir(tmp_path):
    directory = tmp_path / "var"
    directory.mkdir()
    return directory


@pytest.fixture(autouse=True)
def _ports_of_its_own(monkeypatch):
    """Other test processes look for ports too; each begins somewhere else."""
    usual = {name: free_port() for name in ground.DEFAULT_PORTS}
    monkeypatch.setattr(ground, "DEFAULT_PORTS", usual)


def test_ports_are_remembered(var_dir):
    first = ground.choose_ports(var_dir, None)
    assert ground.choose_ports(var_dir, None) == first
    assert len(set(first.values())) == 3


def test_a_port_that_is_taken_is_passed_over(var_dir):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        chosen = ground.choose_ports(var_dir, taken)
    assert chosen["web"] > taken


def test_each_moved_server_is_said_aloud(var_dir):
    for name, usual in ground.DEFAULT_PORTS.items():
        with socket.create_server(("127.0.0.1", usual)):
            house = draw(SYSTEM, var_dir)
        (line,) = (line for line in house.moved if ground.TITLES[name] in line)
        assert str(usual) in line
        (var_dir / "ports.json").unlink()


def test_servers_at_their_usual_ports_say_nothing():
    assert ground.moved(ground.DEFAULT_PORTS, None) == ()
    asked = ground.DEFAULT_PORTS | {"web": 81}
    assert ground.moved(asked, 81) == ()
    assert len(ground.moved(asked, 80)) == 1


def test_a_spoilt_port_book_is_no_obstacle(var_dir):
    (var_dir / "ports.json").write_text("{")
    chosen = ground.choose_ports(var_dir, None)
    assert json.loads((var_dir / "ports.json").read_text()) == chosen


def test_no_port_is_told_with_its_cure(monkeypatch, var_dir):
    monkeypatch.setattr(ground, "_is_free", lambda port: False)
    with pytest.raises(ground.CannotStart, match="set PORT"):
        ground.choose_ports(var_dir, None)


def test_secrets_are_made_once_and_belong_together(var_dir):
    first = ground.keep_secrets(var_dir, SYSTEM)
    assert ground.keep_secrets(var_dir, SYSTEM) == first
    for path in (var_dir / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    master = (var_dir / "secrets" / "MASTER_KEYS").read_text()
    assert first["SEAL_PUBLIC_KEY"] == public_key_of(master)


def test_secrets_of_the_operator_s_own_are_left_alone(var_dir):
    given = {"SECRET_KEY": "mine", "MASTER_KEYS_FILE": "/mine", "SIGNING_KEY": "mine"}
    given["INBOUND_MAIL_KEY"] = "mine"
    assert ground.keep_secrets(var_dir, given) == {}
    assert list((var_dir / "secrets").iterdir()) == []


def test_only_the_gate_is_told_of_the_master_keys(var_dir):
    house = draw(SYSTEM | {"MASTER_KEYS": ""}, var_dir)
    for program in (*house.foundations, house.gate, *house.upper):
        told = any(name.startswith("MASTER_KEYS") for name in program.environment)
        assert told == (program.name == "gate"), program.name
        assert "SECRET_KEY_FILE" not in program.environment or program.name == "web"
        assert "MASTER" not in repr(program)


def test_every_role_gets_settings_it_accepts(var_dir):
    house = draw(SYSTEM, var_dir)
    configs = {
        role: Config.from_environment(house.environment(role), role)
        for role in ("web", "gate", "worker", "ticker")
    }
    assert configs["web"].demo
    assert configs["web"].secret_key
    assert configs["web"].redis_url.startswith("unix://")
    assert configs["gate"].master_keys
    assert configs["worker"].runner_base_url == configs["gate"].runner_base_url
    assert list(configs["gate"].exchange_endpoints) == ["practice"]
    assert {program.name for program in house.upper} >= {"web", "ticker", "worker-fleet"}


def test_a_deep_checkout_has_its_socket_elsewhere(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    path = ground.socket_path(deep)
    assert len(str(path)) < 104
    path.parent.rmdir()
    assert ground.socket_path(tmp_path / "v") == tmp_path / "v" / "redis.sock"


def test_a_second_start_in_the_same_place_is_refused(var_dir, monkeypatch, capsys):
    monkeypatch.setenv("VAR_DIR", str(var_dir))
    with locks.held(var_dir / "supervisor.lock"):
        assert main([]) == 1
    assert "runs here already" in capsys.readouterr().err


def test_wrong_settings_are_told_before_anything_starts(var_dir, monkeypatch, capsys):
    monkeypatch.setenv("VAR_DIR", str(var_dir))
    monkeypatch.setenv("SIGNUP", "perhaps")
    assert main([]) == 1
    assert "SIGNUP is 'perhaps'" in capsys.readouterr().err
