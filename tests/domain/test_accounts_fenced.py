"""One's own account under PostgreSQL's row policies, where no workspace is open."""

from datetime import timedelta

import pytest

from app import create_app, tenancy
from app.config import Config
from app.domain import accounts, credentials, factors, mailboxes, passwords, totp
from app.extensions import db
from app.gateways.locker import Locker
from app.models import User
from tests import factories
from tests.factories import NOW, PASSWORD, TESTER

LOCKER = Locker(["k" * 20 + "0123456789abcdef"])


@pytest.fixture
def person(fenced_url, keys, monkeypatch):
    """An id; the application is open to nobody."""
    monkeypatch.setattr("app.domain.clock.has_clock", lambda: False)
    settings = {"DATABASE_URL": fenced_url, "SEAL_PUBLIC_KEY": keys.public}
    built = create_app(Config.from_environment(settings, "worker"), "worker")
    with built.app_context():
        made = factories.user()
        workspace = factories.organisation(made)
        workspace.factor_from = NOW + timedelta(days=3)
        db.session.commit()
        found = made.id
        db.session.remove()
        tenancy.close()
        yield found
        db.session.remove()
        db.engine.dispose()


def come(user, agent, now):
    accounts.open_session(user, ip="192.0.2.9", user_agent=agent, by=TESTER, now=now)
    return accounts.live_sessions(user, now)[0]


def test_signing_in_resetting_and_undoing_need_no_workspace(person):
    user = db.session.get(User, person)
    attempt = passwords.begin(email=user.email, by=TESTER, now=NOW)
    assert passwords.finish(passwords.verify(attempt, "wrong words"), by=TESTER, now=NOW) is None
    come(user, "Chrome/1 Linux", NOW)
    come(user, "Firefox/1 Windows", NOW + timedelta(seconds=1))
    tokens = []
    credentials.ask_for_reset(
        user.email, link_to=lambda t: tokens.append(t) or t, by=TESTER, now=NOW
    )
    credentials.reset(tokens[-1], accounts.HASHER.hash(PASSWORD), by=TESTER, now=NOW)
    take = {"link_to": lambda t: tokens.append(t) or t, "by": TESTER, "now": NOW}
    mailboxes.ask_to_change(user, "new@example.com", **take)
    undo = []
    mailboxes.confirm_change(tokens[-1], undo_to=lambda t: undo.append(t) or t, by=TESTER, now=NOW)
    mailboxes.undo_change(undo[0], reset_to=lambda t: t, by=TESTER, now=NOW)
    db.session.commit()


def test_a_second_factor_and_who_asks_for_it_need_no_workspace(person):
    user = db.session.get(User, person)
    here = come(user, "Chrome/1 Linux", NOW)
    tenancy.recognise(person)
    assert [item.name for item, _ in factors.required_by(user, NOW)] == ["Harbour Desk"]
    assert "Harbour Desk" in credentials.about(user)
    factors.begin(user, locker=LOCKER, by=TESTER, now=NOW)
    seed = factors.waiting_seed(user, locker=LOCKER)
    code = totp.code(seed, totp.step_at(NOW))
    codes = factors.confirm(user, code, locker=LOCKER, keep=here, by=TESTER, now=NOW)
    assert factors.use_recovery_code(user, codes[0], by=TESTER, now=NOW)
    db.session.commit()
