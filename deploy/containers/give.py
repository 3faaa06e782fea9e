"""First job: make the secrets once, and give each process its own settings and keys.

Each process has a volume of its own, so that no container can read what another was given.
"""

import os
import shlex
import shutil
from pathlib import Path

from deploy.containers.addresses import OPERATOR_HOME, ContainerNetwork, operator_world
from deploy.local.postgres import ADMIN
from deploy.local.process_table import PROCESSES, Entry, environment
from deploy.local.secret_store import SecretStore

OUT = Path("/out")
"""One folder a volume: what a process is given under its name, its data under `data_` and its name."""
OUR_USER, POSTGRES_USER = 10001, 999
"""User and group ids in deploy/Dockerfile, and in the image of PostgreSQL."""
READ_ONLY, READ_AND_WRITE = 0o400, 0o600


def main() -> None:
    """Make what is missing and write everything anew."""
    world = operator_world(OPERATOR_HOME)
    secrets = SecretStore(world.secrets)
    secrets.create()
    world.save()
    network = ContainerNetwork(secrets)
    for entry in PROCESSES:
        give(entry, network, OUT / entry.name)
    (OUT / "postgres" / "password").write_text(secrets.database_password(ADMIN))
    hand_over(OUT / "postgres", POSTGRES_USER, READ_ONLY)
    for data in OUT.glob("data_*"):
        hand_over(data, OUR_USER, READ_AND_WRITE)
    hand_over(OPERATOR_HOME, OUR_USER, READ_AND_WRITE)


def give(entry: Entry, network: ContainerNetwork, folder: Path) -> None:
    """Write one process's settings as a file for `sh`, and copy the key files they name."""
    settings = environment(entry, network)
    for setting in entry.settings:
        if setting.endswith("_FILE"):
            shutil.copy(network.secrets.key_file(setting, entry.name), folder)
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(settings.items())]
    (folder / "settings.env").write_text("".join(lines))
    hand_over(folder, OUR_USER, READ_ONLY)


def hand_over(folder: Path, user: int, mode: int) -> None:
    """Let a user alone own a folder with everything in it; `mode` is that of its files."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else mode)
        os.chown(path, user, user)


if __name__ == "__main__":
    main()
