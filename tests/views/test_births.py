"""What a bot is given for life: a region, and an address that is known before its first key."""

from dataclasses import replace

import pytest

from app.compute_settings import Compute
from app.extensions import db
from app.gateways.compute.gce_settings import GceSettings
from app.models import Bot
from tests.views.test_bots import NEW

THERE = ("us-central1", "europe-west1")


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
