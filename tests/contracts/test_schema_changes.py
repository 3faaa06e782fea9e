"""Each kind of change of a schema is told for what it does to documents; what is not understood is said to be so."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from contracts.schema_changes import Effect, RecursiveSchema, schema_changes

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NOTHING: Schema = {"type": "null"}


def fields(*needed: str, **schemas: Schema) -> Schema:
    return {"type": "object", "properties": schemas, "required": list(needed)}


def closed(*needed: str, **schemas: Schema) -> Schema:
    return {**fields(*needed, **schemas), "additionalProperties": False}


def either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def one_of(*values: str, grows: bool = False) -> Schema:
    return {"type": "string", "enum": list(values), **({"x-grows": True} if grows else {})}


@pytest.mark.parametrize(("effect", "path", "old", "new"), [
    (Effect.NONE, "", TEXT, {**TEXT, "description": "Area code."}),
    (Effect.NONE, "", TEXT, {**TEXT, "title": "Area"}),
    (Effect.NONE, "", one_of("a", "b"), one_of("b", "a")),
    (Effect.NONE, "", one_of("a", grows=True), one_of("a")),
    (Effect.ADDED, "b", fields("a", a=TEXT), fields("a", a=TEXT, b={**TEXT, "default": ""})),
    (Effect.LOOSENED, "b", closed("a", a=TEXT), closed("a", a=TEXT, b=TEXT)),
    (Effect.LOOSENED, "", one_of("a", grows=True), one_of("a", "b", grows=True)),
    (Effect.LOOSENED, "", one_of("a"), one_of("a", grows=True)),
    (Effect.LOOSENED, "", {**WHOLE, "minimum": 1}, {**WHOLE, "minimum": 0}),
    (Effect.LOOSENED, "", {**WHOLE, "maximum": 1}, {**WHOLE, "maximum": 2}),
    (Effect.LOOSENED, "", {**WHOLE, "exclusiveMinimum": 0}, WHOLE),
    (Effect.LOOSENED, "", {**TEXT, "maxLength": 20}, {**TEXT, "maxLength": 30}),
    (Effect.LOOSENED, "", {"type": "array", "minItems": 2}, {"type": "array", "minItems": 1}),
    (Effect.LOOSENED, "*", closed(a=TEXT), fields(a=TEXT)),
    (Effect.WIDENED, "a", fields("a", a=TEXT), fields()),
    (Effect.WIDENED, "a", fields(a=TEXT), fields()),
    (Effect.WIDENED, "a", fields("a", a=TEXT), fields(a=TEXT)),
    (Effect.WIDENED, "a", fields("a", a=TEXT), fields("a", a=either(TEXT, NOTHING))),
    (Effect.WIDENED, "a", fields("a", a=TEXT), fields(a={**TEXT, "default": ""})),
    (Effect.WIDENED, "", one_of("a"), one_of("a", "b")),
    (Effect.WIDENED, "", one_of("a"), TEXT),
    (Effect.WIDENED, "", {**TEXT, "format": "date"}, TEXT),
    (Effect.WIDENED, "", {**TEXT, "pattern": "^a$"}, TEXT),
    (Effect.NARROWED, "b", fields(), fields("b", b=TEXT)),
    (Effect.NARROWED, "a", fields(a=TEXT), fields("a", a=TEXT)),
    (Effect.NARROWED, "a", fields(a=either(TEXT, NOTHING)), fields(a=TEXT)),
    (Effect.NARROWED, "", {"type": ["string", "null"]}, TEXT),
    (Effect.NARROWED, "", one_of("a", "b"), one_of("a")),
    (Effect.NARROWED, "", one_of("a", "b", grows=True), one_of("a", grows=True)),
    (Effect.NARROWED, "", TEXT, one_of("a")),
    (Effect.NARROWED, "", TEXT, {**TEXT, "format": "date"}),
    (Effect.NARROWED, "", TEXT, {**TEXT, "const": "a"}),
    (Effect.NARROWED, "", WHOLE, {**WHOLE, "minimum": 0}),
    (Effect.NARROWED, "", {**WHOLE, "maximum": 2}, {**WHOLE, "maximum": 1}),
    (Effect.NARROWED, "*", fields(a=TEXT), closed(a=TEXT)),
    (Effect.CHANGED, "", TEXT, WHOLE),
    (Effect.CHANGED, "", WHOLE, {"type": "number"}),
    (Effect.CHANGED, "", one_of("a", "b"), one_of("a", "c")),
    (Effect.CHANGED, "", {**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}),
    (Effect.CHANGED, "", {**TEXT, "pattern": "^a$"}, {**TEXT, "pattern": "^b$"}),
    (Effect.CHANGED, "a", fields(a={**WHOLE, "default": 1}), fields(a={**WHOLE, "default": 2})),
    (Effect.CHANGED, "a", closed(a=TEXT), closed()),
    (Effect.NARROWED, "list[].a", fields(list={"type": "array", "items": fields(a=one_of("a", "b"))}),
     fields(list={"type": "array", "items": fields(a=one_of("a"))})),
    (Effect.NARROWED, "", {"anyOf": [{"$ref": "#/$defs/A"}, NOTHING], "$defs": {"A": one_of("a", "b")}},
     {"anyOf": [{"$ref": "#/$defs/A"}, NOTHING], "$defs": {"A": one_of("a")}}),
])
def test_a_change_is_told_for_what_it_does(effect: Effect, path: str, old: Schema, new: Schema) -> None:
    assert {(change.effect, change.path) for change in schema_changes(old, new)} == {(effect, path)}
    assert schema_changes(old, old) == []


@pytest.mark.parametrize(("old", "new"), [
    (TEXT, {**TEXT, "contentEncoding": "base64"}),
    ({"type": "array", "uniqueItems": True}, {"type": "array"}),
    ({**WHOLE, "multipleOf": 5}, {**WHOLE, "multipleOf": 10}),
    ({"oneOf": [TEXT, WHOLE]}, {"oneOf": [TEXT]}),
    ({"not": TEXT}, {"not": WHOLE}),
    (TEXT, {**TEXT, "x-secret": True}),
    (fields(), {**fields(), "patternProperties": {"^x": TEXT}}),
    (TEXT, {**TEXT, "$schema": "https://json-schema.org/draft/2031-01/schema"}),
    ({**WHOLE, "minimum": 1}, {**WHOLE, "minimum": "2"}),
    (either({**TEXT, "format": "date"}, {**TEXT, "format": "uuid"}), either({**TEXT, "format": "time"}, TEXT)),
    ({**either(TEXT), "minLength": 2}, {**either(TEXT), "minLength": 3}),
    ({"type": "object", "additionalProperties": WHOLE}, {**fields(a=TEXT), "additionalProperties": WHOLE}),
    ({"$ref": "#/$defs/A", "minLength": 3, "$defs": {"A": TEXT}},
     {"$ref": "#/$defs/A", "minLength": 3, "$defs": {"A": WHOLE}}),
])
def test_what_is_not_understood_is_said_to_be_so(old: Schema, new: Schema) -> None:
    assert Effect.UNKNOWN in {change.effect for change in schema_changes(old, new)}


KNOWN = frozenset({
    "title", "description", "examples", "deprecated", "type", "enum", "const", "default", "format", "pattern", "items",
    "required", "properties", "minimum", "maximum",
})


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{3,12}", fullmatch=True).filter(lambda word: word not in KNOWN), st.integers())
def test_a_keyword_nobody_has_heard_of_is_never_safe(keyword: str, value: int) -> None:
    for old, new in ((TEXT, {**TEXT, keyword: value}), ({**TEXT, keyword: value}, TEXT)):
        assert [change.effect for change in schema_changes(old, new)] == [Effect.UNKNOWN]


def test_a_schema_that_contains_itself_is_refused() -> None:
    tree: Schema = {"$ref": "#/$defs/Tree", "$defs": {"Tree": fields(inner={"$ref": "#/$defs/Tree"})}}
    with pytest.raises(RecursiveSchema, match="Tree"):
        schema_changes(tree, TEXT)


VALUES: tuple[Any, ...] = (None, True, 0, 1, 2, 3, "", "a", "b", "aaa", "2025-01-06")
LISTS: tuple[Any, ...] = ([], [1], ["a"], [1, 2], ["a", "a", "aaa"], [None])
OBJECTS: tuple[Any, ...] = tuple(
    {name: value for name, value in (("x", x), ("y", y)) if value != "absent"}
    for x in ("absent", *VALUES, [1], {"x": 1}, {"x": "a"}) for y in ("absent", 1, "a", None)
)
DOCUMENTS = (*VALUES, *LISTS, *OBJECTS)


@st.composite
def objects(draw: DrawFn, inner: SearchStrategy[Schema]) -> Schema:
    schema: Schema = {"type": "object", "properties": draw(st.dictionaries(st.sampled_from("xy"), inner, max_size=2))}
    if draw(st.booleans()):
        schema["required"] = draw(st.lists(st.sampled_from("xy"), unique=True))
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(st.sampled_from([False, True, WHOLE]))
    return schema


OF_TYPE: dict[str, SearchStrategy[Schema]] = {
    "string": st.fixed_dictionaries({"type": st.just("string")}, optional={
        "enum": st.lists(st.sampled_from("ab"), min_size=1, unique=True), "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 3), "format": st.just("date"), "pattern": st.sampled_from(["a", "^b"]),
        "const": st.sampled_from("ab"), "x-grows": st.just(True), "description": st.sampled_from("ab")}),
    "integer": st.fixed_dictionaries({"type": st.just("integer")}, optional={
        "minimum": st.integers(0, 2), "maximum": st.integers(0, 3), "exclusiveMinimum": st.integers(0, 2),
        "exclusiveMaximum": st.integers(0, 3)}),
}
SINGLE = st.one_of(*OF_TYPE.values(), st.sampled_from([NOTHING, {"type": "boolean"}, {}]))
SCHEMAS: SearchStrategy[Schema] = st.recursive(SINGLE, lambda inner: st.one_of(
    objects(inner), st.lists(inner, min_size=1, max_size=3).map(lambda each: either(*each)),
    st.fixed_dictionaries({"type": st.just("array")}, optional={
        "items": inner, "minItems": st.integers(0, 2), "maxItems": st.integers(0, 2)}),
), max_leaves=5)


@st.composite
def two_versions(draw: DrawFn) -> tuple[Schema, Schema]:
    """A schema, and another that differs from it at a place or two."""
    old = draw(SCHEMAS)
    return old, draw(altered(old))


@st.composite
def altered(draw: DrawFn, old: Schema) -> Schema:
    if draw(st.integers(0, 5)) == 0:
        return draw(SCHEMAS)
    new = dict(old)
    for keyword, value in old.items():
        if keyword == "properties":
            new[keyword] = {name: draw(altered(field)) for name, field in value.items() if draw(st.integers(0, 4))}
        elif keyword == "items":
            new[keyword] = draw(altered(value))
        elif keyword == "anyOf":
            new[keyword] = [draw(altered(each)) for each in value]
        elif keyword != "type" and draw(st.integers(0, 4)) == 0:
            del new[keyword]
    if old.get("type") in OF_TYPE:
        wish = draw(OF_TYPE[old["type"]])
        new |= {keyword: value for keyword, value in wish.items() if keyword in old or draw(st.integers(0, 4)) == 0}
    return new


def fitting(schema: Schema) -> set[int]:
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["date"]))
    return {number for number, document in enumerate(DOCUMENTS) if validator.is_valid(document)}


@settings(max_examples=400, deadline=None)
@given(two_versions())
def test_no_change_is_told_for_less_than_it_does(versions: tuple[Schema, Schema]) -> None:
    """Held against a validator: which documents fitted before, which fit now."""
    old, new = versions
    changes = schema_changes(old, new)
    effects = {change.effect for change in changes}
    if Effect.UNKNOWN in effects:
        return
    before, now = fitting(old), fitting(new)
    if not effects & {Effect.LOOSENED, Effect.WIDENED, Effect.CHANGED}:
        assert now <= before, [DOCUMENTS[number] for number in now - before]
    if not effects & {Effect.NARROWED, Effect.CHANGED, Effect.ADDED}:
        # A field that is added may have been there before, unknown and of any kind: writers are ours, and wrote none.
        assert before <= now, [DOCUMENTS[number] for number in before - now]
