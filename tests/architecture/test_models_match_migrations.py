"""What a service's models describe is what its migrations made, and every row with a place is guarded by it."""

from __future__ import annotations

from importlib import import_module

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from deploy.local.infrastructure import Infrastructure
from services.runtime.migrations import migrate

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICES = ("intake", "verification", "approval", "disbursement", "coordination")
OF_RUNTIME = {"outbox", "inbox", "kept_events", "dead_letters", "alembic_version"}
"""Tables every service has alike: written by raw statements, without models."""


def models_of(service: str) -> MetaData:
    """The tables of one service: whatever other models this session has imported is left out."""
    import_module(f"services.{service}.models")
    models = MetaData()
    for table in SQLModel.metadata.tables.values():
        if table.schema == service:
            table.to_metadata(models)
    return models


@pytest.mark.parametrize("service", SERVICES)
async def test_models_and_migrations_describe_the_same_tables(stack: Infrastructure, service: str):
    def differences(connection: Connection) -> list[object]:
        def counts(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
            schema = name if kind == "schema" else parents.get("schema_name", service)
            return schema == service and not (kind == "table" and name in OF_RUNTIME)

        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": counts, "compare_type": True})
        return compare_metadata(context, models)

    models = models_of(service)
    assert models.tables, f"{service} has no models: this test would compare nothing"
    await migrate(service, stack.database_dsn("admin"))
    engine = create_async_engine(stack.database_dsn("admin").replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_with_a_place_is_under_row_level_security(stack: Infrastructure, service: str):
    await migrate(service, stack.database_dsn("admin"))
    connection = await asyncpg.connect(stack.database_dsn("admin"))
    try:
        rows = await connection.fetch(
            "select c.relname, c.relrowsecurity and c.relforcerowsecurity as guarded, "
            "exists (select from pg_policy p where p.polrelid = c.oid) as has_policy "
            "from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'jurisdiction' "
            "where c.relnamespace = $1::text::regnamespace and c.relkind = 'r'", service,
        )
    finally:
        await connection.close()
    assert rows, f"{service} has no table with a place: this test would check nothing"
    assert [row["relname"] for row in rows if not (row["guarded"] and row["has_policy"])] == []
