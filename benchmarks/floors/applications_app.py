"""The floor of `POST /applications`: FastAPI and asyncpg, the body and as many rows as the system writes.

    FLOOR_DSN=… FLOOR_ROWS='{"cases": 1, …}' python -m benchmarks.floors.applications_app 8001
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI

from benchmarks.floors.stage_process import BODY
from contracts.envelope import new_id
from deploy.local.world import LOCALHOST

SCHEMA: Final = "applications"
FORMS: Final = "forms"
"""Where the body goes; the other tables are named as the system's."""
POOL_CONNECTIONS: Final = 10
BACKLOG: Final = 1024
"""Both as many as a service has."""


def schema(rows: Mapping[str, int]) -> str:
    """The tables, like those of the pipeline's stages."""
    tables = "".join(
        f"create table {SCHEMA}.{table} (row_id uuid primary key, case_id uuid not null, body {kind} not null);"
        f"create index on {SCHEMA}.{table} (case_id);"
        for table, kind in {FORMS: "jsonb", **dict.fromkeys(rows, "text")}.items()
    )
    return f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}; {tables}"


def application(dsn: str, rows: Mapping[str, int]) -> FastAPI:
    """One route that stores, one that says that it answers."""

    @asynccontextmanager
    async def with_pool(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=POOL_CONNECTIONS, max_size=POOL_CONNECTIONS) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=with_pool)

    @app.get("/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/applications", status_code=201)
    async def post_application(body: dict[str, Any]) -> dict[str, str]:
        """Store the body and its rows in one transaction, one statement per table."""
        case_id = new_id()
        async with app.state.pool.acquire() as connection, connection.transaction():
            await connection.execute(_insert(FORMS), new_id(), case_id, orjson.dumps(body).decode())
            for table, count in rows.items():
                await connection.executemany(_insert(table), [(new_id(), case_id, BODY) for _ in range(count)])
        return {"case_id": str(case_id)}

    return app


def _insert(table: str) -> str:
    return f"insert into {SCHEMA}.{table} (row_id, case_id, body) values ($1, $2, $3)"


if __name__ == "__main__":
    uvicorn.run(
        application(os.environ["FLOOR_DSN"], orjson.loads(os.environ["FLOOR_ROWS"])), host=LOCALHOST,
        port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False, backlog=BACKLOG, loop="uvloop",
    )
