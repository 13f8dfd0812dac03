"""Parity on the practice market through HTTP alone: a real bot, a real worker, a real backtest."""

import re

from tests.e2e.test_story import quicken, visit
from tests.e2e.visitor import Visitor
from tests.waiting import until

ALL_EQUAL = re.compile(r"Of ([\d,]+) candles \1 are equal")


def test_what_a_bot_decided_on_paper_its_backtest_decides_as_well(installation):
    visitor = Visitor(installation.base)
    visitor.open("/signup").submit(
        "/signup", name="Ada", email="ada@example.com", password="seven quiet harbours"
    )
    home = visitor.url
    visitor.open(f"{home}bots/new").submit(
        "/bots/new", name="Tide", strategy="template:fast_ema_demo", start=None
    )
    bot = visitor.url
    quicken(visitor, home)
    visitor.open(f"{bot}/edit")
    versions = [o.get("value") for o in visitor.page.by_id("version").all("option")]
    visitor.submit("/edit", version=versions[0])
    assert "Your first paper position" in visit(visitor, bot)
    visitor.submit("/start")
    until("a closed trade", lambda: re.search(r"[1-9]\d* closed trade", visit(visitor, bot)))

    # The guide, on whatever trade there is now.
    until("the guide goes on", lambda: "step 2 of 3" in visit(visitor, bot))
    visitor.submit("/guide/opened")
    until("the trade has closed", lambda: "step 3 of 3" in visit(visitor, bot))
    visitor.submit("/guide/closed")
    assert "Guide, step" not in visit(visitor, bot)

    visitor.open(f"{bot}/readiness").submit("/readiness")
    until("the answer", lambda: "Made of" in visit(visitor, f"{bot}/readiness"))
    assert ALL_EQUAL.search(visitor.text), visitor.text
    assert re.search(r"[1-9]\d* matched trade", visitor.text)
    assert "the true win rate may be anywhere between" in visitor.text
    asked = visit(visitor, f"{bot}/live")
    assert ALL_EQUAL.search(asked)
    assert "You followed a paper position from entry to result" in asked
