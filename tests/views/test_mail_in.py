"""The doors for mail, as the providers knock at them."""

import secrets
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app.desk_settings import Inbound
from app.domain.inbound import store
from app.extensions import db
from app.gateways.locker import Locker
from app.models import InboundMail, OutboxMessage
from app.web import mail_doors
from tests import site
from tests.fakes import mail_providers

KEY, MAILGUN_KEY, AUTH = "a key of the doors' tests, 32 long", "key-mailgun", "post:mark"
DOMAIN = "reply.plutarc.test"
INBOUND = Inbound(DOMAIN, KEY, "mx.plutarc.test", AUTH, MAILGUN_KEY)


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    """An application whose doors are open."""
    return site.build(tmp_path_factory.mktemp("doors"), inbound=INBOUND)


@pytest.fixture
def client(doors):
    return doors.test_client()


@pytest.fixture
def raw():
    """A mail like no other."""
    return f"From: bo@example.com\r\nSubject: {secrets.token_hex(8)}\r\n\r\nGrüße".encode()


TO = f"support@{DOMAIN}"


def knock_raw(client, raw, **how):
    values = {"key": KEY, "sender": "bo@example.com", "to": TO} | how
    return client.post(
        "/webhooks/mail/raw", data=raw, headers=mail_providers.signed_raw(raw, **values)
    )


def knock_postmark(client, raw, *, auth=AUTH, said=None, **how):
    body = said or mail_providers.postmark(raw, to=TO, **how)
    return client.post("/webhooks/mail/postmark", json=body, headers=mail_providers.basic(auth))


def knock_mailgun(client, raw, *, key=MAILGUN_KEY, **how):
    form = mail_providers.mailgun(raw, key=key, to=TO, **how)
    kind = "application/x-www-form-urlencoded"
    return client.post("/webhooks/mail/mailgun/mime", data=form, content_type=kind)


KNOCKS = (knock_raw, knock_postmark, knock_mailgun)


def kept(doors):
    with site.rows(doors):
        kinds = (InboundMail, OutboxMessage)
        return tuple(db.session.scalar(select(func.count()).select_from(it)) for it in kinds)


def newest(doors):
    with site.rows(doors):
        query = select(InboundMail).order_by(InboundMail.received_at.desc()).limit(1)
        row = db.session.scalars(query).one()
        db.session.expunge(row)
        return row, store.raw(row, Locker((KEY,)))


@pytest.mark.parametrize("knock", KNOCKS)
def test_a_mail_is_kept_byte_by_byte_and_asked_about_once(doors, client, raw, knock):
    before = kept(doors)
    answer = knock(client, raw)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert kept(doors) == (before[0] + 1, before[1] + 1)
    row, content = newest(doors)
    assert content.endswith(raw)
    assert (row.envelope_to, row.decision) == (TO, "waiting")


def test_a_replay_is_answered_as_a_success_and_adds_nothing(doors, client, raw):
    moment, token = int(datetime.now(UTC).timestamp()), secrets.token_hex(25)
    said = mail_providers.postmark(raw, to=TO)
    for knock, how in (
        (knock_raw, {"moment": moment}),
        (knock_raw, {"moment": moment + 5}),
        (knock_postmark, {"said": said}),
        (knock_mailgun, {"token": token}),
    ):
        assert knock(client, raw, **how).status_code == 200
        before = kept(doors)
        assert knock(client, raw, **how).status_code == 200
        assert kept(doors) == before
    other = knock_mailgun(client, raw + b" changed", token=token)
    assert (other.status_code, kept(doors)) == (200, before)


FORGED = (
    (knock_raw, {"key": "x" * 40}, 403),
    (knock_raw, {"moment": 1}, 403),
    (knock_raw, {"moment": int(datetime.now(UTC).timestamp()) + 4000}, 403),
    (knock_raw, {"moment": "²"}, 403),
    (knock_postmark, {"auth": "post:wrong"}, 401),
    (knock_postmark, {"auth": "¡"}, 401),
    (knock_mailgun, {"key": "x"}, 406),
    (knock_mailgun, {"moment": 1}, 406),
)


@pytest.mark.parametrize(("knock", "how", "status"), FORGED)
def test_without_proof_nothing_is_written_but_a_count(doors, client, raw, knock, how, status):
    before, counted = kept(doors), sum(mail_doors.turned_away().values())
    answer = knock(client, raw, **how)
    assert answer.status_code == status
    assert kept(doors) == before
    assert sum(mail_doors.turned_away().values()) == counted + 1


def test_nor_with_a_proof_for_another_body(doors, client, raw):
    before = kept(doors)
    headers = mail_providers.signed_raw(raw, key=KEY, sender="bo@example.com", to=TO)
    for changed in ({}, {"X-Inbound-Signature": ""}, {"X-Inbound-Signature": "ä"}):
        answer = client.post("/webhooks/mail/raw", data=raw + b"!", headers=headers | changed)
        assert answer.status_code == 403
    for name in ("X-Inbound-Timestamp", "X-Inbound-Signature"):
        fewer = {key: value for key, value in headers.items() if key != name}
        assert client.post("/webhooks/mail/raw", data=raw, headers=fewer).status_code == 403
    for value in ("", "Basic", "Basic !!", "Bearer x", "Basic " + "A" * 9):
        answer = client.post("/webhooks/mail/postmark", json={}, headers={"Authorization": value})
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True)
    assert client.post("/webhooks/mail/mailgun", data={"token": "x"}).status_code == 406
    assert kept(doors) == before


def test_secrets_are_compared_in_constant_time():
    source = mail_doors._signed.__code__.co_names, mail_doors.postmark.__code__.co_names
    assert all("compare_digest" in names for names in source)


def test_a_door_without_its_setting_is_not_there(house, raw):
    for knock in KNOCKS:
        assert knock(house.test_client(), raw).status_code == 404


def test_more_than_36_mb_is_refused_unread_and_25_mb_are_not(doors, client, raw):
    headers = mail_providers.signed_raw(raw, key=KEY, sender="bo@example.com", to=TO)
    size = {"CONTENT_LENGTH": str(37 * 1024 * 1024)}
    answer = client.post("/webhooks/mail/raw", data=raw, headers=headers, environ_overrides=size)
    assert answer.status_code == 413
    large = raw + b"\r\n" + b"QUJD" * (6 * 1024 * 1024)
    assert knock_raw(client, large).status_code == 200
    assert newest(doors)[0].size == len(large)


def test_a_database_that_is_away_is_said_so_and_nothing_is_lost(doors, client, raw, monkeypatch):
    def away(*_, **__):
        raise OperationalError("INSERT", {}, Exception("gone"))

    with monkeypatch.context() as broken:
        broken.setattr(db.session, "commit", away)
        assert [knock(client, raw).status_code for knock in KNOCKS] == [503] * 3
    before = kept(doors)
    assert knock_raw(client, raw).status_code == 200
    assert kept(doors)[0] == before[0] + 1


def test_what_is_set_wrong_at_the_provider_is_told_and_tried_again(doors, client, raw):
    said = mail_providers.postmark(raw, to=TO)
    del said["RawEmail"]
    answer = knock_postmark(client, raw, said=said)
    assert (answer.status_code, "raw email" in answer.text) == (422, True)
    headers = mail_providers.basic(AUTH)
    for body in (b"", b"[1]", b"{", b"[" * 100_000):
        assert client.post("/webhooks/mail/postmark", data=body, headers=headers).status_code == 400
    before = kept(doors)
    fields = dict.fromkeys(("recipient", "sender"), "x@example.com")
    signed = mail_providers.mailgun(b"", key=MAILGUN_KEY, to=TO)
    kind = "application/x-www-form-urlencoded"
    parsed = signed.replace("body-mime", "body-plain")
    answer = client.post("/webhooks/mail/mailgun", data=parsed, content_type=kind)
    assert (answer.status_code, "/mailgun/mime" in answer.text) == (422, True)
    assert client.post("/webhooks/mail/mailgun", data=fields).status_code == 406
    assert kept(doors) == before


def test_bytes_that_are_no_text_arrive_as_they_were(doors, client, raw):
    latin = raw.replace("Grüße".encode(), "Grüße".encode("latin-1"))
    for knock in (knock_raw, knock_mailgun):
        assert knock(client, latin).status_code == 200
        assert newest(doors)[1].endswith(latin)


def test_a_proof_and_a_mail_stand_in_no_log(doors, client, raw, caplog):
    with caplog.at_level(0):
        knock_raw(client, raw + b" sesame")
        knock_raw(client, raw + b" sesame", key="x" * 40)
        knock_postmark(client, raw, auth="post:wrong")
    assert not [it for it in (KEY, AUTH, MAILGUN_KEY, "sesame", "wrong") if it in caplog.text]


def test_a_browser_s_form_reaches_no_door(client, raw):
    answer = client.post(
        "/webhooks/mail/raw", data={"a": "b"}, headers={"Origin": "https://e.test"}
    )
    assert answer.status_code == 403
    assert client.get("/webhooks/mail/raw").status_code == 405
