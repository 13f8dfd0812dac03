"""Connections, as pages: a key goes in and never comes out."""

import logging

import pytest

from app.extensions import db
from app.models import Bot, Connection, Environment, Workspace
from app.practice.keys import new_key
from runner.protocol import Mode
from tests import factories
from tests.site import rows
from tests.views.conftest import as_person

OKX = {
    "api_key": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "secret": "0123456789ABCDEF" * 2,
    "passphrase": "Open-Sesame-7",
}
KEY = {"exchange": "practice", "environment": "testnet", "label": "Mine"}
PAIR = {"api_key": "practice-0123456789abcdef0123", "secret": "s3cr3t-value-never-shown"}


@pytest.fixture
def saved(house, desk):
    """The address of a connection that a bot at rest uses."""
    with rows(house):
        workspace = db.session.get_one(Workspace, desk.id)
        from app import current

        made = factories.connection(workspace, current.sealer(), label="Main")
        bot = db.session.get_one(Bot, desk.resting.rpartition("/")[2])
        bot.testnet_connection_id, bot.mode = made.id, Mode.TESTNET
        return f"{desk.home}/connections/{made.id}"


def connection_at(house, address):
    with rows(house):
        found = db.session.get_one(Connection, address.rpartition("/")[2])
        db.session.expunge(found)
    return found


def test_a_key_is_saved_and_never_shown(owner, desk):
    owner.get(f"{desk.home}/connections/new")
    page = owner.post(f"{desk.home}/connections/new", **KEY, **PAIR)
    assert "…0123" in page.text
    html = owner.response.get_data(as_text=True)
    assert PAIR["api_key"] not in html
    assert PAIR["secret"] not in html


def test_a_faulty_form_keeps_the_label_but_not_the_secret(owner, desk):
    owner.get(f"{desk.home}/connections/new")
    fields = KEY | PAIR | {"secret": ""}
    page = owner.post(f"{desk.home}/connections/new", 422, **fields)
    assert page.by_id("label").get("value") == "Mine"
    assert page.by_id("api_key").get("value") is None
    assert page.by_id("secret_error")
    assert PAIR["api_key"] not in owner.response.get_data(as_text=True)


def test_a_live_key_is_not_taken_where_the_exchange_has_no_live_mode(owner, desk):
    page = owner.get(f"{desk.home}/connections/new")
    assert [it.get("value") for it in page.by_id("environment").all("option")] == ["testnet"]
    page = owner.post(f"{desk.home}/connections/new", 422, **(KEY | PAIR | {"environment": "live"}))
    assert page.by_id("environment_error")


def test_the_fields_follow_the_exchange(owner, desk):
    page = owner.get(f"{desk.home}/connections/new")
    assert page.by_id("passphrase") is None
    assert "Never proven" not in page.text
    page = owner.get(owner.links("OKX")[0])
    assert page.by_id("passphrase").get("type") == "password"
    assert "Never proven at the real exchange: that OKX takes an order" in page.text
    environments = [it.get("value") for it in page.by_id("environment").all("option")]
    assert environments == ["testnet", "live"]
    fields = {"exchange": "okx", "environment": "testnet", "label": "Mine"}
    page = owner.post(f"{desk.home}/connections/new", 422, **fields, **PAIR, passphrase="x")
    assert page.by_id("passphrase")
    assert "This is no API key of OKX" in page.by_id("api_key_error").text
    page = owner.post(f"{desk.home}/connections/new", **fields, **OKX)
    assert "…e1f0" in page.text


def test_a_key_for_a_bot_is_one_of_its_exchange(owner, desk, house):
    with rows(house):
        db.session.get_one(Bot, desk.resting.rpartition("/")[2]).exchange = "okx"
    page = owner.get(f"{desk.home}/connections/new?bot={desk.resting.rpartition('/')[2]}")
    assert page.by_id("passphrase")
    assert not owner.links("Bybit")


def test_a_live_key_asks_for_a_right_of_its_own(house, desk, pages, saved):
    trader = as_person(pages, desk, "trader")
    trader.get(f"{desk.home}/connections/new")
    live = {"exchange": "okx", "environment": "live", "label": "Mine"}
    page = trader.post(f"{desk.home}/connections/new", 403, **live, **OKX)
    assert "connection.manage_live" in page.text
    with rows(house):
        found = db.session.get_one(Connection, saved.rpartition("/")[2])
        found.environment = Environment.LIVE
    assert "Edit or replace" not in trader.get(saved).text
    trader.get(f"{saved}/edit", 403)
    for verb in ("edit", "activity", "delete"):
        page = trader.post(f"{saved}/{verb}", 403, label="Main", active="no")
        assert "connection.manage_live" in page.text
    assert connection_at(house, saved).inactive_at is None


def test_a_practice_account_is_one_click_and_goes_again(owner, desk):
    owner.get(f"{desk.home}/connections")
    page = owner.post(f"{desk.home}/connections/practice")
    (label,) = [a for a in page.all("a") if a.text.startswith("Practice account")]
    page = owner.get(label.get("href"))
    (delete,) = [f.get("action") for f in page.all("form") if f.get("action").endswith("/delete")]
    page = owner.post(delete)
    assert "No connection yet" in page.text


def test_its_page_says_what_is_known_without_the_key(house, desk, owner, saved):
    with rows(house):
        found = db.session.get_one(Connection, saved.rpartition("/")[2])
        found.checked_at = found.created_at
        found.findings = {
            "checks": [
                {"name": "trading right", "ok": True, "detail": "the key may trade"},
                {"name": "key binding", "ok": None, "detail": "the venue does not tell"},
            ]
        }
    page = owner.get(saved)
    for said in ("Practice market", "Moon", "being reserved", "the key may trade", "not told"):
        assert said in page.text
    assert page.by_class("mode-testnet")
    (trail,) = owner.links("Who changed this connection")
    owner.get(trail)


def test_a_key_is_replaced_and_an_empty_one_kept(house, owner, saved):
    before = connection_at(house, saved)
    owner.get(f"{saved}/edit")
    owner.post(f"{saved}/edit", label="Renamed", api_key="", secret="")
    kept = connection_at(house, saved)
    assert (kept.label, kept.sealed) == ("Renamed", before.sealed)
    owner.get(f"{saved}/edit")
    page = owner.post(f"{saved}/edit", label="Renamed", **PAIR)
    assert "The new key is sealed" in page.text
    assert connection_at(house, saved).key_hint == "0123"


def test_a_key_is_switched_off_and_on(house, owner, saved):
    owner.get(saved)
    page = owner.post(f"{saved}/activity", active="no")
    assert "No runner is given this key" in page.text
    page = owner.post(f"{saved}/activity", active="yes")
    assert "switched on" in page.text
    assert connection_at(house, saved).inactive_at is None


def test_who_may_only_look_gets_no_buttons(pages, desk, saved):
    viewer = as_person(pages, desk, "viewer")
    viewer.get(saved, 403)


def test_no_answer_and_no_log_betrays_a_key(owner, desk, saved, caplog):
    """Every page that a key passes through, right or wrong, and every page that shows it later."""
    caplog.set_level(logging.DEBUG)
    key, secret = new_key()
    told = []

    def keep():
        told.append(owner.response.get_data(as_text=True) + str(owner.response.headers))

    def send(address, status, **fields):
        owner.get(address)
        owner.post(address, status, follow=False, **fields)
        keep()

    both = {"api_key": key, "secret": secret}
    new = f"{desk.home}/connections/new"
    send(new, 422, **(KEY | both | {"label": ""}))
    send(new, 422, **KEY, api_key=key, secret=f"{secret} with blanks")
    send(new, 422, **KEY, api_key=f"{key}-no-key", secret=secret)
    send(new, 422, **(KEY | {"environment": "live"}), **both)
    send(new, 303, **KEY, **both)
    made = owner.response.location
    send(f"{saved}/edit", 422, label="Main", **both)
    send(f"{saved}/edit", 422, label="Main", api_key=key, secret="")
    for page in (new, made, f"{made}/edit", f"{desk.home}/connections", f"{desk.home}/audit"):
        owner.get(page)
        keep()
    owner.post(f"{desk.home}/connections/no/such/page", 404, **both)
    keep()
    for text in [*told, caplog.text]:
        assert secret not in text
        assert key not in text
