"""What changed between two JSON Schemas, and what the change does to the documents that fit them. Pure.

Own code, after looking: jsonsubschema and jsoncompat answer only yes or no, and getsentry's json-schema-diff skips
keywords it does not know. Here a change that is not understood is a change of its own kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from contracts.vocabulary import GROWS

Schema = dict[str, Any]
ABSENT: Final = object()


class Effect(StrEnum):
    """What a change does to the set of documents that fit."""

    NONE = "none"
    """Words only: the same documents fit."""
    ADDED = "added"
    """A field more, which writers may leave out and readers may ignore."""
    LOOSENED = "loosened"
    """More values fit: a reader of before refuses the new ones, and misreads none."""
    WIDENED = "widened"
    """Documents fit that lack, or contradict, what a reader of before relies on."""
    NARROWED = "narrowed"
    """Documents of before no longer fit."""
    CHANGED = "changed"
    """Both: some of before no longer fit, and new ones do."""
    UNKNOWN = "unknown"
    """Not understood."""


@dataclass(frozen=True)
class SchemaChange:
    """One change at one place, such as `members[].facts[].value`."""

    path: str
    effect: Effect
    what: str


class RecursiveSchema(ValueError):
    """A schema that contains itself: comparing it is not provided for."""


WORDS: Final = frozenset({"title", "description", "examples", "deprecated", "$comment", "$id", "writeOnly", "readOnly"})
LOWER_BOUNDS: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems"})
UPPER_BOUNDS: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems"})
FIELDS: Final = frozenset({"properties", "required", "additionalProperties"})


def schema_changes(old: Schema, new: Schema) -> list[SchemaChange]:
    """Every change from `old` to `new`. Raises RecursiveSchema."""
    return list(_compare("", inlined(old), inlined(new)))


def inlined(schema: Schema) -> Schema:
    """The schema with every local `$ref` replaced by what it names. Raises RecursiveSchema."""
    return cast(Schema, _inline(schema, cast(Schema, schema.get("$defs", {})), ()))


def _inline(node: Any, definitions: Schema, within: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(each, definitions, within) for each in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    schema = {key: value for key, value in cast(Schema, node).items() if key != "$defs"}
    name = str(schema.pop("$ref", "")).removeprefix("#/$defs/")
    own = {key: _inline(value, definitions, within) for key, value in schema.items()}
    if not name or name not in definitions:
        return own if not name else {**own, "$ref": name}
    if name in within:
        raise RecursiveSchema(f"{name} contains itself.")
    target = cast(Schema, _inline(definitions[name], definitions, (*within, name)))
    # Hazard: beside a $ref only words and a default may be merged; a second constraint means "both".
    return {**target, **own} if own.keys() <= WORDS | {"default"} else {"allOf": [target, own]}


def _compare(path: str, old: Schema, new: Schema) -> Iterator[SchemaChange]:
    if old == new:
        return
    if _has_alternatives(old) or _has_alternatives(new):
        yield from _compare_alternatives(path, old, new)
        return
    if old.get("type") != new.get("type"):
        yield SchemaChange(path, Effect.CHANGED, f"type {old.get('type')} became {new.get('type')}")
        return
    if FIELDS & (old.keys() | new.keys()):
        yield from _compare_fields(path, old, new)
    yield from _compare_keywords(path, old, new, (old.keys() | new.keys()) - FIELDS)


def _compare_keywords(path: str, old: Schema, new: Schema, keywords: set[str]) -> Iterator[SchemaChange]:
    for keyword in sorted(keywords):
        before, after = old.get(keyword, ABSENT), new.get(keyword, ABSENT)
        if before == after and type(before) is type(after):
            continue
        if keyword == "items":
            yield from _compare(f"{path}[]", _or_anything(before), _or_anything(after))
        elif keyword == "enum":
            yield _enum_change(path, before, after, grows=bool(old.get(GROWS)))
        else:
            effect = _effect_of(keyword, before, after)
            yield SchemaChange(path, effect, f"{keyword} {_shown(before)} became {_shown(after)}")


def _effect_of(keyword: str, before: Any, after: Any) -> Effect:
    if keyword in WORDS:
        return Effect.NONE
    if keyword in LOWER_BOUNDS | UPPER_BOUNDS:
        return _bound_effect(before, after, lower=keyword in LOWER_BOUNDS)
    if keyword in ("format", "pattern", "const"):
        return Effect.NARROWED if before is ABSENT else Effect.WIDENED if after is ABSENT else Effect.CHANGED
    if keyword == "default":
        # A document that leaves the field out now says something else.
        return Effect.CHANGED
    if keyword == GROWS:
        return Effect.LOOSENED if after is True else Effect.NONE
    return Effect.UNKNOWN


def _bound_effect(before: Any, after: Any, *, lower: bool) -> Effect:
    if before is ABSENT or after is ABSENT:
        return Effect.NARROWED if before is ABSENT else Effect.LOOSENED
    if not (_is_number(before) and _is_number(after)):
        return Effect.UNKNOWN
    return Effect.NARROWED if (after > before) == lower else Effect.LOOSENED


def _enum_change(path: str, before: Any, after: Any, *, grows: bool) -> SchemaChange:
    if before is ABSENT or after is ABSENT:
        return SchemaChange(path, Effect.NARROWED if before is ABSENT else Effect.WIDENED,
                            "a closed list of values came" if before is ABSENT else "the closed list of values went")
    gone = [value for value in before if value not in after]
    come = [value for value in after if value not in before]
    what = "; ".join(f"values {word}: {', '.join(map(str, values))}"
                     for word, values in (("gone", gone), ("new", come)) if values)
    if gone:
        return SchemaChange(path, Effect.CHANGED if come else Effect.NARROWED, what)
    if come:
        return SchemaChange(path, Effect.LOOSENED if grows else Effect.WIDENED, what)
    return SchemaChange(path, Effect.NONE, "the order of values")


def _compare_fields(path: str, old: Schema, new: Schema) -> Iterator[SchemaChange]:
    before, after = cast(Schema, old.get("properties", {})), cast(Schema, new.get("properties", {}))
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    unnamed = (needed - before.keys()) | (needs - after.keys())
    constrained = any(not isinstance(schema.get("additionalProperties", True), bool) for schema in (old, new))
    closed_before = old.get("additionalProperties") is False
    closed_now = new.get("additionalProperties") is False
    for name in sorted(before.keys() | after.keys() | needed | needs):
        place = f"{path}.{name}" if path else name
        if name in before and name in after:
            yield from _compare_field(place, before[name], after[name], needed=name in needed, needs=name in needs)
        elif name in unnamed or constrained:
            yield SchemaChange(place, Effect.UNKNOWN, "a field that no schema, or one for all others, describes")
        elif name in before:
            yield SchemaChange(place, Effect.CHANGED if closed_now else Effect.WIDENED, "field removed")
        elif name in needs:
            yield SchemaChange(place, Effect.CHANGED if closed_before else Effect.NARROWED, "required field added")
        else:
            yield SchemaChange(place, Effect.LOOSENED if closed_before else Effect.ADDED, "optional field added")
    yield from _compare_others(path, old.get("additionalProperties", True), new.get("additionalProperties", True))


def _compare_field(place: str, old: Schema, new: Schema, *, needed: bool, needs: bool) -> Iterator[SchemaChange]:
    if needed and not needs:
        yield SchemaChange(place, Effect.WIDENED, "a required field became optional")
    if needs and not needed:
        yield SchemaChange(place, Effect.NARROWED, "an optional field became required")
    if needed or needs:  # a default says something only where the field may be left out, before and now
        old, new = ({key: value for key, value in schema.items() if key != "default"} for schema in (old, new))
    yield from _compare(place, old, new)


def _compare_others(path: str, before: Any, after: Any) -> Iterator[SchemaChange]:
    """Fields that are not named: `additionalProperties`."""
    if before == after:
        return
    place = f"{path}.*" if path else "*"
    if after is False:
        yield SchemaChange(place, Effect.NARROWED, "unknown fields are now refused")
    elif before is False:
        yield SchemaChange(place, Effect.LOOSENED, "unknown fields are now let in")
    else:
        yield from _compare(place, _or_anything(before), _or_anything(after))


def _has_alternatives(schema: Schema) -> bool:
    return "anyOf" in schema or isinstance(schema.get("type"), list)


def _alternatives(schema: Schema) -> list[Schema] | None:
    """The schema as a choice of single types; None where its words cannot be told from its constraints."""
    if "anyOf" in schema:
        if schema.keys() - WORDS - {"anyOf", "default"}:
            return None
        branches: list[Schema] = []
        for each in cast(list[Schema], schema["anyOf"]):
            inner = _alternatives(each)
            if inner is None:
                return None
            branches.extend(inner)
        return branches
    single = {key: value for key, value in schema.items() if key not in WORDS | {"default"}}
    kinds = single.get("type")
    return [{**single, "type": kind} for kind in cast(list[str], kinds)] if isinstance(kinds, list) else [single]


def _compare_alternatives(path: str, old: Schema, new: Schema) -> Iterator[SchemaChange]:
    before, after = _alternatives(old), _alternatives(new)
    if before is None or after is None:
        yield SchemaChange(path, Effect.UNKNOWN, "a choice of types with constraints beside it")
        return
    yield from _compare_keywords(path, old, new, ((old.keys() | new.keys()) & (WORDS | {"default"})))
    left = [each for each in before if each not in after]
    come = [each for each in after if each not in before]
    for kind in sorted({str(each.get("type")) for each in (*left, *come)}):
        gone_of_kind = [each for each in left if str(each.get("type")) == kind]
        new_of_kind = [each for each in come if str(each.get("type")) == kind]
        if len(gone_of_kind) == len(new_of_kind) == 1:
            yield from _compare(path, gone_of_kind[0], new_of_kind[0])
        elif gone_of_kind and new_of_kind:
            yield SchemaChange(path, Effect.UNKNOWN, f"several alternatives of type {kind} changed")
        elif gone_of_kind:
            yield SchemaChange(path, Effect.NARROWED, f"may no longer be {kind}")
        else:
            yield SchemaChange(path, Effect.WIDENED, f"may now be {kind}")


def _or_anything(schema: Any) -> Schema:
    return cast(Schema, schema) if isinstance(schema, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return "nothing" if value is ABSENT else repr(value)
