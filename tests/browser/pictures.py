"""Take the pictures of the documentation from a running demo: ``make pictures``.

Starts plutarc as ``make run`` does, in a folder of its own, waits until the demo has traded, and
writes ``docs/pictures/{dashboard,bot,members,audit}-{light,dark}-{1440,360}.png``.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import Error, expect, sync_playwright

from app.domain import demo
from tests import services

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
SIZES = {1440: 1000, 360: 780}
TRADES = 6
PATIENCE = 420
BOT = "Bitcoin, around the clock"


def main():
    """Start, wait, take the pictures, end what was started."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environ |= {"VAR_DIR": folder, "PORT": str(services.free_port()), "DEMO": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "app.supervisor"],
            cwd=ROOT,
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _take(_address(process))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _address(process):
    for line in process.stderr:
        found = re.search(r"plutarc is at (http://\S+)", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise RuntimeError("plutarc did not start")


def _take(base):
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=services.find_chromium(), args=list(services.BROWSER_FLAGS)
        )
        page = chromium.new_context(base_url=base, reduced_motion="reduce").new_page()
        dashboard, bot = _open(page)
        _wait_for_trades(page, bot)
        pages = {"dashboard": dashboard, "bot": bot}
        pages |= {name: f"{dashboard}{name}" for name in ("members", "audit")}
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            for width, height in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                for name, url in pages.items():
                    _shoot(page, url, PICTURES / f"{name}-{theme}-{width}.png")
        chromium.close()


def _open(page):
    """Sign in; the addresses of the dashboard and of the bot to be shown."""
    page.goto("/login")
    page.fill("#email", demo.EMAIL)
    page.fill("#password", demo.PASSWORD)
    page.click("button:has-text('Sign in')")
    page.wait_for_url("**/w/**")
    if not page.get_by_role("link", name=BOT).count():
        page.locator(".switcher > summary").click()
        page.locator(".switcher-list button", has_text="Harbour Desk").click()
    dashboard = page.url
    return dashboard, page.get_by_role("link", name=BOT).first.get_attribute("href")


def _wait_for_trades(page, bot):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(Error):  # a busy web may be replaced while we wait
            page.goto(f"{bot}/orders")
            if page.locator("#trades tbody tr").count() >= TRADES:
                return
        time.sleep(5)
    raise RuntimeError(f"{BOT} closed fewer than {TRADES} trades in {PATIENCE} s")


def _shoot(page, url, path):
    page.goto(url)
    expect(page.locator("[data-series-url]:not([data-drawn])")).to_have_count(0)
    page.wait_for_timeout(400)
    page.screenshot(path=path, animations="disabled")


if __name__ == "__main__":
    main()
