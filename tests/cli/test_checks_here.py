"""What `doctor` says of settings that are sound, and yet not what somebody may have meant."""

from datetime import UTC, datetime
from types import SimpleNamespace

from app.cli import checks_here
from app.cli.finding import Level, Look
from tests import golive


def settings(**endpoints):
    config = SimpleNamespace(
        secret_key="s",
        seal_public_key="p",
        host="127.0.0.1",
        trusted_hosts=("127.0.0.1",),
        base_url="http://127.0.0.1:8899",
        exchange_endpoints=endpoints,
    )
    return checks_here.settings(Look(config, datetime.now(UTC)))


def test_an_endpoint_that_live_bots_are_not_given_is_named(monkeypatch):
    assert settings(practice="http://127.0.0.1:1", gone="http://127.0.0.1:2").level is Level.OK
    golive.open_live(monkeypatch)
    found = settings(practice="http://127.0.0.1:1")
    assert found.level is Level.WARN
    assert "practice" in found.what
    assert settings().level is Level.OK
