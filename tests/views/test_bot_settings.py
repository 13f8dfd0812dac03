import re

from app.domain import limits
from app.extensions import db
from app.models import Bot, Wish
from runner.protocol import Limits, Mode, OnBreach, from_plain


def bot_at(house, url):
    with house.app_context():
        return db.session.get(Bot, url.split("/")[-1])


def edit(owner, desk, status=303, **changes):
    owner.get(f"{desk.resting}/edit")
    fields = {"name": "Moon", "version": desk.version, "symbols": "BTC/USDT:USDT"}
    return owner.post(f"{desk.resting}/edit", status, **(fields | changes))


def test_name_and_limits_change(owner, desk, house):
    edit(
        owner,
        desk,
        name="New moon",
        max_daily_loss="250",
        symbols=["BTC/USDT:USDT", "ETH/USDT:USDT"],
    )
    bot = bot_at(house, desk.resting)
    assert bot.name == "New moon"
    assert bot.limits["max_daily_loss"] == "250"
    assert bot.symbols == ["BTC/USDT:USDT", "ETH/USDT:USDT"]


def test_every_limit_is_on_the_page_and_kept_as_typed(owner, desk, house):
    numbers = {name: str(n) for n, name in enumerate(limits.NUMBERS, 3)}
    chosen = {"allowed_symbols": ["ETH/USDT:USDT"], "on_breach": "stop"}
    edit(owner, desk, **numbers, **chosen)
    kept = from_plain(Limits, bot_at(house, desk.resting).limits)
    assert {name: str(getattr(kept, name)) for name in numbers} == numbers
    assert kept.allowed_symbols == ("ETH/USDT:USDT",)
    assert kept.on_breach is OnBreach.STOP
    page = owner.get(f"{desk.resting}/edit")
    assert {name: page.by_id(name).get("value") for name in numbers} == numbers
    ticked = [it.get("value") for it in page.all("input") if "checked" in it.attributes]
    assert {"ETH/USDT:USDT", "stop"} <= set(ticked)


def test_a_limit_that_is_none_stands_beside_its_field(owner, desk, house):
    page = edit(owner, desk, 422, name="Other", max_daily_loss="-3")
    assert "above zero" in page.by_id("max_daily_loss_error").text
    assert page.by_id("max_daily_loss").get("value") == "-3"
    assert bot_at(house, desk.resting).name == "Moon"


def test_a_bot_in_a_position_keeps_its_symbols(owner, desk):
    owner.get(f"{desk.bot}/edit")
    fields = {"name": "Tide", "version": desk.version, "symbols": "ETH/USDT:USDT"}
    page = owner.post(f"{desk.bot}/edit", 422, **fields)
    assert "without position" in page.by_class("error-summary")[0].text


def test_sessions_are_saved_as_typed(owner, desk, house):
    owner.get(f"{desk.resting}/schedule")
    rows = {
        "sessions-0-days": ["0", "4"],
        "sessions-0-opens": "08:30",
        "sessions-0-closes": "12:00:30",
        "sessions-1-days": ["6"],
        "sessions-1-opens": "22:00",
        "sessions-1-closes": "02:00",
    }
    owner.post(f"{desk.resting}/schedule", kind="custom", zone="America/New_York", **rows)
    stored = bot_at(house, desk.resting).schedule
    assert stored["zone"] == "America/New_York"
    assert [(s["days"], s["opens"], s["closes"]) for s in stored["sessions"]] == [
        ([0, 4], "08:30:00", "12:00:30"),
        ([6], "22:00:00", "02:00:00"),
    ]
    page = owner.get(f"{desk.resting}/schedule")
    assert page.by_id("sessions-0-closes").get("value") == "12:00:30"
    assert page.by_id("sessions-2-opens").get("value") == ""


def test_a_wrong_time_stands_beside_its_row(owner, desk):
    owner.get(f"{desk.resting}/schedule")
    rows = {"sessions-0-days": ["0"], "sessions-0-opens": "25:00", "sessions-0-closes": "9"}
    page = owner.post(f"{desk.resting}/schedule", 422, kind="custom", zone="UTC", **rows)
    assert page.by_id("sessions-0-opens").get("aria-invalid") == "true"
    assert page.by_id("sessions-0-opens").get("value") == "25:00"
    assert page.by_class("error-summary")[0].all("a")[0].get("href") == "#sessions-0-opens"


def test_own_sessions_need_at_least_one(owner, desk):
    owner.get(f"{desk.resting}/schedule")
    page = owner.post(f"{desk.resting}/schedule", 422, kind="custom", zone="UTC")
    assert "at least one session" in page.text


def test_paper_to_testnet_and_back(owner, desk, house):
    owner.get(f"{desk.home}/connections")
    owner.post(f"{desk.home}/connections/practice")
    page = owner.get(f"{desk.resting}/mode")
    options = [o.get("value") for o in page.by_id("connection").all("option")]
    owner.post(f"{desk.resting}/mode", mode="testnet", connection=options[1])
    assert bot_at(house, desk.resting).mode is Mode.TESTNET
    owner.get(f"{desk.resting}/mode")
    page = owner.post(f"{desk.resting}/mode", mode="paper", connection="")
    assert bot_at(house, desk.resting).mode is Mode.PAPER
    assert page.by_class("mode-paper")


def test_live_is_refused(owner, desk):
    page = owner.get(f"{desk.resting}/mode")
    (live,) = [node for node in page.all("input") if node.get("value") == "live"]
    assert "disabled" in live.attributes
    page = owner.post(f"{desk.resting}/mode", 422, mode="live", connection="")
    assert "Going live is asked for" in page.by_class("error-summary")[0].text


def test_another_workspace_lends_no_connection(owner, desk, house):
    from tests import factories

    with house.app_context():
        foreign = factories.organisation()
        from app import current

        theirs = factories.connection(foreign, current.sealer()).id
        db.session.commit()
    owner.get(f"{desk.resting}/mode")
    page = owner.post(f"{desk.resting}/mode", 422, mode="testnet", connection=theirs)
    assert re.search("valid choice|testnet connection", page.text)


def test_deleting_needs_the_typed_name(owner, desk, house):
    owner.get(f"{desk.resting}/delete")
    page = owner.post(f"{desk.resting}/delete", 422, name="moon")
    assert "exactly as it stands" in page.by_id("name_error").text
    owner.post(f"{desk.resting}/delete", name="Moon")
    assert bot_at(house, desk.resting).wish is Wish.GONE
