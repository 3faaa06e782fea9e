"""Every process of ours that `onething up` runs: its module, and exactly the settings it is given.

A new process, or a new setting of one, is a line here. A process refuses settings it does not know, and is
given no key it does not need.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from deploy.local.secret_store import SOURCES

Kind = Literal["service", "worker", "actor", "keeper"]

HTTP = ("ENV", "HTTP_HOST", "HTTP_PORT", "LOG_LEVEL")
DATABASE_AND_TEMPORAL = ("DATABASE_DSN", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "PAYLOAD_KEY")
SERVICE = (*HTTP, *DATABASE_AND_TEMPORAL, "KAFKA_BOOTSTRAP", "TRUSTED_KEYS_FILE", "SIGNING_KEY_FILE")
ACTOR = ("HTTP_HOST", "HTTP_PORT")
SERVICE_URLS = ("INTAKE_URL", "VERIFICATION_URL", "APPROVAL_URL", "DISBURSEMENT_URL", "COORDINATION_URL")


@dataclass(frozen=True)
class Entry:
    """One process: `settings` are names without the prefix `ONETHING_`."""

    name: str
    module: str
    kind: Kind
    settings: tuple[str, ...]


PROCESSES = (
    Entry(
        "intake",
        "services.intake.app",
        "service",
        (*SERVICE, "VAULT_KEY", "BLIND_INDEX_KEY", "RECIPIENT_KEYS_FILE"),
    ),
    Entry("verification", "services.verification.app", "service", (*SERVICE, "INTAKE_URL", "SOURCE_URLS")),
    Entry("approval", "services.approval.app", "service", SERVICE),
    Entry("disbursement", "services.disbursement.app", "service", (*SERVICE, "INTAKE_URL", "BANK_URL")),
    Entry("coordination", "services.coordination.app", "service", (*SERVICE, "INTAKE_URL")),
    Entry("workflows", "workflows.worker", "worker", (*HTTP, *DATABASE_AND_TEMPORAL)),
    Entry(
        "sources",
        "deploy.sandbox.sources.app",
        "actor",
        (*ACTOR, "IDP_KEY_FILE", "RECIPIENT_PRIVATE_KEYS_FILE", "VERIFICATION_URL", "DATA_FOLDER"),
    ),
    Entry(
        "officers",
        "deploy.sandbox.officers.app",
        "actor",
        (*ACTOR, "IDP_KEY_FILE", "COORDINATION_URL", "VERIFICATION_URL", "APPROVAL_URL"),
    ),
    Entry(
        "electricity",
        "deploy.sandbox.electricity.app",
        "actor",
        (
            *ACTOR,
            "IDP_KEY_FILE",
            "RECIPIENT_PRIVATE_KEYS_FILE",
            "KAFKA_BOOTSTRAP",
            "COORDINATION_URL",
        ),
    ),
    Entry(
        "bank",
        "deploy.sandbox.bank.app",
        "actor",
        (*ACTOR, "IDP_KEY_FILE", "RECIPIENT_PRIVATE_KEYS_FILE", "DISBURSEMENT_URL", "DATA_FOLDER"),
    ),
    Entry(
        "player",
        "deploy.sandbox.player.app",
        "actor",
        (
            *(*ACTOR, "IDP_KEY_FILE", "KAFKA_BOOTSTRAP", *SERVICE_URLS),
            *("SOURCES_URL", "OFFICERS_URL", "ELECTRICITY_URL", "BANK_URL"),
        ),
    ),
    # Last: it may leap only when everybody else is there to be asked.
    Entry(
        "keeper",
        "deploy.local.clock_keeper",
        "keeper",
        (
            *HTTP,
            "DATABASE_DSN",
            "TRUSTED_KEYS_FILE",
            "SIGNING_KEY_FILE",
            "COORDINATION_URL",
            "WATCHED_URLS",
            "ACTOR_URLS",
        ),
    ),
)


class Surroundings(Protocol):
    """Where a process finds the others and its own files: on this machine, or in a container."""

    @property
    def kafka_bootstrap(self) -> str: ...

    @property
    def temporal_address(self) -> str: ...

    def database_dsn(self, role: str) -> str: ...

    def url(self, name: str) -> str:
        """The HTTP address at which the others reach a process."""
        ...

    def listens_on(self, name: str) -> tuple[str, int]:
        """The address and port on which a process listens."""
        ...

    def data_folder(self, name: str) -> Path:
        """Where an actor of the sandbox keeps what it must remember between starts."""
        ...

    def symmetric_key(self, name: str) -> str: ...

    def key_file(self, setting: str, name: str) -> Path:
        """The file of keys that a process is given under a setting."""
        ...


def environment(entry: Entry, around: Surroundings) -> dict[str, str]:
    """The `ONETHING_*` variables of one process."""
    return {f"ONETHING_{name}": _value(name, entry, around) for name in entry.settings}


def _value(setting: str, entry: Entry, around: Surroundings) -> str:
    if setting.endswith("_URL"):
        return around.url(setting.removesuffix("_URL").lower())
    if setting.endswith("_FILE"):
        return str(around.key_file(setting, entry.name))
    match setting:
        case "ENV":
            return "demo"
        case "LOG_LEVEL":
            return "INFO"
        case "HTTP_HOST":
            return around.listens_on(entry.name)[0]
        case "HTTP_PORT":
            return str(around.listens_on(entry.name)[1])
        case "DATABASE_DSN":
            return around.database_dsn(entry.name)
        case "KAFKA_BOOTSTRAP":
            return around.kafka_bootstrap
        case "TEMPORAL_ADDRESS":
            return around.temporal_address
        case "TEMPORAL_NAMESPACE":
            return "onething"
        case "PAYLOAD_KEY" | "VAULT_KEY" | "BLIND_INDEX_KEY":
            return around.symmetric_key(setting)
        case "DATA_FOLDER":
            return str(around.data_folder(entry.name))
        case "SOURCE_URLS":
            return json.dumps({source: f"{around.url('sources')}/{source}" for source in SOURCES})
        case "WATCHED_URLS":
            return _urls(around, {"service", "worker", "actor"})
        case "ACTOR_URLS":
            return _urls(around, {"actor"})
        case _:
            raise ValueError(f"Setting {setting} of {entry.name} has no value in deploy/local/process_table.py.")


def _urls(around: Surroundings, kinds: set[Kind]) -> str:
    return json.dumps({other.name: around.url(other.name) for other in PROCESSES if other.kind in kinds})
