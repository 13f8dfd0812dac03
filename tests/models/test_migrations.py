"""The migrations: up, down, up again, and exactly what the models say, on both databases."""

from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import StrategyVersion
from app.models.base import Amount, Chosen, Moment
from tests import factories
from tests.factories import NOW


def same_type(_context, _inspected, _metadata, inspected_type, metadata_type):
    """Compare by what the database stores: our decorators are spelt out in migrations."""
    if isinstance(metadata_type, Moment | Amount | Chosen):
        return False
    return None


def differences():
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type})
        return compare_metadata(context, db.metadata)


def test_the_migrated_schema_is_what_the_models_say(app):
    assert differences() == []


def test_down_to_nothing_and_up_again(app):
    flask_migrate.downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    flask_migrate.upgrade()
    assert differences() == []


def test_one_head_and_numbered_files():
    names = sorted(path.stem for path in Path("app/migrations/versions").glob("*.py"))
    numbers = [name.split("_")[0] for name in names]
    assert numbers == [f"{number:04}" for number in range(1, len(names) + 1)]


def test_every_tenant_row_points_within_its_workspace():
    """A foreign key from one tenant's table to another's always carries the workspace."""
    tenants = {table.name for table in db.metadata.tables.values() if "workspace_id" in table.c}
    nullable = {"audit_event", "outbox"}
    for table in db.metadata.tables.values():
        for key in table.foreign_key_constraints:
            target = key.referred_table.name
            if table.name in tenants - nullable and target in tenants - {"workspace"}:
                assert "workspace_id" in key.column_keys, f"{table.name} -> {target}"


def test_a_row_cannot_point_into_another_workspace(app):
    mine, theirs = factories.organisation(), factories.organisation()
    strategy = factories.strategy(mine)
    db.session.commit()
    stray = StrategyVersion(
        workspace_id=theirs.id, strategy_id=strategy.id, number=2, rules={}, created_at=NOW
    )
    db.session.add(stray)
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        db.session.commit()
    db.session.rollback()
