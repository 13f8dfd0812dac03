"""Going live as a page: what is missing, what was shown, the request and its answer."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app import current
from app.domain import bot_safety, revisions
from app.domain.revisions import Safety
from app.extensions import db
from app.models import Bot, TotpFactor, User, Workspace
from app.practice.keys import new_key
from runner.protocol import Mode, OnEnd
from tests import factories, golive
from tests.site import rows
from tests.views.conftest import as_person
from tests.views.test_approvals import grow_stale, request_of

LIMITS = {"max_position_notional": "500", "max_daily_loss": "50"}


def bot_of(house, desk):
    with rows(house):
        bot = db.session.get_one(Bot, desk.resting.rpartition("/")[2])
        return bot.mode, revisions.safety_of(bot), bot.live_connection_id, revisions.stands(bot)


@pytest.fixture
def open_live(monkeypatch):
    golive.open_live(monkeypatch)


@pytest.fixture
def ready(house, desk, people, open_live):
    """A bot that lacks nothing; people with second factors."""
    now = datetime.now(UTC)
    with rows(house):
        bot = db.session.get_one(Bot, desk.resting.rpartition("/")[2])
        bot.limits = dict(LIMITS)
        key = golive.key(bot.workspace, current.sealer(), now=now)
        bot_safety.prepare(bot, key, Safety(), by=factories.TESTER, now=now)
        golive.seen(bot, key, now)
        for user_id, _ in people.values():
            factor = TotpFactor(user_id=user_id, sealed=b"-", created_at=now, confirmed_at=now)
            db.session.add(factor)
        desk.key = key.id
    return desk


def send(person, desk, status=303, **values):
    person.get(f"{desk.resting}/live")
    fields = {"connection": getattr(desk, "key", ""), "on_end": "protected", "act": "ask"}
    return person.post(f"{desk.resting}/live", status, **(fields | values))


def test_where_an_exchange_has_no_live_mode_the_page_says_so_and_offers_nothing(owner, desk):
    page = owner.get(f"{desk.resting}/live")
    assert "Practice market has no live mode." in page.text
    assert not [it for it in page.all("button") if it.get("value") == "ask"]
    assert "has no live mode" in send(owner, desk, 422).by_class("error-summary")[0].text
    assert owner.get(f"{desk.resting}/mode").text.count("still needs before it can go live") == 1


def test_the_head_of_a_bot_has_four_links_and_its_mode_leads_to_going_live(owner, desk):
    page = owner.get(desk.resting)
    (head,) = page.by_class("page-header")
    words = [it.text.strip() for it in head.all("a")]
    assert not {"Going live", "Ask for help"} & set(words)
    assert {"Mode", "Schedule", "Edit"} < set(words)
    assert owner.links("Ask for help")
    owner.get(f"{desk.resting}/mode")
    assert owner.links("What Moon still needs before it can go live")


def test_what_is_missing_stands_there_with_what_to_do(owner, desk, open_live):
    page = owner.get(f"{desk.resting}/live")
    for words in (
        "Largest position and Daily loss limit not set.",
        "Set them under Edit.",
        "None is chosen.",
        "Choose a live connection below and save it.",
        "Set one up under Security in your account.",
        "Awake on 0 days on paper and 0 days on testnet.",
    ):
        assert words in page.text
    assert not [it for it in page.all("button") if it.get("value") == "ask"]


def test_what_guards_it_is_saved_and_nothing_is_live_by_that(owner, ready, house):
    values = {"disaster_stop_percent": "7.5", "on_end": "flatten", "grace_minutes": "3"}
    page = send(owner, ready, act="save", **values)
    assert "Nothing is live by that" in page.text
    mode, safety, key, _ = bot_of(house, ready)
    assert (mode, safety) == (Mode.PAPER, Safety(Decimal("7.5"), OnEnd.FLATTEN, 3))
    assert key == ready.key
    page = owner.get(f"{ready.resting}/live")
    assert "read it before you go on" in page.text
    assert "whoever approves" not in page.text
    assert page.by_id("disaster_stop_percent").get("value") == "7.5"
    assert page.by_id("grace_minutes").get("value") == "3"


@pytest.mark.parametrize(
    ("field", "value"), [("disaster_stop_percent", "80"), ("grace_minutes", "-1")]
)
def test_a_value_that_is_none_stands_beside_its_field(owner, ready, house, field, value):
    page = send(owner, ready, 422, act="save", **{field: value})
    assert page.by_id(f"{field}_error")
    assert page.by_id(field).get("value") == value
    assert bot_of(house, ready)[1] == Safety()


def test_an_owner_goes_live_alone_where_no_rule_says_otherwise(owner, ready, house):
    page = owner.get(f"{ready.resting}/live")
    assert "Nothing is missing." in page.text
    page = send(owner, ready)
    assert "Moon is in live mode." in page.text
    mode, _, _, stands = bot_of(house, ready)
    assert mode is Mode.LIVE
    assert stands
    assert "It trades real money as it was approved" in page.text


def test_going_live_alone_takes_a_fresh_confirmation(owner, ready, house):
    owner.get(f"{ready.resting}/live")
    grow_stale(house, ready.emails["owner"])
    values = {"connection": ready.key, "on_end": "protected", "act": "ask"}
    page = owner.post(f"{ready.resting}/live", 403, **values)
    assert "Confirm it is you" in page.text
    assert bot_of(house, ready)[0] is Mode.PAPER


def test_a_trader_asks_and_a_manager_approves_what_both_read(house, ready, pages):
    trader = as_person(pages, ready, "trader")
    assert send(trader, ready, 422).by_id("reason_error")
    page = send(trader, ready, reason="Three good weeks", disaster_stop_percent="9")
    assert "waits for another person" in page.text
    assert bot_of(house, ready)[0] is Mode.PAPER
    manager = as_person(pages, ready, "manager")
    page = manager.get(request_of(house, ready))
    assert "Disaster stop" in page.text
    (link,) = [it for it in page.all("a") if "what it has shown" in it.text]
    assert "What it has shown" in manager.get(link.get("href")).text
    manager.get(request_of(house, ready))
    assert "Approved, and done." in manager.post(f"{request_of(house, ready)}/approve").text
    mode, safety, _, stands = bot_of(house, ready)
    assert (mode, safety.disaster_stop_percent, stands) == (Mode.LIVE, Decimal(9), True)


@pytest.fixture
def unseen(ready, monkeypatch):
    golive.nobody_has_seen_it(monkeypatch)
    return ready


def test_where_everything_was_seen_nothing_is_asked(owner, ready):
    assert owner.get(f"{ready.resting}/live").by_id("acknowledged") is None


def test_where_nobody_has_seen_it_the_page_says_so_and_asks_for_a_tick(owner, unseen, house):
    page = owner.get(f"{unseen.resting}/live")
    assert "Nobody has seen plutarc trade with real money at Practice market yet." in page.text
    assert golive.UNSEEN in page.by_id("acknowledged_hint").text
    assert "checked" not in page.by_id("acknowledged").attributes
    page = send(owner, unseen, 422, disaster_stop_percent="9")
    assert "tick that you want it live" in page.by_id("acknowledged_error").text
    assert page.by_id("disaster_stop_percent").get("value") == "9"
    assert bot_of(house, unseen)[0] is Mode.PAPER
    assert "Moon is in live mode." in send(owner, unseen, acknowledged="y").text
    assert bot_of(house, unseen)[0] is Mode.LIVE


def test_saving_what_guards_it_takes_no_tick(owner, unseen):
    assert "Nothing is live by that" in send(owner, unseen, act="save").text


def test_who_approves_reads_what_was_acknowledged_and_the_log_keeps_it(house, unseen, pages):
    trader = as_person(pages, unseen, "trader")
    assert send(trader, unseen, 422, reason="Three good weeks").by_id("acknowledged_error")
    send(trader, unseen, reason="Three good weeks", acknowledged="y")
    manager = as_person(pages, unseen, "manager")
    page = manager.get(request_of(house, unseen))
    (told,) = page.by_class("notice-warn")
    assert "Trader has acknowledged it." in told.text
    assert golive.UNSEEN in told.text
    assert f"Acknowledged: none → {golive.UNSEEN}" in page.text
    assert "Approved, and done." in manager.post(f"{request_of(house, unseen)}/approve").text
    assert bot_of(house, unseen)[0] is Mode.LIVE
    owner = as_person(pages, unseen, "owner")
    log = owner.get(f"{unseen.home}/audit?target={unseen.resting.rpartition('/')[2]}")
    assert golive.UNSEEN in log.text


def test_a_live_bot_that_changed_says_so_and_is_approved_anew(owner, ready, house):
    send(owner, ready)
    with rows(house):
        bot = db.session.get_one(Bot, ready.resting.rpartition("/")[2])
        bot.live_connection.account_digest = "another key"
    for address in (ready.resting, f"{ready.resting}/live"):
        page = owner.get(address)
        assert "It is live, and not what was approved." in page.text
    assert not [it for it in page.all("button") if it.get("value") == "save"]
    send(owner, ready)
    assert bot_of(house, ready)[3]


def test_a_bad_key_is_told_on_both_pages_with_the_cure(owner, ready, house):
    with rows(house):
        bot = db.session.get_one(Bot, ready.resting.rpartition("/")[2])
        golive.seen(bot, bot.live_connection, datetime.now(UTC), withdrawal_right=False)
    for address in (f"{ready.resting}/live", f"{ready.home}/connections/{ready.key}"):
        assert "Take that right away at the exchange" in owner.get(address).text
    assert "Withdrawal right" in send(owner, ready, 422).by_class("error-summary")[0].text


def test_another_look_is_asked_for(owner, ready):
    owner.get(f"{ready.resting}/live")
    page = owner.post(f"{ready.resting}/live/check")
    assert "looks at the key" in page.text


def test_no_key_of_another_workspace_is_taken(owner, ready, house):
    with rows(house):
        theirs = golive.key(factories.organisation(), current.sealer()).id
    for act in ("ask", "save"):
        page = send(owner, ready, 422, act=act, connection=theirs)
        assert "one of the connections" in page.by_id("connection_error").text
    assert bot_of(house, ready)[2] == ready.key
    send(owner, ready, act="save", connection="")
    assert bot_of(house, ready)[2] is None


def test_a_live_key_made_for_a_bot_leads_to_its_page_and_is_chosen_there(owner, ready):
    new = f"{ready.home}/connections/new?bot={ready.resting.rpartition('/')[2]}"
    owner.get(new)
    key, secret = new_key()
    fields = {"exchange": "practice", "environment": "live", "label": "Second"}
    page = owner.post(new, **fields, api_key=key, secret=secret)
    assert page.all("h1")[0].text == "Going live"
    (chosen,) = [it for it in page.by_id("connection").all("option") if "selected" in it.attributes]
    assert chosen.text.startswith("Second")


def test_the_two_person_rule_makes_an_owner_ask_too(owner, ready, house):
    with rows(house):
        db.session.get_one(Workspace, ready.id).two_person = True
    page = owner.get(f"{ready.resting}/live")
    assert "Nothing is live before another person approves." in page.text
    send(owner, ready, reason="Now")
    assert bot_of(house, ready)[0] is Mode.PAPER


def test_a_person_without_a_second_factor_is_told(owner, ready, house, people):
    with rows(house):
        user = db.session.get_one(User, people["owner"][0])
        db.session.delete(db.session.get_one(TotpFactor, user.id))
    assert "You have none." in owner.get(f"{ready.resting}/live").text
    assert "second factor" in send(owner, ready, 422).by_class("error-summary")[0].text
