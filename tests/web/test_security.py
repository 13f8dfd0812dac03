from pathlib import Path

import pytest

from app.config import Config
from tests.factories import TEMPO


def test_every_answer_carries_the_policy(pages):
    for path in ("/login", "/nowhere", "/healthz"):
        headers = pages.client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_policy_of_transport_stands_on_https_only(pages):
    assert "Strict-Transport-Security" not in pages.client.get("/login").headers
    secure = pages.client.get("/login", base_url="https://localhost")
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]


def test_a_strange_host_is_refused(pages):
    assert pages.client.get("/login", base_url="http://evil.example").status_code == 400


def test_fragments_and_pages_are_kept_apart_by_caches(owner, desk):
    answer = owner.client.get(f"{desk.bot}/state", headers={"HX-Request": "true"})
    assert answer.headers["Vary"] == "HX-Request, Cookie"


def test_the_cookie_is_bound_to_this_host_over_https():
    flask = Config(
        role="web",
        var_dir=Path("var"),
        database_url="sqlite://",
        redis_url="",
        tempo=TEMPO,
        base_url="https://plutarc.example",
    ).for_flask()
    assert flask["SESSION_COOKIE_NAME"] == "__Host-plutarc"
    assert flask["SESSION_COOKIE_SECURE"]
    assert flask["SESSION_COOKIE_HTTPONLY"]
    assert flask["SESSION_COOKIE_SAMESITE"] == "Lax"


def test_every_refusal_forbids_frames_too(owner, desk):
    for path, status in (("/nowhere", 404), (f"{desk.home}/bots/bot_x", 404), ("/reset/x", 410)):
        answer = owner.client.get(path)
        assert answer.status_code == status
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("broken", ["http://[bad", "http://[::1", "https://a]b/"])
def test_a_broken_address_in_a_header_is_one_of_another_site(pages, desk, broken):
    def read(page):
        asked = {"HX-Request": "true", "Referer": page}
        return pages.client.get(f"{desk.home}/bots", headers=asked).status_code

    def send(site):
        return pages.client.post("/login", headers={"Origin": site}).status_code

    assert read(broken) == read("https://evil.example/") == 401
    assert send(broken) == send("https://evil.example") == 400
