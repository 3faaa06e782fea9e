"""The catalogue and what is generated from it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import contracts
from contracts.catalogue import CATALOGUE, ELECTRICITY, EVENTS, SERVICES, TOPICS, Entry, granted_fields
from contracts.envelope import Event, EventEnvelope
from contracts.example_events import EXAMPLES, example
from contracts.published import published_files

FOLDER = Path(contracts.__file__).parent
entries = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.type)


def every_event_class() -> set[type[Event]]:
    return {kind for kind in Event.__subclasses__() if kind.__module__.startswith("contracts.events")}


def test_every_event_stands_in_the_catalogue_once_and_has_an_example() -> None:
    assert {entry.model for entry in CATALOGUE} == every_event_class()
    assert len(EVENTS) == len(CATALOGUE)
    assert set(EXAMPLES) == set(EVENTS)


@entries
def test_an_event_has_a_versioned_type_an_owner_and_named_readers(entry: Entry) -> None:
    name, _, version = entry.type.rpartition(".v")
    assert name and version.isdigit()
    assert entry.topic.owner in SERVICES
    for grant in entry.grants:
        assert grant.why, f"{entry.type}: no reason why {grant.reader} may read it"
        assert grant.fields is None or grant.fields <= set(entry.model.model_fields), grant.reader


@entries
def test_a_department_is_granted_every_field_it_must_have(entry: Entry) -> None:
    required = {name for name, field in entry.model.model_fields.items() if field.is_required()}
    for grant in entry.grants:
        if grant.topic is not None:
            assert required <= granted_fields(entry.type, grant.reader)


def test_the_power_company_reads_nothing_but_its_referrals() -> None:
    readable = {entry.type for entry in CATALOGUE if granted_fields(entry.type, ELECTRICITY)}
    assert readable == {"referral.offered.v1"}


def test_topics_have_one_name_each() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))


@entries
def test_fields_say_their_unit_last_and_no_sum_is_a_float(entry: Entry) -> None:
    schema = json.dumps(entry.model.model_json_schema())
    assert '"type": "number"' not in schema, "sums are integer fen; shares are integer percent"
    assert "yuan" not in schema


@entries
def test_an_example_survives_the_wire_and_its_schema(entry: Entry) -> None:
    sent = example(entry.type)
    read = EventEnvelope[Event].read(sent.headers(), sent.body(), entry.model)
    assert read.data == sent.data
    assert read.subject == sent.subject
    assert (read.id, read.time, read.rule_date) == (sent.id, sent.time, sent.rule_date)
    jsonschema.validate(json.loads(sent.body()), entry.model.model_json_schema())


@entries
def test_a_reader_ignores_fields_it_does_not_know(entry: Entry) -> None:
    sent = example(entry.type)
    body = json.dumps({**json.loads(sent.body()), "added_later": 1}).encode()
    assert EventEnvelope[Event].read(sent.headers(), body, entry.model).data == sent.data


@pytest.mark.parametrize("name", sorted(published_files()))
def test_generated_files_are_committed_and_fresh(name: str) -> None:
    path = FOLDER / name
    assert path.exists(), f"{name} is missing. Run: onething contracts generate"
    assert path.read_text("utf-8") == published_files()[name], f"{name} is stale. Run: onething contracts generate"


def test_no_generated_file_is_left_over() -> None:
    folders = [FOLDER / name for name in ("schemas", "examples")]
    there = {str(path.relative_to(FOLDER)) for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert there == {name for name in published_files() if "/" in name}


@entries
def test_headers_are_text_and_hold_the_cloudevents_attributes(entry: Entry) -> None:
    headers = example(entry.type).headers()
    assert {"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_caseid"} <= set(headers)
    assert all(value.isascii() and value for value in headers.values())
