"""Migrations: repeatable, versioned per schema, and a role that can do no more than it needs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from deploy.local.infrastructure import Infrastructure
from services.runtime.migrations import migrate_from, runtime_tables
from tests.services.runtime.service_under_test import ServiceUnderTest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_migrating_again_and_at_once_changes_nothing(
    world: ServiceUnderTest, stack: Infrastructure, tmp_path: Path
) -> None:
    (tmp_path / "0002_second.py").write_text(
        'from alembic import op\nrevision = "0002"\ndown_revision = "0001"\n'
        f'def upgrade():\n    op.execute("create table {world.schema}.second (id integer)")\n', encoding="utf-8"
    )
    admin = stack.database_dsn("admin")
    await asyncio.gather(*(migrate_from(tmp_path, world.schema, admin) for _ in range(2)))
    assert [tuple(row) for row in await world.rows("select version_num from {s}.alembic_version")] == [("0002",)]
    await world.rows("insert into {s}.second values (1)")


async def test_a_failing_revision_leaves_the_schema_as_it_was(
    world: ServiceUnderTest, stack: Infrastructure, tmp_path: Path
) -> None:
    (tmp_path / "0002_second.py").write_text(
        'from alembic import op\nrevision = "0002"\ndown_revision = "0001"\n'
        f'def upgrade():\n    op.execute("create table {world.schema}.second (id integer)")\n    1 / 0\n',
        encoding="utf-8",
    )
    with pytest.raises(ZeroDivisionError):
        await migrate_from(tmp_path, world.schema, stack.database_dsn("admin"))
    assert (await world.rows("select to_regclass('{s}.second') is null as gone"))[0]["gone"]


AS_IT_WAS = """drop index {s}.dead_letters_by_case;
    alter table {s}.dead_letters drop column case_id, drop column sealed_record,
        add column key bytea, add column headers jsonb not null, add column value bytea"""


async def test_a_world_that_kept_parked_records_in_clear_seals_them_from_now_on_and_loses_none(
    world: ServiceUnderTest, stack: Infrastructure, tmp_path: Path
) -> None:
    admin = await asyncpg.connect(stack.database_dsn("admin"))
    try:
        await admin.execute(AS_IT_WAS.format(s=world.schema))
        await admin.execute(
            f"insert into {world.schema}.dead_letters (id, topic, headers, reason_code, reason, attempts) "
            "values (gen_random_uuid(), 'topic', '[]', 'code', 'Reason.', 1)"
        )
        with pytest.raises(DBAPIError, match="Retry or delete them first"):
            await migrate_from(tmp_path, world.schema, stack.database_dsn("admin"))
        assert len(await world.rows("select headers from {s}.dead_letters")) == 1
        await admin.execute(f"delete from {world.schema}.dead_letters")
    finally:
        await admin.close()
    await migrate_from(tmp_path, world.schema, stack.database_dsn("admin"))
    assert await world.rows("select case_id, sealed_record from {s}.dead_letters") == []


@pytest.mark.parametrize("change", ["update {s}.evidence set id = 2", "delete from {s}.evidence",
                                    "truncate {s}.evidence"])
async def test_evidence_is_only_ever_added(world: ServiceUnderTest, stack: Infrastructure, change: str) -> None:
    await world.rows("insert into {s}.evidence values (1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.rows(change)
    admin = await asyncpg.connect(stack.database_dsn("admin"))
    try:
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await admin.execute(change.format(s=world.schema))
    finally:
        await admin.close()


async def test_a_service_sees_nothing_of_another_services_schema(
    world: ServiceUnderTest, stack: Infrastructure
) -> None:
    intake = await asyncpg.connect(stack.database_dsn("intake"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await intake.fetch(f"select 1 from {world.schema}.outbox")
    finally:
        await intake.close()


@pytest.mark.parametrize("name", ["Intake", "a; drop table b", "", "1a"])
async def test_a_name_that_is_no_schema_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no schema"):
        runtime_tables(None, name)
