"""Models and migration say the same, and row level security is on wherever a row has a place."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from deploy.local.infrastructure import Infrastructure
from services.verification.models import SCHEMA
from tests.services.verification.service_under_test import Verification

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUNTIME_TABLES = {"outbox", "inbox", "kept_events", "dead_letters", "alembic_version"}


async def test_models_and_migration_agree(migrated: Infrastructure):
    ours = MetaData()
    for table in SQLModel.metadata.tables.values():
        if table.schema == SCHEMA:
            table.to_metadata(ours)

    def difference(connection: Connection) -> object:
        def counts(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
            schema = name if kind == "schema" else parents.get("schema_name", SCHEMA)
            return schema == SCHEMA and not (kind == "table" and name in RUNTIME_TABLES)

        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": counts, "compare_type": True})
        return compare_metadata(context, ours)

    engine = create_async_engine(migrated.database_dsn("admin").replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.run_sync(difference) == []
    await engine.dispose()


async def test_every_table_with_a_place_is_under_row_level_security(verification: Verification):
    rows = await verification.execute(
        "select c.relname, c.relforcerowsecurity from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "join pg_attribute a on a.attrelid = c.oid and a.attname = 'jurisdiction' "
        "where n.nspname = 'verification' and c.relkind = 'r'")
    assert len(rows) == 7
    assert all(row["relforcerowsecurity"] for row in rows)
