"""Where things are within the containers' network, and what each container is given."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.postgres import DATABASE
from deploy.local.process_table import PROCESSES
from deploy.local.secret_store import SecretStore
from deploy.local.world import World

HTTP_PORT = 8000
SERVERS = {"postgres": "postgres:5432", "kafka": "kafka:9092", "temporal": "temporal:7233",
           "temporal_web": "temporal:8233"}
GIVEN = Path("/given")
"""In its own container: the settings and keys that one process was given, and nobody else's."""
OPERATOR_HOME = Path("/operator")
"""In the operator's container: every secret, and the world file by which the command line finds the stack."""


@dataclass(frozen=True)
class ContainerNetwork:
    """Every process under its own name, on one port."""

    secrets: SecretStore
    kafka_bootstrap: str = SERVERS["kafka"]
    temporal_address: str = SERVERS["temporal"]

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """postgresql:// address with the role's password."""
        return f"postgresql://{role}:{self.secrets.database_password(role)}@{SERVERS['postgres']}/{database}"

    def database_dsn(self, role: str) -> str:
        return self.dsn(role)

    def url(self, name: str) -> str:
        return f"http://{name}:{HTTP_PORT}"

    def listens_on(self, name: str) -> tuple[str, int]:
        return "0.0.0.0", HTTP_PORT

    def data_folder(self, name: str) -> Path:
        return Path("/data")

    def symmetric_key(self, name: str) -> str:
        return self.secrets.symmetric_key(name)

    def key_file(self, setting: str, name: str) -> Path:
        return GIVEN / self.secrets.key_file(setting, name).name


def operator_world(home: Path) -> World:
    """The world file that lets the command line work with the containers."""
    world = World.open(home)
    world.addresses = {**SERVERS, **{entry.name: f"{entry.name}:{HTTP_PORT}" for entry in PROCESSES}}
    parts = ("postgres", "kafka", "temporal", *(entry.name for entry in PROCESSES))
    world.status = {"up": True, "parts": dict.fromkeys(parts, "ready")}
    return world
