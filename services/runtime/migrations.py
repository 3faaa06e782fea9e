"""Migrations of a service's schema, and the tables, policies and grants that every service has alike.

Migrations run as the admin, who owns the tables; the service's role is named like its schema and owns nothing, so
that row level security binds it.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import threading
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
SEES: Final = (
    "current_setting('onething.jurisdiction', true) = '*' "
    # Hazard: once set in a session, the setting reads as '' outside its transaction, and '' || '%' is everyone.
    "or (current_setting('onething.jurisdiction', true) <> '' "
    "and jurisdiction like current_setting('onething.jurisdiction', true) || '%')"
)


# Hazard: alembic keeps the environment of a run in globals of its module; two threads would take each other's.
_one_at_a_time = threading.Lock()


def run_migrations(service: str, admin_dsn: str) -> None:
    """Bring a service's schema up to date. Not from inside an event loop: use `migrate` there."""
    with _one_at_a_time:
        asyncio.run(migrate(service, admin_dsn))


async def migrate(service: str, admin_dsn: str) -> None:
    """Bring a service's schema up to date with the revisions in `services/<service>/migrations/*.py`."""
    package = importlib.import_module(f"services.{service}.migrations")
    await migrate_from(Path(package.__path__[0]), service, admin_dsn)


async def migrate_from(folder: Path, schema: str, admin_dsn: str) -> None:
    """Bring a schema up to date with the revisions in a folder, in one transaction; versions are kept per schema."""
    engine = create_async_engine(re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", admin_dsn), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, folder, _checked(schema))
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, folder: Path, schema: str) -> None:
    # Two starts at once: the second waits here and then finds nothing to do.
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:schema, 0))"), {"schema": schema})
    connection.execute(text(f"create schema if not exists {schema}"))
    _ensure_role(connection, schema)
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    script = ScriptDirectory.from_config(config)

    def to_head(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)  # pyright: ignore[reportPrivateUsage] # as alembic's command does

    with EnvironmentContext(config, script, fn=to_head, destination_rev="head") as environment:
        environment.configure(connection=connection, version_table_schema=schema)
        with environment.begin_transaction():
            environment.run_migrations()
    connection.execute(text(SEAL_DEAD_LETTERS.format(schema=schema)))


def _ensure_role(connection: Connection, schema: str) -> None:
    if connection.execute(text("select 1 from pg_roles where rolname = :role"), {"role": schema}).scalar() is None:
        connection.execute(text(f"create role {schema} nologin nosuperuser nobypassrls"))
    connection.execute(text(f"grant usage on schema {schema} to {schema}"))
    for objects, rights in (("tables", "select, insert, update, delete"), ("sequences", "usage, select")):
        connection.execute(
            text(f"alter default privileges in schema {schema} grant {rights} on {objects} to {schema}")
        )


def runtime_tables(op: Any, schema: str) -> None:
    """Create outbox, inbox, kept_events and dead_letters with their grants; for a service's first revision."""
    name = _checked(schema)
    for statement in RUNTIME_TABLES:
        op.execute(statement.format(schema=name))


def row_level_security(op: Any, schema: str, table: str) -> None:
    """Let the service's role see and write only rows whose `jurisdiction` lies in the transaction's."""
    target = f"{_checked(schema)}.{_checked(table)}"
    op.execute(f"alter table {target} enable row level security")
    op.execute(f"alter table {target} force row level security")
    op.execute(f"create policy within_jurisdiction on {target} using ({SEES}) with check ({SEES})")


def append_only(op: Any, schema: str, table: str) -> None:
    """Rows of this table are never changed nor deleted: by the service's role, nor by anyone's mistake."""
    name, target = _checked(schema), f"{_checked(schema)}.{_checked(table)}"
    op.execute(f"revoke update, delete, truncate on {target} from {name}")
    op.execute(
        f"create or replace function {name}.refuse_change() returns trigger language plpgsql as $$ begin "
        "raise exception '%.% is append-only: add a new row instead', tg_table_schema, tg_table_name "
        "using errcode = 'restrict_violation'; end $$"
    )
    op.execute(
        f"create trigger append_only before update or delete or truncate on {target} "
        f"for each statement execute function {name}.refuse_change()"
    )


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no schema or table name: lower-case letters, digits and _ only.")
    return name


# The outbox and kept_events are queues: vacuumed early, so that reading their head stays cheap.
RUNTIME_TABLES: Final = (
    """create table {schema}.outbox (
        id bigint generated always as identity primary key,
        event_id uuid not null,
        topic text not null,
        key text not null,
        shard smallint not null,
        headers jsonb not null,
        value bytea not null,
        recorded_at timestamptz not null default clock_timestamp()
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)""",
    "create index outbox_by_shard on {schema}.outbox (shard, id)",
    """create table {schema}.inbox (
        event_id uuid primary key,
        handled_at timestamptz not null default clock_timestamp()
    )""",
    "create index inbox_by_age on {schema}.inbox using brin (handled_at)",
    """create table {schema}.kept_events (
        id bigint generated always as identity,
        event_id uuid primary key,
        key text not null,
        case_id uuid not null,
        headers jsonb not null,
        value bytea not null,
        due boolean not null default false,
        kept_at timestamptz not null default clock_timestamp()
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)""",
    "create index kept_events_by_key on {schema}.kept_events (key)",
    "create index kept_events_due on {schema}.kept_events (id) where due",
    """create table {schema}.dead_letters (
        id uuid primary key,
        topic text not null,
        partition integer,
        record_offset bigint,
        case_id uuid,
        sealed_record bytea not null,
        reason_code text not null,
        reason text not null,
        first_failed_at timestamptz not null default clock_timestamp(),
        attempts integer not null,
        retried_at timestamptz,
        unique (topic, partition, record_offset)
    )""",
    "create index dead_letters_by_case on {schema}.dead_letters (case_id)",
)

# Worlds made before records were sealed: idempotent, and it never throws a parked record away.
SEAL_DEAD_LETTERS: Final = """do $$ begin
    if exists (select from information_schema.columns
               where table_schema = '{schema}' and table_name = 'dead_letters' and column_name = 'value') then
        if exists (select from {schema}.dead_letters) then
            raise exception '{schema}.dead_letters holds records of an earlier version. Retry or delete them first.';
        end if;
        alter table {schema}.dead_letters drop column key, drop column headers, drop column value,
            add column case_id uuid, add column sealed_record bytea not null;
        create index dead_letters_by_case on {schema}.dead_letters (case_id);
    end if;
end $$"""
