"""What differs between the roles of the application."""

import pytest
from flask import request

from app import create_app
from app.config import Config
from app.gateways.vault import generate

PRIVATE, PUBLIC = generate()


@pytest.mark.parametrize(("role", "seen"), [("web", "192.0.2.9"), ("gate", "127.0.0.1")])
def test_only_the_web_believes_a_proxy_about_the_address(role, seen, tmp_path):
    environ = {
        "VAR_DIR": str(tmp_path),
        "SECRET_KEY": "0123456789abcdef" * 3,
        "SEAL_PUBLIC_KEY": PUBLIC,
        "PROXY_HOPS": "1",
    }
    if role == "gate":
        environ["MASTER_KEYS"] = PRIVATE
    app = create_app(Config.from_environment(environ, role), role)
    with app.test_client() as client:
        client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.9"})
        assert request.remote_addr == seen
