"""A bot whose exchange is listed no more: each page renders, says so, and nothing starts there."""

import pytest
from sqlalchemy import update

from app.extensions import db
from app.models import Bot, Connection, Wish
from tests import people
from tests.routes import FORMS, Visitor, keep_nothing, knocks
from tests.site import rows

GONE = "mtgox"
SAID = "is no longer one of this installation's exchanges"


@pytest.fixture
def gone(house, desk):
    unlist(house)
    return desk


def unlist(house):
    """All bots and keys are those of an exchange that nobody knows any more."""
    with rows(house):
        for kind in (Bot, Connection):
            db.session.execute(update(kind).values(exchange=GONE))


def wish_of(house, address):
    with rows(house):
        return db.session.get_one(Bot, address.rpartition("/")[2]).wish


@pytest.mark.parametrize("name", ["owner", "operator"])
def test_every_route_answers_where_no_exchange_of_its_rows_is_listed(house, monkeypatch, name):
    """Of bots, keys, requests and all else of a workspace, and of the console."""
    with house.app_context():
        village = people.settle()
    unlist(house)
    keep_nothing(monkeypatch)
    (actor,) = (it for it in people.ACTORS if it.name == name)
    visitor = Visitor(house, village.tokens[actor.person])
    own = {"session_id": village.sessions.get(actor.person, "ses_of_nobody")}
    wrong = []
    for knock in knocks(house, village.places[actor.place], **own):
        fields = FORMS.get(knock.endpoint, lambda *_: {})(actor, village.homes.get(actor.person))
        answer = visitor.knock(knock, fields)
        if answer.status_code >= 500 and knock.guard != "webhook":
            wrong.append(f"{knock}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


PAGES = ("decisions", "orders", "history", "edit", "schedule", "wish", "mode", "live", "delete")


@pytest.mark.parametrize("path", ["", *(f"/{page}" for page in PAGES)])
@pytest.mark.parametrize("which", ["bot", "resting"])
def test_its_pages_say_that_its_exchange_is_gone(owner, gone, path, which):
    (head,) = owner.get(f"{getattr(gone, which)}{path}").by_class("notice-bad")
    assert f"{GONE} {SAID}" in head.text
    assert "close by hand" in head.text


def test_it_is_neither_started_nor_woken_nor_switched(owner, gone, house):
    owner.get(gone.resting)
    assert SAID in owner.post(f"{gone.resting}/start", 409).text
    assert wish_of(house, gone.resting) is Wish.REST
    for values in ({"what": "wake", "hours": "2"}, {"what": "awake", "until": "2031-01-01T00:00"}):
        owner.get(f"{gone.bot}/wish")
        assert SAID in owner.post(f"{gone.bot}/wish", 422, **values).text
    owner.get(f"{gone.resting}/mode")
    assert SAID in owner.post(f"{gone.resting}/mode", 422, mode="testnet", connection="").text
    owner.get(f"{gone.resting}/live")
    page = owner.post(f"{gone.resting}/live", 422, act="ask", on_end="protected")
    assert SAID in page.by_class("error-summary")[0].text


def test_a_change_of_it_is_refused_and_what_was_typed_stays(owner, gone):
    owner.get(f"{gone.resting}/edit")
    page = owner.post(f"{gone.resting}/edit", 422, name="Neap", version=gone.version)
    assert SAID in page.by_class("error-summary")[0].text
    assert page.by_id("name").get("value") == "Neap"
    assert [it.get("value") for it in page.all("input") if it.get("name") == "symbols"]


def test_who_is_awake_is_still_told_to_stop_pause_and_flatten(owner, gone, house):
    owner.get(gone.bot)
    for act in ("pause", "flatten", "stop"):
        owner.post(f"{gone.bot}/{act}")
    assert wish_of(house, gone.bot) is Wish.REST


@pytest.mark.parametrize("path", ["", "/mode", "/live"])
def test_no_page_of_it_leads_to_a_key_for_another_exchange(owner, gone, path):
    page = owner.get(f"{gone.resting}{path}")
    assert not [it for it in page.all("a") if "connections/new" in (it.get("href") or "")]
