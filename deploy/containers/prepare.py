"""Second job, on servers that run: database, roles, schemas, legal clock and topics.

`ONETHING_LEGAL_START` (ISO 8601 with offset) is where legal time begins on a world that never ran.
"""

import asyncio
import os
from datetime import datetime

import asyncpg

from deploy.containers.addresses import OPERATOR_HOME, SERVERS, ContainerNetwork
from deploy.local import database_setup, legal_clock, topics
from deploy.local.database_setup import LOGIN_ROLES, DatabaseServer
from deploy.local.postgres import ADMIN
from deploy.local.secret_store import SecretStore
from deploy.local.world import World


async def prepare(
    postgres: DatabaseServer, secrets: SecretStore, kafka_bootstrap: str, legal_start: datetime | None
) -> None:
    """Make what the services find in place. Idempotent: a later start takes up legal time where it stopped."""
    await database_setup.create_database(postgres, secrets)
    # Hazard: `docker compose up` on a stack that is up comes here too, and time that runs must not be set back.
    if not await somebody_is_at_work(postgres):
        await legal_clock.begin(postgres.dsn("keeper"), legal_start)
    await database_setup.migrate(postgres)
    await topics.create_topics(kafka_bootstrap)


async def somebody_is_at_work(postgres: DatabaseServer) -> bool:
    """Whether a process of ours is connected to the database."""
    connection = await asyncpg.connect(postgres.dsn(ADMIN))
    try:
        return await connection.fetchval(
            "select exists (select from pg_stat_activity where usename = any($1))", list(LOGIN_ROLES)
        )
    finally:
        await connection.close()


def main() -> None:
    """Prepare the servers of compose.yaml."""
    network = ContainerNetwork(SecretStore(World.open(OPERATOR_HOME).secrets))
    start = os.environ.get("ONETHING_LEGAL_START")
    legal_start = datetime.fromisoformat(start) if start else None
    asyncio.run(prepare(network, network.secrets, SERVERS["kafka"], legal_start))


if __name__ == "__main__":
    main()
