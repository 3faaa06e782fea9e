"""Every process of ours that `onething up` runs: its module, and exactly the settings it is given.

A new process, or a new setting of one, is a line here. A process refuses settings it does not know, and is
given no key it does not need.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.local.infrastructure import Infrastructure
from deploy.local.secret_store import SOURCES
from deploy.local.world import LOCALHOST, World

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


def environment(entry: Entry, infrastructure: Infrastructure) -> dict[str, str]:
    """The `ONETHING_*` variables of one process."""
    return {f"ONETHING_{name}": _value(name, entry, infrastructure) for name in entry.settings}


def _value(setting: str, entry: Entry, infrastructure: Infrastructure) -> str:
    world, secrets = infrastructure.world, infrastructure.secrets
    if setting.endswith("_URL"):
        return world.url(setting.removesuffix("_URL").lower())
    match setting:
        case "ENV":
            return "demo"
        case "LOG_LEVEL":
            return "INFO"
        case "HTTP_HOST":
            return LOCALHOST
        case "HTTP_PORT":
            return str(world.ports[entry.name])
        case "DATABASE_DSN":
            return infrastructure.database_dsn(entry.name)
        case "KAFKA_BOOTSTRAP":
            return infrastructure.kafka_bootstrap
        case "TEMPORAL_ADDRESS":
            return infrastructure.temporal_address
        case "TEMPORAL_NAMESPACE":
            return "onething"
        case "PAYLOAD_KEY" | "VAULT_KEY" | "BLIND_INDEX_KEY":
            return secrets.symmetric_key(setting)
        case "TRUSTED_KEYS_FILE":
            return str(secrets.trusted_keys_file)
        case "RECIPIENT_KEYS_FILE":
            return str(secrets.recipient_keys_file)
        case "SIGNING_KEY_FILE":
            return str(secrets.signing_key_file(entry.name))
        case "IDP_KEY_FILE":
            return str(secrets.signing_key_file("idp"))
        case "RECIPIENT_PRIVATE_KEYS_FILE":
            return str(secrets.private_keys_file(entry.name))
        case "DATA_FOLDER":
            return str(data_folder(world, entry))
        case "SOURCE_URLS":
            return _urls({source: f"{world.url('sources')}/{source}" for source in SOURCES})
        case "WATCHED_URLS":
            return _urls({other.name: world.url(other.name) for other in PROCESSES if other.kind != "keeper"})
        case "ACTOR_URLS":
            return _urls({other.name: world.url(other.name) for other in PROCESSES if other.kind == "actor"})
        case _:
            raise ValueError(f"Setting {setting} of {entry.name} has no value in deploy/local/process_table.py.")


def data_folder(world: World, entry: Entry) -> Path:
    """Where an actor of the sandbox keeps what it must remember between starts."""
    return world.home / "sandbox" / entry.name


def _urls(urls: dict[str, str]) -> str:
    return json.dumps(urls)
