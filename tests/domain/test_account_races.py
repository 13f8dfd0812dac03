"""What counts once counts once, also for two who come at the same moment, on both databases."""

import pytest

from app.domain import accounts, credentials, factors, mailed_links, totp
from app.domain.errors import Conflict
from app.extensions import db
from app.models import LinkPurpose, User
from tests import factories
from tests.domain.test_factors import BY, LOCKER, enrolled
from tests.factories import NOW
from tests.parallel import at_once

LATER = NOW.replace(hour=13)


@pytest.fixture
def person(app):
    made = factories.user()
    db.session.commit()
    return made.id


def test_of_two_who_type_the_same_code_one_is_let_in(app, person):
    seed, _ = enrolled(db.session.get(User, person))
    code, passed = totp.code(seed, totp.step_at(LATER)), []

    def act():
        user = db.session.get(User, person)
        yield
        passed.append(factors.check(user, code, locker=LOCKER, by=BY, now=LATER))

    assert at_once(app, act, act) == [None, None]
    assert sorted(passed) == [False, True]


def test_of_two_who_type_the_same_recovery_code_one_is_let_in(app, person):
    _, codes = enrolled(db.session.get(User, person))
    passed = []

    def act():
        user = db.session.get(User, person)
        yield
        passed.append(factors.use_recovery_code(user, codes[0], by=BY, now=LATER))

    assert at_once(app, act, act) == [None, None]
    assert sorted(passed) == [False, True]


def test_of_two_who_follow_a_reset_link_one_sets_the_password(app, person):
    token = mailed_links.issue(
        db.session.get(User, person), LinkPurpose.RESET, "a@example.com", now=NOW
    )
    db.session.commit()

    def act():
        mailed_links.find(token, LinkPurpose.RESET, now=NOW)
        yield
        credentials.reset(token, accounts.HASHER.hash("nine loud lanterns"), by=BY, now=NOW)

    refusals = at_once(app, act, act)
    assert [type(it) for it in refusals if it] == [Conflict]
