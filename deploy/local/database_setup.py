"""The database the services find in place: roles, the schema `clock`, and each service's own schema."""

import asyncio
import importlib
from importlib.util import find_spec
from typing import Protocol

import asyncpg

from deploy.local.postgres import ADMIN, DATABASE
from deploy.local.secret_store import DATABASE_ROLES, SERVICES, SecretStore

LOGIN_ROLES = tuple(role for role in DATABASE_ROLES if role != ADMIN)

CLOCK_SCHEMA = """
create schema if not exists clock;
create table if not exists clock.leaps (
    number bigint generated always as identity primary key,
    offset_us bigint not null,
    leapt_at timestamptz not null default clock_timestamp(),
    kind text not null check (kind in ('start', 'leap', 'restore')),
    reason text
);
create table if not exists clock.saved (
    only_row boolean primary key default true check (only_row),
    legal_at timestamptz not null
);
"""


class DatabaseServer(Protocol):
    """A PostgreSQL server, here or elsewhere."""

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """The address with the role's password."""
        ...


async def create_database(postgres: DatabaseServer, secrets: SecretStore) -> None:
    """Make the database, the login roles and the clock where they are missing. Idempotent."""
    connection = await asyncpg.connect(postgres.dsn(ADMIN, "postgres"))
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f'create database "{DATABASE}"')
        for role in LOGIN_ROLES:
            await _create_role(connection, role, secrets.database_password(role))
    finally:
        await connection.close()
    connection = await asyncpg.connect(postgres.dsn(ADMIN))
    try:
        async with connection.transaction():
            await connection.execute(CLOCK_SCHEMA)
            await connection.execute(f"revoke all on database {DATABASE} from public")
            for role in LOGIN_ROLES:
                await connection.execute(f"grant connect on database {DATABASE} to {role}")
                await connection.execute(f"grant usage on schema clock to {role}")
                await connection.execute(f"grant select on all tables in schema clock to {role}")
            await connection.execute("grant insert on clock.leaps to keeper")
            await connection.execute("grant insert, update on clock.saved to keeper")
    finally:
        await connection.close()


async def migrate(postgres: DatabaseServer) -> list[str]:
    """Bring the schema of every service that has migrations up to date; return their names."""
    migrated: list[str] = []
    for service in SERVICES:
        if find_spec(f"services.{service}") and find_spec(f"services.{service}.migrations"):
            migrations = importlib.import_module("services.runtime.migrations")
            await asyncio.to_thread(migrations.run_migrations, service, postgres.dsn(ADMIN))
            migrated.append(service)
    return migrated


async def _create_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    # Safe to interpolate: role names are ours, passwords are token_urlsafe (letters, digits, - and _).
    known = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
    verb = "alter" if known else "create"
    await connection.execute(f"{verb} role {role} login nosuperuser nobypassrls password '{password}'")
