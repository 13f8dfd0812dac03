"""What a bot is given for life: a region, and an address that is known before its first key."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.compute_settings import Compute
from app.extensions import db
from app.gateways.compute.gce_settings import GceSettings
from app.models import Bot, BotAddress, BotCompute, Phase, Wish
from tests import factories, site
from tests.views.test_bots import NEW

THERE = ("us-central1", "europe-west1")
KEY = {
    "exchange": "practice",
    "environment": "testnet",
    "api_key": "practice-0123456789abcdef0123",
    "secret": "s3cr3t-value-never-shown",
}


@pytest.fixture
def cloud(house, monkeypatch):
    """Two regions to be born in; the shipped price book knows the first."""
    config = house.extensions["plutarc"]
    compute = Compute(GceSettings(project="some-project", regions=THERE))
    monkeypatch.setitem(house.extensions, "plutarc", replace(config, compute=compute))


def region_of(house, url):
    with house.app_context():
        return db.session.get_one(Bot, url.rstrip("/").split("/")[-1]).region


@pytest.mark.usefixtures("cloud")
def test_a_region_is_chosen_for_life(owner, desk, house):
    page = owner.get(f"{desk.home}/bots/new")
    here, there = page.by_id("region").all("option")
    assert here.text == "us-central1: $10.62 for 30 days awake"
    assert there.text == "europe-west1: price not known"
    assert "For life" in page.by_id("region_hint").text
    page = owner.post(f"{desk.home}/bots/new", **NEW, region="europe-west1")
    assert region_of(house, owner.at) == "europe-west1"
    assert "europe-west1" in page.text
    assert "europe-west1" in owner.get(f"{desk.home}/bots").text


@pytest.mark.usefixtures("cloud")
def test_the_first_region_is_the_default_and_no_other_is_taken(owner, desk, house):
    owner.get(f"{desk.home}/bots/new")
    page = owner.post(f"{desk.home}/bots/new", 422, **NEW, region="mars1")
    assert "Choose us-central1 or europe-west1" in page.by_id("region_error").text
    owner.post(f"{desk.home}/bots/new", **NEW)
    assert region_of(house, owner.at) == "us-central1"


def test_where_there_is_one_region_nothing_is_asked(owner, desk, house):
    assert owner.get(f"{desk.home}/bots/new").by_id("region") is None
    owner.post(f"{desk.home}/bots/new", **NEW)
    assert region_of(house, owner.at) == "local"


def address(house, url, ip=None, phase=Phase.ASLEEP, **compute):
    """What the planner would have written down: an address, or why there is none."""
    bot_id = url.rpartition("/")[2]
    with site.rows(house) as session:
        row = session.get_one(BotCompute, bot_id)
        row.phase = phase
        for name, value in compute.items():
            setattr(row, name, value)
        if ip is not None:
            place = {"workspace_id": row.workspace_id, "region": "local", "ip": ip}
            now = datetime.now(UTC)
            session.add(
                BotAddress(bot_id=bot_id, name=f"{bot_id[4:]}-ip", reserved_at=now, **place)
            )


def copied(page, id_):
    return [it.get("data-copy") for it in page.by_id(id_).all("button") if it.get("data-copy")]


def test_a_new_bot_shows_its_address_before_it_has_a_key(owner, desk, house):
    page = owner.get(desk.resting)
    assert "Before its first key" in page.text
    assert "Its address is being reserved" in page.text
    assert "On paper it needs none" in page.text
    address(house, desk.resting, ip="127.64.200.1")
    page = owner.get(desk.resting)
    buttons = [it for it in page.all("button") if it.get("data-copy") == "127.64.200.1"]
    assert len(buttons) == 2
    (link,) = owner.links("save the key here")
    page = owner.get(link)
    assert copied(page, "key_addresses") == ["127.64.200.1"]
    assert "Tide" not in page.by_id("key_addresses").text


def test_for_an_exchange_elsewhere_no_address_of_this_computer_is_offered(owner, desk, house):
    address(house, desk.resting, ip="127.64.200.1")
    with site.rows(house) as session:
        session.get_one(Bot, desk.resting.rpartition("/")[2]).exchange = "bybit"
    page = owner.get(desk.resting)
    assert "Bybit sees the server's own address on the internet" in page.text
    assert "will always come from this address" not in page.text


def test_who_makes_no_keys_is_told_of_none(viewer, desk):
    assert "Before its first key" not in viewer.get(desk.resting).text


def test_a_key_of_no_bot_may_be_bound_to_any_of_their_addresses(owner, desk, house):
    page = owner.get(f"{desk.home}/connections/new")
    part = page.by_id("key_addresses")
    assert copied(page, "key_addresses") == [desk.ip]
    assert "being reserved" in part.text
    piece = owner.fragment(part.get("hx-get"))
    owner.fragment(piece.by_id("key_addresses").get("hx-get"), 204)
    address(house, desk.resting, phase=Phase.BLOCKED, problem="Quota 'STATIC_ADDRESSES' exceeded.")
    piece = owner.fragment(part.get("hx-get"), 286)
    assert "Quota 'STATIC_ADDRESSES' exceeded" in piece.text
    assert piece.by_id("key_addresses").get("hx-get") is None


def test_no_key_is_bound_to_what_is_lost_or_goes(owner, desk, house):
    with site.rows(house) as session:
        lost = session.get_one(BotAddress, desk.bot.rpartition("/")[2])
        lost.lost_at = datetime.now(UTC)
        session.get_one(Bot, desk.resting.rpartition("/")[2]).wish = Wish.GONE
    page = owner.get(f"{desk.home}/connections/new")
    assert copied(page, "key_addresses") == []
    assert "bind no key to it" in page.by_id("key_addresses").text
    assert "Moon" not in page.by_id("key_addresses").text


def test_another_workspace_has_no_bot_here(owner, desk, house):
    with site.rows(house):
        foreign = factories.bot(factories.organisation()).id
    for page in ("new", "addresses"):
        owner.get(f"{desk.home}/connections/{page}?bot={foreign}", 404)


def test_a_key_made_for_a_bot_leads_to_where_it_is_used(owner, desk, house):
    bot_id = desk.resting.rpartition("/")[2]
    address(house, desk.resting, ip="127.64.200.2")
    owner.get(f"{desk.home}/connections/new?bot={bot_id}")
    page = owner.post(f"{desk.home}/connections/new?bot={bot_id}", 422, **KEY, label="")
    assert copied(page, "key_addresses") == ["127.64.200.2"]
    page = owner.post(f"{desk.home}/connections/new?bot={bot_id}", **KEY, label="Mine")
    assert page.all("h1")[0].text == "Mode of Moon"
    chosen = [it.get("value") for it in page.all("input") if "checked" in it.attributes]
    assert "testnet" in chosen
    option = next(
        it for it in page.by_id("connection").all("option") if "selected" in it.attributes
    )
    owner.post(f"{desk.resting}/mode", mode="testnet", connection=option.get("value"))
    assert "Before its first key" not in owner.get(desk.resting).text


DAILY = {
    "kind": "custom",
    "sessions-0-days": [str(day) for day in range(7)],
    "sessions-0-opens": "08:00",
    "sessions-0-closes": "12:00",
    "sessions-1-days": ["0"],
    "sessions-1-opens": "11:00",
    "sessions-1-closes": "13:00",
}


def test_the_week_of_a_new_bot_is_shown_before_there_is_one(owner, desk, house):
    owner.get(f"{desk.home}/bots/new")
    typed = NEW | DAILY | {"name": "", "starting_balance": "much"}
    page = owner.post(f"{desk.home}/bots/new", 200, **typed, preview="yes")
    assert "Sessions 1 and 2 overlap" in page.by_id("schedule_preview").text
    assert len(page.by_class("week-day")) == 7
    assert page.by_id("starting_balance").get("value") == "much"
    assert page.by_id("sessions-1-opens").get("value") == "11:00"
    assert not page.by_class("error-summary")
    piece = owner.fragment(f"{desk.home}/bots/new", wanted="yes", **typed, preview="yes")
    assert "overlap" in piece.by_id("schedule_preview").text
    typed |= {"blackouts-0-first": "2020-01-01", "blackouts-0-last": "2099-12-31"}
    piece = owner.fragment(f"{desk.home}/bots/new", wanted="yes", **typed, preview="yes")
    assert "never opens" in piece.text


def test_own_sessions_that_overlap_are_explained_before_they_are_kept(owner, desk, house):
    for address, typed in ((f"{desk.home}/bots/new", NEW), (f"{desk.resting}/schedule", {})):
        owner.get(address)
        fields = typed | DAILY | {"zone": "UTC"}
        page = owner.post(address, 422, **fields)
        assert "Sessions 1 and 2 overlap" in page.by_class("error-summary")[0].text
        mark = next(it for it in page.all("input") if it.get("name") == "explained").get("value")
        other = fields | {"sessions-1-closes": "14:00"}
        owner.post(address, 422, **other, explained=mark)
        owner.post(address, **fields, explained=mark)


def test_who_saw_the_preview_is_not_asked_again(owner, desk):
    owner.get(f"{desk.resting}/schedule")
    fields = DAILY | {"zone": "UTC"}
    page = owner.post(f"{desk.resting}/schedule", 200, **fields, preview="yes")
    mark = next(it for it in page.all("input") if it.get("name") == "explained").get("value")
    owner.post(f"{desk.resting}/schedule", **fields, explained=mark)
