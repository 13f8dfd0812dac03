"""What is served: hashed urls, the right order, and vendored files as they were published."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from app.web import assets, security

STATIC = Path("static")


def test_every_sheet_is_in_the_order_once_and_in_its_layer():
    files = {f"css/{path.name}" for path in (STATIC / "css").glob("*.css")}
    assert files == set(assets.STYLES)
    assert len(assets.STYLES) == len(files)
    for name in assets.STYLES[1:]:
        assert "@layer" in (STATIC / name).read_text()


def test_the_sheets_stay_small():
    whole = b"".join((STATIC / name).read_bytes() for name in assets.STYLES)
    assert len(gzip.compress(whole, 9)) < 16_000


@pytest.mark.parametrize("name", ["app.js", "desk.js"])
def test_own_scripts_stay_small(name):
    assert len((STATIC / "js" / name).read_text().splitlines()) <= 150


def test_vendored_files_are_what_they_say():
    listed = re.findall(
        r"`([\w./-]+)` \|.*`([0-9a-f]{64})`", (STATIC / "vendor/README.md").read_text()
    )
    assert len(listed) == 3
    for name, digest in listed:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_the_chart_library_still_writes_the_style_that_the_policy_allows():
    (library,) = (STATIC / "vendor").glob("lightweight-charts-*.js")
    assert security.CHART_LOGO_STYLE in library.read_text()


def test_a_hashed_address_is_kept_for_ever(pages):
    page = pages.get("/login")
    sheets = [link.get("href") for link in page.all("link") if link.get("rel") == "stylesheet"]
    scripts = [node.get("src") for node in page.all("script")]
    assert len(sheets) == 1
    for address in (*sheets, *scripts):
        answer = pages.client.get(address)
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        stale = pages.client.get(address.split("?")[0] + "?v=000000000000")
        assert stale.headers["Cache-Control"] == "no-cache"


def test_the_one_sheet_holds_all_in_order(pages):
    sheet = pages.client.get(assets.SHEET).text
    parts = [(STATIC / name).read_text() for name in assets.STYLES]
    assert sheet == "\n".join(parts)
