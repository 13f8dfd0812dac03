"""The signals of a bot: set up, sent to, tried and looked at, by whom may."""

import copy
import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from app.domain import runs, strategies
from app.extensions import db
from app.models import Bot, Signal, SignalState, Workspace
from runner.protocol import to_plain
from tests import factories, site, telling
from tests.factories import TESTER


@pytest.fixture
def ears(house, desk):
    """A bot that listens, awake."""
    now = datetime.now(UTC)
    with house.app_context():
        workspace = db.session.get(Workspace, desk.id)
        rules = copy.deepcopy(strategies.template("fast_ema_demo").rules)
        rules["signals"] = [{"kind": "external_signal", "params": {"valid": 60}}]
        made = strategies.create(
            workspace, name="Ears", rules=rules, author=None, by=TESTER, now=now
        )
        bot = factories.bot(workspace, now=now, version=made.latest, name="Ears")
        telling.awake(bot, now)
        db.session.commit()
        told = SimpleNamespace(id=bot.id, page=f"{desk.home}/bots/{bot.id}/signals")
        db.session.remove()
    return told


def opened(person, ears):
    person.get(ears.page)
    page = person.post(f"{ears.page}/secret", 200)
    (secret,) = [
        node.get("data-copy")
        for node in page.all("button")
        if len(node.get("data-copy") or "") == 43
    ]
    return secret, page


def knock(house, ears, body, kind="application/json", **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.test_client().post(
        f"/webhooks/signal/{ears.id}", data=data, content_type=kind, headers=headers
    )


def message(secret, **fields):
    now = to_plain(datetime.now(UTC))
    return {"secret": secret, "symbol": "BTCUSDT.P", "action": "buy", "time": now} | fields


def rows(house, ears):
    with site.rows(house):
        found = db.session.query(Signal).filter_by(bot_id=ears.id).all()
        db.session.expunge_all()
    return found


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "", "a/b"])
def test_a_message_is_taken_whatever_it_calls_itself(kind, trader, ears, house):
    secret, page = opened(trader, ears)
    assert "Copy the secret now" in page.text
    assert f"/webhooks/signal/{ears.id}" in page.text
    assert secret not in trader.get(ears.page).text
    answer = knock(house, ears, message(secret), kind)
    assert answer.status_code == 202
    assert answer.get_json()["message"] == "Taken."
    (row,) = rows(house, ears)
    assert row.state is SignalState.WAITING
    page = trader.get(ears.page)
    assert "received" in page.text
    assert "Waits for the bot" in page.text


def test_what_is_rejected_is_kept_though_the_answer_refuses(trader, ears, house):
    secret, _ = opened(trader, ears)
    for fields in ({"action": "hold"}, {"symbol": "DOGEUSDT"}, {"time": "2020-01-01T00:00:00Z"}):
        answer = knock(house, ears, message(secret, **fields))
        assert answer.status_code in (409, 422)
        assert answer.get_json()["error"]
    assert knock(house, ears, message("wrong")).status_code == 404
    assert len(rows(house, ears)) == 4
    page = trader.get(f"{ears.page}?show=rejected")
    for words in ("no action", "none of the bot", "Expired", "secret is wrong"):
        assert words in page.text


def test_too_long_is_refused_before_it_is_read(trader, ears, house):
    secret, _ = opened(trader, ears)
    answer = knock(house, ears, message(secret, comment="x" * 9000))
    assert answer.status_code == 404
    (row,) = rows(house, ears)
    assert "longer than 8192 bytes" in row.reason


def test_too_long_is_too_long_where_nobody_says_how_much_comes(trader, ears, house):
    """Cut at the limit this would be a whole message, as what goes beyond is after its end."""
    secret, _ = opened(trader, ears)
    for blanks, status in ((9000, 404), (10, 202)):
        body = json.dumps(message(secret)).encode() + b" " * blanks
        answer = house.test_client().post(
            f"/webhooks/signal/{ears.id}",
            environ_overrides={"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True},
        )
        assert answer.status_code == status
    told = {row.state: row.reason for row in rows(house, ears)}
    assert told == {
        SignalState.REJECTED: "It is longer than 8192 bytes.",
        SignalState.WAITING: "",
    }


def test_a_message_that_says_two_things_is_none(trader, ears, house):
    secret, _ = opened(trader, ears)
    body = json.dumps(message(secret)).encode()[:-1] + b', "action": "sell"}'
    assert knock(house, ears, body).status_code == 404
    assert "It says “action” more than once" in trader.get(f"{ears.page}?show=rejected").text


def test_a_browser_of_another_site_and_no_session_matter_nothing(trader, ears, house):
    secret, _ = opened(trader, ears)
    answer = knock(house, ears, message(secret), **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 202
    assert "Set-Cookie" not in answer.headers


def test_nothing_is_there_without_a_secret(house, ears):
    assert knock(house, ears, message("x")).status_code == 404
    assert house.test_client().get(f"/webhooks/signal/{ears.id}").status_code == 405
    assert rows(house, ears) == []


def test_shut_it_takes_nothing(trader, ears, house):
    secret, _ = opened(trader, ears)
    assert "is shut" in trader.post(f"{ears.page}/revoke").text
    assert knock(house, ears, message(secret)).status_code == 404
    assert "none: nothing is taken" in trader.get(ears.page).text


def test_settings_say_what_is_wrong_and_keep_what_was_typed(trader, ears):
    opened(trader, ears)
    trader.get(f"{ears.page}/settings")
    typed = {"max_age": "30", "sources": "52.89.214.238, here", "aliases": ""}
    page = trader.post(f"{ears.page}/settings", 422, **typed)
    assert "here is no address" in page.text
    assert "52.89.214.238, here" in [node.get("value") for node in page.all("input")]
    typed |= {"sources": "52.89.214.238", "aliases": "XBTUSD = DOGE"}
    assert "does not trade" in trader.post(f"{ears.page}/settings", 422, **typed).text
    typed |= {"aliases": "XBTUSD = BTC/USDT:USDT"}
    assert "Saved." in trader.post(f"{ears.page}/settings", **typed).text
    assert "52.89.214.238" in trader.get(ears.page).text


def test_a_test_is_shown_and_never_traded(trader, ears, house):
    opened(trader, ears)
    page = trader.get(ears.page)
    (area,) = [node for node in page.all("textarea") if node.get("name") == "message"]
    page = trader.post(f"{ears.page}/test", 200, message=area.text)
    assert "this would be handed to the bot" in page.text
    page = trader.post(f"{ears.page}/test", 200, message="buy now")
    assert "It is no JSON object" in page.text
    assert "buy now" in page.text
    assert {row.state for row in rows(house, ears)} == {SignalState.TESTED}


def test_a_strategy_that_is_deaf_says_how_to_make_it_listen(trader, desk):
    page = trader.get(f"{desk.resting}/signals")
    assert "Its strategy does not listen" in page.text
    trader.post(f"{desk.resting}/signals/secret", 409)


def test_signals_are_trade_secrets(viewer, ears):
    viewer.get(ears.page, 403)
    assert "External signals" not in viewer.get(ears.page.removesuffix("/signals")).text


def test_what_became_of_one_is_told_with_its_order(trader, ears, house):
    secret, _ = opened(trader, ears)
    knock(house, ears, message(secret))
    with site.rows(house):
        row = db.session.query(Signal).filter_by(bot_id=ears.id).one()
        bot = db.session.get(Bot, ears.id)
        row.state, row.outcome, row.reason = SignalState.DECIDED, "entered", "score 1"
        row.order_id = "pl-signal-1"
        factories.order(bot, runs.current(bot.id).id, "pl-signal-1", "filled")
        db.session.commit()
    page = trader.get(f"{ears.page}?show=orders")
    assert "entry" in page.text
    assert "pl-signal-1" in page.text
    assert "None of this kind" in trader.get(f"{ears.page}?show=without").text
