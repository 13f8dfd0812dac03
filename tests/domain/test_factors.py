from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.domain import accounts, factors, totp, workspaces
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.extensions import db
from app.gateways.locker import Locker
from app.models import LoginSession, Mail, Notice, RecoveryCode, Role, TotpFactor
from tests import factories
from tests.factories import NOW

KEY, OTHER = "k" * 20 + "0123456789abcdef", "j" * 20 + "0123456789abcdef"
LOCKER = Locker([KEY])
BY = Actor("user", "alice@example.com", "usr_alice", ip="192.0.2.9")


def session_of(person, now=NOW):
    accounts.open_session(person, ip="192.0.2.9", user_agent="Chrome/1 Linux", by=BY, now=now)
    return accounts.live_sessions(person, now)[0]


def enrolled(person, now=NOW):
    """The seed and the recovery codes of a factor that counts."""
    here = session_of(person, now)
    factors.begin(person, locker=LOCKER, by=BY, now=now)
    seed = factors.waiting_seed(person, locker=LOCKER)
    code = totp.code(seed, totp.step_at(now))
    codes = factors.confirm(person, code, locker=LOCKER, keep=here, by=BY, now=now)
    db.session.commit()
    return seed, codes


@pytest.fixture
def person(app):
    made = factories.user()
    db.session.commit()
    return made


def tried(person, code, now):
    found = factors.check(person, code, locker=LOCKER, by=BY, now=now)
    db.session.commit()
    return found


def test_it_counts_only_once_a_code_confirmed_it(person):
    here, elsewhere = session_of(person), session_of(person, NOW + timedelta(seconds=1))
    factors.begin(person, locker=LOCKER, by=BY, now=NOW)
    seed = factors.waiting_seed(person, locker=LOCKER)
    assert factors.confirmed(person) is None
    with pytest.raises(Invalid, match="does not fit"):
        factors.confirm(person, "000000", locker=LOCKER, keep=here, by=BY, now=NOW)
    assert not tried(person, totp.code(seed, totp.step_at(NOW)), NOW)
    code = totp.code(seed, totp.step_at(NOW))
    codes = factors.confirm(
        person, f" {code[:3]} {code[3:]}", locker=LOCKER, keep=here, by=BY, now=NOW
    )
    assert factors.confirmed(person) is not None
    assert len(set(codes)) == 10
    assert factors.waiting_seed(person, locker=LOCKER) is None
    db.session.commit()
    assert here.revoked_at is None
    assert elsewhere.revoked_at is not None
    with pytest.raises(Conflict):
        factors.begin(person, locker=LOCKER, by=BY, now=NOW)


def test_no_code_is_taken_twice_nor_an_older_one_after_it(person):
    seed, _ = enrolled(person)
    later = NOW + timedelta(minutes=5)
    step = totp.step_at(later)
    assert not tried(person, totp.code(seed, totp.step_at(NOW)), NOW)
    assert tried(person, totp.code(seed, step), later)
    assert not tried(person, totp.code(seed, step), later)
    assert not tried(person, totp.code(seed, step - 1), later)
    assert tried(person, totp.code(seed, step + 1), later)


def test_wrong_codes_are_told_to_wait_and_for_longer_each_time(person):
    enrolled(person)
    moment, waits, denied = NOW + timedelta(minutes=1), [], []
    while len(denied) < 55:
        try:
            assert not tried(person, "000000", moment)
            denied.append(moment)
            moment += timedelta(seconds=1)
        except TooMany as refused:
            db.session.rollback()
            waits.append(refused.wait)
            moment += timedelta(seconds=refused.wait)
    assert waits[0] < 300
    assert 2000 < max(waits[:5]) < 3600
    assert max(waits) > 3600 * 10
    for limit in factors.LIMITS:
        for first in denied:
            within = [it for it in denied if first <= it < first + limit.within]
            assert len(within) <= limit.most


def test_the_right_code_is_not_taken_while_waiting(person):
    seed, codes = enrolled(person)
    moment = NOW + timedelta(minutes=1)
    for _ in range(5):
        assert not tried(person, "000000", moment)
    with pytest.raises(TooMany):
        tried(person, totp.code(seed, totp.step_at(moment)), moment)
    db.session.rollback()
    with pytest.raises(TooMany):
        factors.use_recovery_code(person, codes[0], by=BY, now=moment)


def test_a_recovery_code_works_once_for_its_owner(person):
    _, codes = enrolled(person)
    stranger = factories.user("Bob")
    assert not factors.use_recovery_code(stranger, codes[0], by=BY, now=NOW)
    assert factors.use_recovery_code(person, codes[0].upper().replace("-", " "), by=BY, now=NOW)
    assert not factors.use_recovery_code(person, codes[0], by=BY, now=NOW)
    assert factors.codes_left(person) == 9
    fresh = factors.renew_codes(person, by=BY, now=NOW)
    assert factors.codes_left(person) == 10
    assert not factors.use_recovery_code(person, codes[1], by=BY, now=NOW)
    assert factors.use_recovery_code(person, fresh[1], by=BY, now=NOW)
    kept = db.session.scalars(select(RecoveryCode.code_hash)).all()
    assert not any(code.replace("-", "") in "".join(kept) for code in fresh)
    assert len(fresh[0].replace("-", "")) * 5 >= 112


def test_the_seed_lies_locked_and_opens_for_its_owner_alone(person):
    seed, _ = enrolled(person)
    sealed = db.session.get(TotpFactor, person.id).sealed
    assert seed not in sealed
    bob = factories.user("Bob")
    enrolled(bob)
    db.session.execute(update(TotpFactor).where(TotpFactor.user_id == bob.id).values(sealed=sealed))
    later = NOW + timedelta(minutes=5)
    with pytest.raises(Refused, match="SECRET_KEY"):
        tried(bob, totp.code(seed, totp.step_at(later)), later)
    db.session.rollback()
    code = totp.code(seed, totp.step_at(later))
    assert factors.check(person, code, locker=Locker([OTHER, KEY]), by=BY, now=later)
    with pytest.raises(Refused, match="must name the old one"):
        factors.check(person, code, locker=Locker([OTHER]), by=BY, now=later)


def test_it_is_not_removed_while_a_workspace_asks_for_it(person):
    enrolled(person)
    here = session_of(person)
    workspace = factories.organisation()
    workspaces.add_member(workspace, person, Role.TRADER, by=BY, now=NOW)
    workspace.factor_from = NOW + timedelta(days=7)
    db.session.commit()
    assert factors.required_by(person, NOW) == [(workspace, NOW + timedelta(days=7))]
    with pytest.raises(Refused, match="Harbour Desk"):
        factors.remove(person, keep=here, by=BY, now=NOW)
    workspace.factor_from = None
    factors.remove(person, keep=here, by=BY, now=NOW)
    assert factors.confirmed(person) is None
    assert factors.codes_left(person) == 0


def test_real_money_and_a_workspace_can_insist(person):
    workspace = factories.organisation(person)
    with pytest.raises(Refused, match="second factor"):
        factors.demand_for_live(person)
    assert not factors.lacking(workspace, person, NOW)
    workspace.factor_from = NOW
    assert factors.lacking(workspace, person, NOW)
    assert not factors.lacking(workspace, person, NOW - timedelta(seconds=1))
    enrolled(person)
    factors.demand_for_live(person)
    assert not factors.lacking(workspace, person, NOW)


def test_each_change_is_told_by_letter_and_in_the_inbox(person):
    _, codes = enrolled(person)
    factors.use_recovery_code(person, codes[0], by=BY, now=NOW)
    factors.renew_codes(person, by=BY, now=NOW)
    factors.remove(person, keep=session_of(person), by=BY, now=NOW)
    db.session.flush()
    titles = [mail.values["title"] for mail in db.session.scalars(select(Mail).order_by(Mail.id))]
    told = db.session.scalars(select(Notice.title).where(Notice.user_id == person.id)).all()
    for title in ("was added", "was used", "were replaced", "was removed"):
        assert any(title in text for text in titles), titles
        assert any(title in text for text in told)
    assert db.session.scalar(select(func.count()).select_from(LoginSession)) > 0
    plain = " ".join(str(mail.values) for mail in db.session.scalars(select(Mail)))
    assert not any(code in plain for code in codes)
