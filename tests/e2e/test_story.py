"""The whole story through HTTP alone: sign-up, bot, trade, sleep, wake at the same address."""

import re
from datetime import UTC, datetime, timedelta

from tests.e2e.visitor import Visitor
from tests.waiting import until

EVERY_DAY = list(range(7))


def at(moment):
    return moment.strftime("%H:%M:%S")


def test_from_sign_up_to_waking_at_the_same_address(installation):
    visitor = Visitor(installation.base)
    visitor.open("/signup").submit(
        "/signup", name="Ada", email="ada@example.com", password="seven quiet harbours"
    )
    home = visitor.url
    assert "No bot yet" in visitor.text

    # A bot from a template, stopped; its strategy quickened; then started.
    visitor.open(f"{home}bots/new").submit(
        "/bots/new", name="Tide", strategy="template:fast_ema_demo", start=None
    )
    bot = visitor.url
    quicken(visitor, home)
    visitor.open(f"{bot}/edit")
    versions = [o.get("value") for o in visitor.page.by_id("version").all("option")]
    visitor.submit("/edit", version=versions[0])
    visitor.open(bot).submit("/start")

    until("a closed trade", lambda: re.search(r"[1-9]\d* closed trade", visit(visitor, bot)))
    address = re.search(r"127\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+", visitor.text)[0]
    assert "ema cross" in visit(visitor, f"{bot}/decisions")
    idle = "no signal reached the threshold|no exit fired"
    until("why nothing was done", lambda: re.search(idle, visit(visitor, f"{bot}/decisions")))

    # The session ends now; the next one opens in half a day.
    now = datetime.now(UTC)
    trades_from(visitor, bot, now + timedelta(hours=12), now + timedelta(seconds=1))
    until("finishing", lambda: re.search("finishing|asleep", visit(visitor, bot)))
    if visitor.offers("/flatten"):
        visitor.submit("/flatten")
    until("asleep", lambda: re.search("(?<!falling )asleep", visit(visitor, bot)))
    assert installation.machines() == {}
    assert address in visitor.text

    # Asleep and flat: to testnet, without touching the strategy.
    visitor.open(f"{home}connections").submit("/connections/practice")
    visitor.open(f"{bot}/mode")
    account = visitor.page.by_id("connection").all("option")[-1].get("value")
    visitor.submit("/mode", mode="testnet", connection=account)
    assert "TESTNET" in visitor.text.upper()

    now = datetime.now(UTC)
    trades_from(visitor, bot, now + timedelta(seconds=15), now - timedelta(hours=1))
    until("awake again", lambda: "awake" in visit(visitor, bot))
    (machine,) = installation.machines()
    assert machine.endswith("-g2")
    assert address in visitor.text
    until("testnet calls", lambda: [c for c in installation.callers() if c["account"]])
    assert {caller["address"] for caller in installation.callers()} == {address}
    until("a testnet trade", lambda: re.search(r"[1-9]\d* closed trade", visit(visitor, bot)))

    told = "".join(visit(visitor, f"{bot}/history").split())
    for line in ("reserved", "a machine runs at it", "seen by the platform", "seen by the venue"):
        assert f"{address}{line}".replace(" ", "") in told
    visitor.open(f"{home}audit")
    for action in ("create", "start", "schedule", "mode", "sleep", "wake"):
        assert f"bot {action}" in visitor.text


def visit(visitor, path):
    return visitor.open(path).text


def trades_from(visitor, bot, opens, closes):
    """Let it trade between two times of every day, here for hours."""
    hours = {"sessions-0-opens": at(opens), "sessions-0-closes": at(closes)}
    days = {"sessions-0-days": EVERY_DAY}
    visitor.open(f"{bot}/schedule").submit("/schedule", kind="custom", zone="UTC", **days, **hours)


def quicken(visitor, home):
    """Publish a version that trades every few seconds."""
    visitor.open(f"{home}strategies")
    links = [a.get("href") for a in visitor.page.by_id("main").all("a")]
    strategy = next(link for link in links if "/strategies/str_" in link)
    values = {"signals-0-fast": 2, "signals-0-slow": 4, "exits-2-candles": 4}
    visitor.open(f"{strategy}/edit").submit("/edit", **values)
