"""What the sources remember, in a file of lines, so that a killed process answers the same question alike."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from contracts.benefits import Source
from contracts.http.source import SourceAnswer
from deploy.sandbox.sources.facts import Asked, Told, told_by_default


class Fact(BaseModel):
    """What is to be said about a person from now on."""

    person_sha256: str
    source: Source
    told: Told


class Late(BaseModel):
    """An answer promised for later."""

    query_id: UUID
    source: Source
    told: Told
    due_at: AwareDatetime


class Given(BaseModel):
    """An answer given: the same question gets it again."""

    answer: SourceAnswer


class Entry(BaseModel):
    """One line of the file."""

    fact: Fact | None = None
    asked: Asked | None = None
    late: Late | None = None
    given: Given | None = None


class Ledger:
    """Every change is a line in the file before anything is answered."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.asked: list[Asked] = []
        self.given: dict[UUID, SourceAnswer] = {}
        self.late: dict[UUID, Late] = {}
        self._told: dict[tuple[str, Source], Told] = {}
        path = folder / "sources.jsonl"
        written = path.read_bytes() if path.exists() else b""
        # Hazard: a kill may have cut the last line short. It was never answered, so its question comes again.
        whole = written[: written.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._apply(Entry.model_validate_json(line))
        self._file = path.open("ab")
        self._file.truncate(len(whole))

    def told(self, person: str, source: Source) -> Told:
        """What a source says about a person (by hash)."""
        return self._told.get((person, source)) or told_by_default(source)

    def write(self, *entries: Entry) -> None:
        """Remember."""
        self._file.writelines(entry.model_dump_json(exclude_none=True).encode() + b"\n" for entry in entries)
        self._file.flush()
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        if entry.fact:
            self._told[entry.fact.person_sha256, entry.fact.source] = entry.fact.told
        if entry.asked:
            self.asked.append(entry.asked)
        if entry.late:
            self.late[entry.late.query_id] = entry.late
        if entry.given:
            self.given[entry.given.answer.query_id] = entry.given.answer
            self.late.pop(entry.given.answer.query_id, None)
