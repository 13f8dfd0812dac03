import subprocess
import sys
from datetime import timedelta

import pytest

from app.domain import passwords
from app.domain.audit import Actor
from app.domain.errors import TooMany
from app.extensions import db
from tests import factories
from tests.factories import NOW, PASSWORD


def stranger(number=1):
    return Actor("anonymous", "anonymous", ip=f"192.0.2.{number}")


def attempt(email, password, by, now=NOW):
    begun = passwords.begin(email=email, by=by, now=now)
    found = passwords.finish(passwords.verify(begun, password), by=by, now=now)
    db.session.commit()
    return found


@pytest.fixture
def person(app):
    made = factories.user()
    db.session.commit()
    return made


def test_the_right_password_alone_is_let_in(person):
    assert attempt(f" {person.email.upper()} ", PASSWORD, stranger()) is person
    assert attempt(person.email, "a wrong password", stranger()) is None
    assert attempt("nobody@example.com", PASSWORD, stranger()) is None


def test_a_password_changed_meanwhile_lets_nobody_in(person):
    begun = passwords.begin(email=person.email, by=stranger(), now=NOW)
    proof = passwords.verify(begun, PASSWORD)
    person.password_hash = "another"
    assert passwords.finish(proof, by=stranger(), now=NOW) is None


@pytest.mark.parametrize("known", [True, False])
def test_an_account_is_closed_for_a_while_whoever_tries(person, known):
    email = person.email if known else "nobody@example.com"
    for number in range(passwords.MOST_FOR_ACCOUNT):
        later = NOW + timedelta(seconds=number / 10)
        assert attempt(email, "a wrong password", stranger(number), later) is None
    with pytest.raises(TooMany) as refused:
        attempt(email, PASSWORD, stranger(199), NOW + timedelta(seconds=60))
    assert refused.value.wait == 240
    found = attempt(email, PASSWORD, stranger(199), NOW + timedelta(minutes=5))
    assert found is (person if known else None)


def test_one_stranger_locks_nobody_out(person):
    for _ in range(passwords.MOST_FROM_ADDRESS):
        attempt(person.email, "a wrong password", stranger())
    with pytest.raises(TooMany):
        attempt(person.email, "a wrong password", stranger())
    assert attempt(person.email, PASSWORD, stranger(2)) is person


def test_an_address_is_turned_away_whomever_it_tries(person):
    for number in range(passwords.MOST_FROM_ADDRESS):
        attempt(f"someone{number}@example.com", "a wrong password", stranger())
    with pytest.raises(TooMany):
        attempt(person.email, PASSWORD, stranger())
    assert attempt(person.email, PASSWORD, stranger(2)) is person


def test_hashing_is_argon2id_at_least_as_hard_as_owasp_asks():
    """In a process of its own: the suite hashes cheaply."""
    code = (
        "from app.domain.accounts import HASHER as h; "
        "print(h.type.name, h.time_cost, h.memory_cost, h.parallelism)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kind, passes, kibibytes, _ = said.stdout.split()
    assert kind == "ID"
    assert int(passes) >= 1
    assert int(kibibytes) >= 46 * 1024
