"""Every column is classed; what is secret is never told."""

import pytest

from app.domain import audit_columns
from app.domain.audit_columns import AUDITED, OWN_LEDGERS, Treatment
from app.extensions import db
from tests import factories


def test_every_table_is_audited_or_keeps_its_own_history():
    tables = set(db.metadata.tables)
    assert AUDITED.keys() | OWN_LEDGERS == tables
    assert AUDITED.keys() & OWN_LEDGERS == set()


@pytest.mark.parametrize("table", sorted(AUDITED))
def test_every_column_is_classed_once(table):
    said = AUDITED[table]
    names = f"{said.track} {said.hidden} {said.ignore}".split()
    assert sorted(names) == sorted(db.metadata.tables[table].columns.keys())


@pytest.mark.parametrize("table", sorted(AUDITED))
def test_no_hash_and_no_seal_is_told(table):
    treatments = AUDITED[table].treatments()
    for name, treatment in treatments.items():
        if name.endswith("_hash") or name in ("sealed", "key_hint"):
            assert treatment is Treatment.SECRET, name


def test_a_secret_says_that_it_changed_and_no_more(app):
    person = factories.user()
    before = audit_columns.values_of(person)
    person.password_hash, person.name, person.last_workspace_id = "hunter2", "Zoë", "ws_x"
    changes = audit_columns.changes_in(person, before)
    told = {change.field: (change.before, change.after) for change in changes}
    assert told == {"name": ("Alice", "Zoë"), "password_hash": (None, "changed")}


def test_what_stays_the_same_is_not_told(app):
    person = factories.user()
    assert audit_columns.changes_in(person, audit_columns.values_of(person)) == []
