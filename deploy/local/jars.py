"""The broker's jars: resolved by jgo from Maven coordinates, pinned by SHA-256 in `jars.lock`.

`python -m deploy.local.jars` fetches what is missing; `--lock` resolves anew and rewrites the lock.
The lock holds coordinates and hashes only, never an address.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from deploy.local.problem import StackProblem, disk_problem

LOCK_FILE = Path(__file__).with_name("jars.lock")
JARS_FOLDER = Path(__file__).parents[2] / ".onething" / "jars"

ROOTS = ("org.apache.kafka:kafka_2.13:4.1.1", "org.slf4j:slf4j-simple:1.7.36")
PARALLEL_DOWNLOADS = 8


@dataclass(frozen=True)
class LockedJar:
    """One jar of the class path: its Maven coordinate `group:artifact:version` and its content's hash."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(lock_file: Path = LOCK_FILE) -> list[LockedJar]:
    """The jars of the committed lock, in its order."""
    rows = (line.split() for line in lock_file.read_text().splitlines() if line and not line.startswith("#"))
    return [LockedJar(coordinate, digest.removeprefix("sha256:")) for coordinate, digest in rows]


def class_path(folder: Path = JARS_FOLDER) -> str:
    """The broker's Java class path: exactly the locked jars, whatever else lies in the folder."""
    return os.pathsep.join(str(folder / jar.file_name) for jar in read_lock())


def missing(folder: Path = JARS_FOLDER) -> list[LockedJar]:
    """Locked jars that are absent or whose content is not the locked one."""
    return [jar for jar in read_lock() if not _is_whole(folder / jar.file_name, jar.sha256)]


def fetch(folder: Path = JARS_FOLDER, progress: Callable[[int, int], None] | None = None) -> int:
    """Download the missing jars, verify each against the lock, and return how many came.

    Raises StackProblem `no_network` when the Maven repository cannot be reached, `jar_changed` when a
    downloaded jar is not the locked one.
    """
    wanted = missing(folder)
    if not wanted:
        return 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
            for done, (jar, path) in enumerate(_download_all(wanted, Path(scratch)), start=1):
                _verify(path, jar)
                path.replace(folder / jar.file_name)
                if progress:
                    progress(done, len(wanted))
    except OSError as error:
        raise disk_problem(error) or _unreachable(error) from error
    return len(wanted)


def resolve_lock() -> list[LockedJar]:
    """Resolve ROOTS anew with every transitive dependency and hash what the repository gives today."""
    import jgo

    coordinates = sorted(
        f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}" for artifact in jgo.resolve("+".join(ROOTS))
    )
    with tempfile.TemporaryDirectory() as scratch:
        unpinned = [LockedJar(coordinate, "") for coordinate in coordinates]
        digests = {jar.coordinate: _sha256(path) for jar, path in _download_all(unpinned, Path(scratch))}
    return [LockedJar(coordinate, digests[coordinate]) for coordinate in coordinates]


def _download_all(jars: list[LockedJar], scratch: Path) -> Iterator[tuple[LockedJar, Path]]:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch, timeout=60)

    def download(jar: LockedJar) -> Path:
        group, artifact, version = jar.coordinate.split(":")
        return Path(context.project(group, artifact).at_version(version).artifact(packaging="jar").resolve())

    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        running = {pool.submit(download, jar): jar for jar in jars}
        try:
            for future in as_completed(running):
                try:
                    yield running[future], future.result()
                except (RuntimeError, ValueError) as error:
                    raise _unreachable(error) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _unreachable(error: Exception) -> StackProblem:
    return StackProblem(
        "no_network",
        "The broker's jars could not be downloaded from the Maven repository "
        f"({type(error).__name__}). Check the network and run: make setup",
    )


def _verify(path: Path, jar: LockedJar) -> None:
    if not _is_whole(path, jar.sha256):
        raise StackProblem(
            "jar_changed",
            f"{jar.coordinate} was downloaded but its SHA-256 is not the one in jars.lock. Do not use it; "
            "try another network, and compare with the publisher's hash before running: make lock",
        )


def _is_whole(path: Path, digest: str) -> bool:
    return path.is_file() and _sha256(path) == digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Fetch the locked jars with a progress bar, or rewrite the lock with `--lock`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    try:
        if "--lock" in sys.argv:
            lines = [f"{jar.coordinate} sha256:{jar.sha256}" for jar in resolve_lock()]
            LOCK_FILE.write_text("\n".join(lines) + "\n")
            console.print(f"Locked {len(lines)} jars in {LOCK_FILE.name}")
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("The broker's jars", total=None)
            came = fetch(progress=lambda done, total: bar.update(task, completed=done, total=total))
        console.print(f"Fetched {came} jars" if came else "Jars are in place")
    except StackProblem as problem:
        console.print(problem.sentence, style="red", highlight=False)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
