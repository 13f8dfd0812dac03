from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import AuditEvent, Bot, BotCompute, CashFlow, EquityPoint, Machine, Phase, Wish
from runner.protocol import FlowKind, Mode

NEW = {
    "strategy": "template:rsi_reversion",
    "symbol": "ETH/USDT:USDT",
    "name": "Ebb",
    "mode": "paper",
    "exchange": "practice",
    "starting_balance": "2500",
    "connection": "",
    "kind": "always",
    "zone": "UTC",
    "start": "y",
}


def bot_at(house, url):
    with house.app_context():
        return db.session.get(Bot, url.rstrip("/").split("/")[-1])


def new_bot(owner, desk, status=303, **changes):
    owner.get(f"{desk.home}/bots/new")
    fields = {key: value for key, value in (NEW | changes).items() if value is not None}
    return owner.post(f"{desk.home}/bots/new", status, **fields)


def test_a_bot_is_made_from_a_template_and_started(owner, desk, house):
    page = new_bot(owner, desk)
    bot = bot_at(house, owner.at)
    assert page.all("h1")[0].text == "Ebb"
    assert (bot.mode, bot.wish, bot.starting_balance) == (Mode.PAPER, Wish.FOLLOW, 2500)


def test_a_template_used_twice_makes_one_strategy(owner, desk):
    new_bot(owner, desk, name="One")
    new_bot(owner, desk, name="Two")
    page = owner.get(f"{desk.home}/strategies")
    assert page.text.count("RSI mean reversion") == 1


def test_office_hours_in_a_zone(owner, desk, house):
    new_bot(owner, desk, kind="office", zone="Europe/Berlin")
    assert bot_at(house, owner.at).schedule == {
        "zone": "Europe/Berlin",
        "sessions": [{"days": [0, 1, 2, 3, 4], "opens": "09:00:00", "closes": "17:00:00"}],
    }


def test_a_faulty_form_loses_nothing(owner, desk):
    page = new_bot(
        owner, desk, 422, name="", starting_balance="much", mode="paper", zone="Asia/Tokyo"
    )
    assert page.by_id("starting_balance").get("value") == "much"
    assert page.by_id("starting_balance").get("aria-invalid") == "true"
    assert [
        o.get("value") for o in page.by_id("zone").all("option") if "selected" in o.attributes
    ] == ["Asia/Tokyo"]
    links = {a.get("href") for a in page.by_class("error-summary")[0].all("a")}
    assert links == {"#name", "#starting_balance"}


def test_testnet_without_a_connection_is_refused_beside_the_field(owner, desk):
    page = new_bot(owner, desk, 422, mode="testnet")
    assert "testnet connection" in page.by_id("connection_error").text


def test_live_is_refused_with_its_reason(owner, desk):
    page = new_bot(owner, desk, 422, mode="live")
    assert "then ask to go live" in page.by_class("error-summary")[0].text


def test_a_row_is_added_without_script(owner, desk):
    page = new_bot(owner, desk, 200, kind="custom", add_session="yes")
    assert page.by_id("sessions-2-opens") is not None
    assert page.by_id("name").get("value") == "Ebb"


def test_starting_and_stopping_by_plain_forms(owner, desk, house):
    owner.get(desk.resting)
    owner.post(f"{desk.resting}/start")
    assert bot_at(house, desk.resting).wish is Wish.FOLLOW
    owner.post(f"{desk.resting}/stop")
    assert bot_at(house, desk.resting).wish is Wish.REST


def test_a_verb_by_htmx_answers_with_the_panel_and_a_toast(owner, desk):
    owner.get(desk.resting)
    piece = owner.fragment(f"{desk.resting}/start", wanted="yes")
    assert piece.by_id("toasts").get("hx-swap-oob") == "true"
    panel = next(node for node in piece.all("section") if node.get("aria-label") == "State")
    assert panel.get("hx-trigger") == "every 2s"
    assert "bot-changed" in owner.response.headers["HX-Trigger"]


def test_starting_twice_writes_one_event(owner, desk, house):
    owner.get(desk.resting)
    for _ in range(2):
        owner.post(f"{desk.resting}/start")
    with house.app_context():
        query = select(AuditEvent).where(AuditEvent.action == "bot.start")
        found = db.session.scalars(query.where(AuditEvent.target_id == desk.resting[-30:])).all()
        assert len(found) == 1


def test_a_bot_whose_machine_went_without_proof_can_be_flattened(owner, desk, house):
    with house.app_context():
        gone = update(Machine).where(Machine.bot_id == desk.bot.rpartition("/")[2])
        db.session.execute(gone.values(gone_at=datetime.now(UTC), proven_flat=False))
        db.session.commit()
        db.session.remove()
    page = owner.get(desk.bot)
    assert f"{desk.bot}/flatten" in [form.get("action") for form in page.all("form")]
    page = owner.post(f"{desk.bot}/flatten")
    assert "was told to close its position" in page.text


def test_the_page_says_how_a_bot_hears_of_its_venue(owner, desk, house):
    said = {"hears_by": "requests", "hears_why": "the venue refuses <streams>"}
    with house.app_context():
        known = update(Machine).where(Machine.bot_id == desk.bot.rpartition("/")[2])
        db.session.execute(known.values(health=said))
        db.session.commit()
        db.session.remove()
    page = owner.get(desk.bot)
    assert "requests alone: the venue refuses <streams>" in page.text


def test_flattening_an_asleep_bot_is_a_conflict_said_aloud(owner, desk):
    owner.get(desk.resting)
    page = owner.post(f"{desk.resting}/flatten", 409)
    assert "nothing to flatten" in page.text
    owner.get(desk.resting)
    piece = owner.fragment(f"{desk.resting}/flatten", 409, wanted="yes")
    assert "nothing to flatten" in piece.text
    assert owner.response.headers["HX-Reswap"] == "none"


def test_a_poll_that_brings_nothing_new_is_204(owner, desk):
    owner.get(desk.resting)
    owner.post(f"{desk.resting}/start")
    first = owner.fragment(f"{desk.resting}/state")
    panel = next(node for node in first.all("section") if node.get("aria-label") == "State")
    owner.fragment(panel.get("hx-get"), 204)


def test_a_stopped_bot_stops_the_polling(owner, desk, house):
    with house.app_context():
        from app.models import BotCompute, Phase

        db.session.get(BotCompute, desk.resting.split("/")[-1]).phase = Phase.ASLEEP
        db.session.commit()
    piece = owner.fragment(f"{desk.resting}/state", 286)
    assert "stopped" in piece.text
    assert not [node for node in piece.walk() if "every" in (node.get("hx-trigger") or "")]


def test_the_page_tells_the_whole_session(owner, story):
    page = owner.get(story.bot)
    words = page.text
    assert words.count(story.ip) >= 3
    assert "Preflight passed" in words
    assert len(page.by_id("trades").all("tbody")[0].all("tr")) == 3
    assert len(page.by_class("decision")) == 8
    assert page.by_class("decision")[0].by_class("verdicts")


def test_the_series_has_candles_markers_and_equity(owner, story):
    data = owner.client.get(f"{story.bot}/series").get_json()
    assert len(data["candles"]) == 120
    assert [mark["opens"] for mark in data["markers"]].count(True) == 3
    assert [mark["opens"] for mark in data["markers"]].count(False) == 2
    assert data["equity"]
    assert data["decimals"] == 1
    again = owner.client.get(f"{story.bot}/series?v={data['version']}")
    assert again.status_code == 204


def test_a_deposit_is_named_and_taken_out_of_the_line(owner, story, house):
    def ends():
        drawn = owner.client.get(f"{story.bot}/series").get_json()["equity"]
        return drawn[0]["value"], drawn[-1]["value"]

    assert "Money beside trades" not in owner.get(story.bot).text
    first, last = ends()
    with house.app_context():
        newest = db.session.scalars(
            select(EquityPoint)
            .where(EquityPoint.bot_id == story.bot.split("/")[-1])
            .order_by(EquityPoint.at.desc())
        ).first()
        own = {name: getattr(newest, name) for name in ("workspace_id", "bot_id", "run_id", "at")}
        for kind, amount in ((FlowKind.DEPOSIT, 500), (FlowKind.FUNDING, -3)):
            flow = CashFlow(**own, flow_id=kind, kind=kind, amount=Decimal(amount), currency="USDT")
            db.session.add(flow)
        db.session.commit()
    assert ends() == (first, last - 500)
    words = owner.get(story.bot).text
    assert "deposit +500.00 USDT" in words
    assert "funding −3.00 USDT" in words


def test_older_decisions_are_a_page_away(owner, story):
    page = owner.get(f"{story.bot}/decisions")
    assert len(page.by_class("decision")) == 40
    owner.get(f"{story.bot}/decisions?before=nonsense")


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "1e99"]
)
def test_a_moment_that_is_none_in_utc_shows_the_newest(owner, story, moment):
    page = owner.get(f"{story.bot}/decisions", query_string={"before": moment})
    assert len(page.by_class("decision")) == 40


@pytest.mark.parametrize("balance", ["0", "-5", "9", "1e-400000"])
def test_a_balance_too_small_is_refused_beside_the_field(owner, desk, balance):
    page = new_bot(owner, desk, 422, starting_balance=balance)
    assert "Start with 10 to" in page.by_id("starting_balance_error").text


def test_control_characters_are_refused_beside_the_field(owner, desk):
    page = new_bot(owner, desk, 422, name="a\0b", **{"sessions-0-opens": "09\x1b:00"})
    assert "control character" in page.by_id("name_error").text
    assert "control character" in page.by_id("sessions-0-opens_error").text


def test_control_characters_name_no_page(owner, desk):
    owner.get(f"{desk.home}/bots/a%00b", 404)
    owner.get(f"{desk.bot}/series?symbol=a%00b", 404)


def blocked(house, desk, **values):
    with house.app_context():
        compute = db.session.get(BotCompute, desk.resting.rpartition("/")[2])
        for name, value in values.items():
            setattr(compute, name, value)
        db.session.commit()
        db.session.remove()


REFUSED = {
    "phase": Phase.BLOCKED,
    "problem": "Quota 'IN_USE_ADDRESSES' exceeded. Limit: 8.0",
    "cause": "quota",
}


def test_a_blocked_bot_says_why_and_what_to_do_and_tries_again(owner, house, desk):
    blocked(house, desk, retry_at=datetime.now(UTC) + timedelta(minutes=9), **REFUSED)
    page = owner.get(desk.resting)
    (said,) = page.by_class("trouble")
    assert "The cloud says: Quota 'IN_USE_ADDRESSES' exceeded" in said.text
    assert "Only the operator can have it raised" in said.text
    owner.post(f"{desk.resting}/retry")
    assert "tries again now" in owner.page.text
    assert "had Moon tried again" in owner.page.text
    assert not [it for it in owner.page.all("button") if it.text == "Retry now"]
    owner.post(f"{desk.resting}/retry", 409)


@pytest.mark.parametrize("cause", ["bound", "operator"])
def test_what_we_say_ourselves_is_not_put_into_the_cloud_s_mouth(viewer, house, desk, cause):
    blocked(house, desk, **(REFUSED | {"problem": "No room at present.", "cause": cause}))
    (said,) = viewer.get(desk.resting).by_class("trouble")
    assert "No room at present." in said.text
    assert "The cloud says" not in said.text


def test_who_may_not_start_a_bot_may_not_retry_it(viewer, house, desk):
    blocked(house, desk, retry_at=datetime.now(UTC) + timedelta(minutes=9), **REFUSED)
    page = viewer.get(desk.resting)
    assert page.by_class("trouble")
    assert not [it for it in page.all("button") if it.text == "Retry now"]
    viewer.post(f"{desk.resting}/retry", 403)
