"""The models and the migration describe the same tables."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from services.coordination import models
from tests.services.coordination.service_under_test import Coordination

TABLES = [table for table in SQLModel.metadata.sorted_tables if table.schema == models.SCHEMA]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_model_has_the_columns_and_indexes_of_its_migration(coordination: Coordination, table):
    engine = create_async_engine(coordination.admin_dsn.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        columns = await connection.run_sync(lambda c: inspect(c).get_columns(table.name, schema=models.SCHEMA))
        indexes = await connection.run_sync(lambda c: inspect(c).get_indexes(table.name, schema=models.SCHEMA))
    dialect = engine.dialect
    await engine.dispose()
    assert {(column["name"], column["nullable"], column["type"].compile(dialect)) for column in columns} == {
        (column.name, bool(column.nullable), column.type.compile(dialect)) for column in table.columns
    }
    assert {(index["name"], index["unique"]) for index in indexes} == {
        (index.name, index.unique) for index in table.indexes
    }
