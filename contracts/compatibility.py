"""Whether today's contracts may follow the last release, and for each change why not and what to do. Pure.

An event has readers and writers of different age on both sides: a reader of the last release meets what today's owner
writes, and today's reader meets what was written before (kept on the topic, retried from the dead letters). So an event
may neither lose what a reader relies on nor refuse what it let in. Readers ignore fields they do not know, which is
why adding a field with a default is safe. A list of values that shrinks refuses what is stored; one that grows breaks
readers of before, unless it was published as growing (`x-grows`): then readers are updated first.

An HTTP message is written by one side only: what we send may not lose or loosen what the other party reads, and what we
receive may not refuse what it still sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from contracts.http.catalogue import Direction
from contracts.release import Release
from contracts.schema_changes import Effect, RecursiveSchema, Schema, schema_changes


class Verdict(StrEnum):
    """What a change means for those who rely on the last release."""

    SAFE = "safe"
    READERS_FIRST = "readers_first"
    BREAKING = "breaking"
    UNCLASSIFIED = "unclassified"


REFUSED: Final = frozenset({Verdict.BREAKING, Verdict.UNCLASSIFIED})

EVENT: Final = "event"
ADVICE: Final = {
    Verdict.SAFE: "Nothing to do. If the field now means something else, give it a new name instead.",
    Verdict.READERS_FIRST: "Update every reader of it before anyone writes the new values.",
    Verdict.UNCLASSIFIED: "Undo it, or teach contracts/schema_changes.py what this change does to a document.",
}

VERDICTS: Final[dict[str, dict[Effect, Verdict]]] = {
    EVENT: {
        Effect.NONE: Verdict.SAFE, Effect.ADDED: Verdict.SAFE, Effect.LOOSENED: Verdict.READERS_FIRST,
        Effect.WIDENED: Verdict.BREAKING, Effect.NARROWED: Verdict.BREAKING, Effect.CHANGED: Verdict.BREAKING,
        Effect.UNKNOWN: Verdict.UNCLASSIFIED,
    },
    Direction.SENT: {
        Effect.NONE: Verdict.SAFE, Effect.ADDED: Verdict.SAFE, Effect.LOOSENED: Verdict.READERS_FIRST,
        Effect.WIDENED: Verdict.BREAKING, Effect.NARROWED: Verdict.SAFE, Effect.CHANGED: Verdict.BREAKING,
        Effect.UNKNOWN: Verdict.UNCLASSIFIED,
    },
    Direction.RECEIVED: {
        Effect.NONE: Verdict.SAFE, Effect.ADDED: Verdict.SAFE, Effect.LOOSENED: Verdict.SAFE,
        Effect.WIDENED: Verdict.SAFE, Effect.NARROWED: Verdict.BREAKING, Effect.CHANGED: Verdict.BREAKING,
        Effect.UNKNOWN: Verdict.UNCLASSIFIED,
    },
}


@dataclass(frozen=True)
class Finding:
    """One change since the last release."""

    verdict: Verdict
    of: str
    """The event type, or the HTTP message."""
    path: str
    """The field, such as `members[].relation`; or `topic`, `readers.approval`; empty: the whole."""
    what: str
    to_do: str

    def __str__(self) -> str:
        place = f"{self.of} {self.path}".rstrip()
        return f"{self.verdict.value}: {place}: {self.what}. {self.to_do}"


def findings(released: Release, today: Release) -> list[Finding]:
    """Every change from the last release to today, in order of event and place."""
    return [
        *_of_schemas(EVENT, "every event", released["headers"], today["headers"]),
        *_of_events(released["events"], today["events"]),
        *_of_messages(released["messages"], today["messages"]),
    ]


def refused(found: list[Finding]) -> list[Finding]:
    """The findings with which nothing may be released."""
    return [each for each in found if each.verdict in REFUSED]


def _finding(verdict: Verdict, of: str, path: str, what: str) -> Finding:
    return Finding(verdict, of, path, what, ADVICE.get(verdict) or f"Undo it, or add beside it {_next_type(of)}.")


def _next_type(of: str) -> str:
    name, dot, version = of.rpartition(".v")
    return f"a new type, {name}.v{int(version) + 1}" if dot and version.isdigit() else "something with a new name"


def _of_schemas(role: str, of: str, old: Schema, new: Schema) -> Iterator[Finding]:
    try:
        for change in schema_changes(old, new):
            yield _finding(VERDICTS[role][change.effect], of, change.path, change.what)
    except RecursiveSchema as error:
        if old != new:
            yield _finding(Verdict.UNCLASSIFIED, of, "", str(error))


def _of_events(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    for event in sorted(old.keys() | new.keys()):
        if event not in new:
            yield Finding(Verdict.BREAKING, event, "", "the event is gone, and stored ones cannot be read any more",
                          "Keep it in the catalogue; its owner may stop sending it.")
        elif event not in old:
            yield _finding(Verdict.SAFE, event, "", "a new event")
        else:
            yield from _of_places(event, old[event], new[event])
            yield from _of_readers(event, old[event]["readers"], new[event]["readers"])
            yield from _of_schemas(EVENT, event, old[event]["schema"], new[event]["schema"])


def _of_places(event: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    """Changes of where and how an event travels. What is not known here is unclassified."""
    for name in sorted((old.keys() | new.keys()) - {"schema", "example", "readers"}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        what = f"{before} became {after}"
        if name == "retention_hours" and isinstance(before, int) and isinstance(after, int) and after > before:
            yield _finding(Verdict.SAFE, event, name, what)
        elif name == "retention_hours":
            yield Finding(Verdict.BREAKING, event, name, f"{what}: a reader that was away misses events", "Undo it.")
        elif name in ("topic", "key", "partitions", "owner"):
            yield _finding(Verdict.BREAKING, event, name, what)
        else:
            yield _finding(Verdict.UNCLASSIFIED, event, name, what)


def _of_readers(event: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Finding]:
    before, after = ({cast(str, grant["reader"]): grant for grant in grants} for grants in (old, new))
    for reader in sorted(before.keys() | after.keys()):
        place = f"readers.{reader}"
        if reader not in after:
            yield _finding(Verdict.BREAKING, event, place, f"{reader} may no longer read it")
        elif reader not in before:
            yield Finding(Verdict.SAFE, event, place, f"{reader} may now read it", "See that its purpose is lawful.")
        else:
            yield from _of_grant(event, place, before[reader], after[reader])


def _of_grant(event: str, place: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Finding]:
    for field in sorted({*before["fields"], *after["fields"]}):
        if field not in after["fields"]:
            yield _finding(Verdict.BREAKING, event, f"{place}.fields", f"{field} is no longer granted")
        elif field not in before["fields"]:
            yield _finding(Verdict.SAFE, event, f"{place}.fields", f"{field} is now granted")
    for name in sorted((before.keys() | after.keys()) - {"fields"}):
        if before.get(name) != after.get(name):
            verdict = {"topic": Verdict.BREAKING, "why": Verdict.SAFE}.get(name, Verdict.UNCLASSIFIED)
            yield _finding(verdict, event, f"{place}.{name}", f"{before.get(name)} became {after.get(name)}")


def _of_messages(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Finding]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield _finding(Verdict.BREAKING, name, "", "the message is gone")
        elif name not in old:
            yield _finding(Verdict.SAFE, name, "", "a new message")
        else:
            for key in sorted((old[name].keys() | new[name].keys()) - {"schema"}):
                if old[name].get(key) != new[name].get(key):
                    yield _finding(Verdict.UNCLASSIFIED, name, key,
                                   f"{old[name].get(key)} became {new[name].get(key)}")
            yield from _of_schemas(old[name]["direction"], name, old[name]["schema"], new[name]["schema"])
