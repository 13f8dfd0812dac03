"""What every event says of the request it came through, and what a refusal leaves behind."""

import pytest
from sqlalchemy import select

from app.domain import audit_chain, bots
from app.domain.errors import Refused
from app.extensions import db
from app.models import AuditEvent, Bot, BotCommand, LoginSession, User, Wish
from runner.protocol import CommandKind
from tests import site
from tests.pages import Pages
from tests.views.conftest import as_person


def newest(house, chain, action=None):
    with house.app_context():
        query = select(AuditEvent).where(AuditEvent.chain == chain)
        if action:
            query = query.where(AuditEvent.action == action)
        found = db.session.scalar(query.order_by(AuditEvent.seq.desc()).limit(1))
        db.session.remove()
    return found


def test_a_change_without_an_event_and_one_with_two_are_seen(owner, desk, watch, monkeypatch):
    """The watch over all view tests would notice; otherwise it proves nothing."""
    owner.get(desk.resting)
    record = bots.audit.record
    monkeypatch.setattr(bots.audit, "record", lambda *_args, **_kwargs: None)
    owner.post(f"{desk.resting}/start")
    faults, watch.faults = watch.faults, []
    assert faults == ["POST /w/<workspace>/bots/<bot_id>/start changed ['bot'] and left no event"]
    monkeypatch.setattr(
        bots.audit, "record", lambda *args, **kw: (record(*args, **kw), record(*args, **kw))
    )
    owner.post(f"{desk.resting}/stop")
    faults, watch.faults = watch.faults, []
    assert ["twice" in fault for fault in faults] == [True]


def test_an_event_says_what_its_request_was(owner, desk, house):
    owner.get(desk.resting)
    owner.post(f"{desk.resting}/start")
    event = newest(house, desk.id)
    assert (event.action, event.source, event.method) == ("bot.start", "web", "password")
    assert event.route == "/w/<workspace>/bots/<bot_id>/start"
    assert event.user_agent.startswith("Werkzeug")
    assert event.request_id.startswith("req_")
    with house.app_context():
        session = db.session.get(LoginSession, event.session_id)
        assert session.user.email == desk.emails["owner"] == event.actor_label
        assert session.token_hash not in str(vars(event))
        db.session.remove()


def test_a_sign_in_names_the_session_it_opened(owner, desk, house):
    with house.app_context():
        who = db.session.scalar(select(User.id).where(User.email == desk.emails["owner"]))
        db.session.remove()
    owner.get(desk.resting)
    owner.post(f"{desk.resting}/start")
    assert newest(house, who, "account.sign_in").session_id == newest(house, desk.id).session_id


def test_flattening_names_the_run(owner, desk, house):
    owner.get(desk.bot)
    owner.post(f"{desk.bot}/flatten")
    assert newest(house, desk.id, "position.close").correlation_id.startswith("run_")


def refusing(*_args, **_kwargs):
    raise Refused("A rule forbids this; do that instead.")


@pytest.mark.parametrize(
    ("verb", "address", "fields", "status"),
    [
        ("start", "start", {}, 409),
        ("delete", "delete", {"name": "Moon"}, 422),
    ],
)
def test_what_a_rule_forbids_is_kept_once_whatever_page_says_so(
    owner, desk, house, monkeypatch, verb, address, fields, status
):
    owner.get(f"{desk.resting}/delete")
    monkeypatch.setattr(bots, verb, refusing)
    owner.post(f"{desk.resting}/{address}", status, **fields)
    event, before = newest(house, desk.id), newest(house, desk.id).seq
    assert (event.action, event.outcome.value) == ("attempt.refused", "denied")
    assert event.reason == "A rule forbids this; do that instead."
    assert event.target_id == desk.resting.rpartition("/")[2]
    assert event.route == f"/w/<workspace>/bots/<bot_id>/{address}"
    owner.get(desk.resting)
    assert newest(house, desk.id).seq == before


def test_a_denied_attempt_outlives_its_request(viewer, desk, house):
    viewer.get("/help")
    viewer.post(f"{desk.resting}/start", 403)
    event = newest(house, desk.id)
    assert (event.action, event.outcome.value) == ("access.denied", "denied")
    assert event.route == "/w/<workspace>/bots/<bot_id>/start"


def test_a_denied_attempt_is_among_what_was_done_to_that_bot(owner, desk, house):
    bot_id = desk.resting.rpartition("/")[2]
    pages = Pages(house)
    pages.become(desk.emails["viewer"])
    pages.get("/help")
    pages.post(f"{desk.resting}/start", 403)
    assert newest(house, desk.id).target_id == bot_id
    assert "access denied" in owner.get(f"{desk.home}/audit?target={bot_id}").text.lower()
    pages.post(f"{desk.home}/bots/a%20line/start", 403)
    assert newest(house, desk.id).target_id is None


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("proxied"), proxy_hops=1)


@pytest.mark.parametrize(
    ("hops", "header", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    ],
)
def test_an_address_is_that_of_the_caller_not_what_a_header_claims(
    house, behind_a_proxy, hops, header, seen
):
    app = behind_a_proxy if hops else house
    pages = Pages(app)
    pages.get("/login")
    name = f"zed{abs(hash((hops, header)))}@example.com"
    sent = {"csrf_token": pages.token(), "email": name, "password": "wrong but long enough"}
    pages.client.post("/login", data=sent, headers={"X-Forwarded-For": header})
    assert newest(app, "platform").ip == seen


def test_a_name_is_text_on_the_page(house, desk, pages):
    nasty = "<b>Tide</b>"
    owner = as_person(pages, desk, "owner")
    owner.get(f"{desk.resting}/edit")
    with house.app_context():
        event = db.session.scalars(
            select(AuditEvent).where(AuditEvent.chain == desk.id).order_by(AuditEvent.seq.desc())
        ).first()
        event.target_label = nasty
        db.session.commit()
        db.session.remove()
    owner.get(f"{desk.home}/audit")
    body = owner.response.get_data(as_text=True)
    assert nasty not in body
    assert "&lt;b&gt;Tide&lt;/b&gt;" in body


def test_an_act_whose_event_cannot_be_written_does_not_happen(owner, desk, house, monkeypatch):
    owner.get(desk.resting)
    before = newest(house, desk.id).seq

    monkeypatch.setattr(audit_chain, "link_hash", broken)
    owner.post(f"{desk.resting}/start", 500)
    monkeypatch.undo()
    assert newest(house, desk.id).seq == before
    with house.app_context():
        assert db.session.get(Bot, desk.resting.rpartition("/")[2]).wish is Wish.REST
        db.session.remove()


@pytest.mark.parametrize("act", ["stop", "pause", "flatten"])
def test_what_gets_out_of_the_market_waits_for_no_log(
    owner, desk, house, watch, monkeypatch, caplog, act
):
    """Its event is lost then, and neither the owners nor the operator can overlook it."""
    owner.get(desk.bot)
    owner.post(f"{desk.bot}/start")
    before = newest(house, desk.id).seq
    monkeypatch.setattr(audit_chain, "link_hash", broken)
    owner.post(f"{desk.bot}/{act}")
    monkeypatch.undo()
    watch.faults = []
    assert newest(house, desk.id).seq == before
    assert done(house, desk.bot)[act]
    assert "audit event lost: " in caplog.text
    assert desk.emails["owner"] not in caplog.text
    assert "is missing in the audit log" in owner.get(f"/account/inbox?workspace={desk.id}").text


def broken(*_):
    raise OSError("no more entropy")


def done(house, address):
    """What became of a bot, by the verb that does it."""
    with house.app_context():
        bot = db.session.get(Bot, address.rpartition("/")[2])
        orders = select(BotCommand.kind).where(BotCommand.bot_id == bot.id)
        flattening = CommandKind.FLATTEN in set(db.session.scalars(orders))
        found = {"stop": bot.wish is Wish.REST, "pause": bot.paused, "flatten": flattening}
        db.session.remove()
    return found
