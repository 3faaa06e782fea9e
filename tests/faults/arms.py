"""A kill that waits for its moment: armed from outside, sprung once, inside, at a named point of a process.

Arms lie as files in a folder of the world. A process that passes a point takes the arm that names it, has the keeper
hold legal time, and kills: itself, or another part. One kill is under way at a time; who comes to an armed point
meanwhile waits there. Whoever armed starts the dead part again and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

FOLDER_VARIABLE = "FAULTS_FOLDER"
KEEPER = "keeper"


class Point(StrEnum):
    """Where in a process it happens."""

    BEFORE_SEND = "relay before it sends"
    SENT = "relay in mid-send: acknowledged, not yet deleted"
    BEFORE_COMMIT = "consumer before its commit"
    COMMITTED = "consumer between commit and offset commit"
    ANSWERING = "request committed, not yet answered"
    ACTIVITY_DONE = "activity committed, not yet reported"
    ASKED = "outside answer received, not yet noted"


@dataclass(frozen=True)
class Arm:
    """At `point`, when `what` passes (an event type, a request, an activity), kill `victim`."""

    name: str
    point: Point
    what: str
    victim: str = ""
    """A part of the stack by name; the process itself, if empty."""
    process: str = ""
    """Only in this process; in any, if empty."""
    begins: datetime | None = None
    """Events of this legal time and later; of any, if None."""
    ends: datetime | None = None

    def names(self, point: Point, process: str, what: str, at: datetime | None) -> bool:
        """Whether this is what the arm waits for."""
        inside = at is None or ((not self.begins or at >= self.begins) and (not self.ends or at <= self.ends))
        return point == self.point and self.process in ("", process) and what == self.what and inside


class Armoury:
    """The folder: arms that wait, the one that is under way, and those that are done."""

    def __init__(self, folder: Path) -> None:
        self.waiting, self.under_way, self.done = (folder / name for name in ("waiting", "under_way", "done"))

    def arm(self, arms: Iterable[Arm]) -> None:
        """Lay arms out; from now on each is sprung as soon as its moment comes."""
        for folder in (self.waiting, self.done):
            folder.mkdir(parents=True, exist_ok=True)
        for each in arms:
            # A file that is there is whole: it is written elsewhere and moved in.
            written = self.done.with_name("arm.new")
            written.write_text(json.dumps(asdict(each), default=str))
            written.rename(self.waiting / each.name)

    def disarm(self) -> None:
        """What was not sprung by now never is."""
        for file in self.waiting.iterdir():
            file.unlink()

    def waits(self) -> list[str]:
        """The names of the arms that wait."""
        return [file.name for file in self.waiting.iterdir()] if self.waiting.exists() else []

    def read(self, name: str) -> Arm | None:
        """An arm that waits; None if it was sprung meanwhile."""
        try:
            return _arm(self.waiting / name)
        except FileNotFoundError:
            return None

    def take(self, name: str) -> bool | None:
        """Begin a kill: False while another is under way, None if this one was sprung meanwhile."""
        try:
            self.under_way.mkdir()
        except FileExistsError:
            return False
        try:
            (self.waiting / name).rename(self.under_way / name)
        except FileNotFoundError:
            self.under_way.rmdir()
            return None
        return True

    def tell_victim(self, name: str, victim: str) -> None:
        """Last words before the kill: who it is."""
        (self.under_way / f"{name}.victim").write_text(victim)

    def sprung(self) -> tuple[str, str] | None:
        """The kill that is under way: the arm's name and the victim's."""
        for file in self.under_way.glob("*.victim") if self.under_way.exists() else ():
            if victim := file.read_text():
                return file.stem, victim
        return None

    def finish(self, name: str) -> None:
        """The victim runs again: the next may come."""
        (self.under_way / f"{name}.victim").unlink()
        (self.under_way / name).rename(self.done / name)
        self.under_way.rmdir()

    def sprung_all(self) -> set[str]:
        """The names of all arms that are done."""
        return {file.name for file in self.done.iterdir()}


def _arm(file: Path) -> Arm:
    read = json.loads(file.read_text())
    moments = {name: read[name] and datetime.fromisoformat(read[name]) for name in ("begins", "ends")}
    return Arm(**{**read, **moments, "point": Point(read["point"])})
