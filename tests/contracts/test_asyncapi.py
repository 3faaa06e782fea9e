"""The AsyncAPI document: valid by AsyncAPI's own parser, and true to the catalogue."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import VERSION
from contracts.asyncapi import asyncapi_document
from contracts.catalogue import CATALOGUE, ELECTRICITY, TOPICS, granted_fields
from contracts.envelope import EventEnvelope, Subject, new_id
from contracts.example_events import SUBJECT, example
from contracts.headers import HEADERS_SCHEMA
from deploy.local import asyncapi_parser

SCRIPT = Path(__file__).with_name("parse_asyncapi.cjs")
DOCUMENT = asyncapi_document(VERSION)
ERROR, WARNING = 0, 1

Json = dict[str, Any]


def no_license_name(document: Json) -> None:
    del document["info"]["license"]["name"]


def a_message_that_is_not_there(document: Json) -> None:
    document["channels"]["relief.item.v1"]["messages"]["item.lost.v1"] = {"$ref": "#/components/messages/item.lost.v1"}


def an_operation_with_a_message_of_another_channel(document: Json) -> None:
    document["operations"]["intake.send.item.accepted.v1"]["messages"] = [
        {"$ref": "#/channels/relief.case.v1/messages/case.concluded.v1"}]


def an_operation_that_neither_sends_nor_receives(document: Json) -> None:
    document["operations"]["intake.send.item.accepted.v1"]["action"] = "publish"


def a_payload_of_no_known_type(document: Json) -> None:
    document["components"]["schemas"]["ItemAccepted"]["properties"]["standard"] = {"type": "words"}


def a_field_that_asyncapi_does_not_know(document: Json) -> None:
    document["channels"]["relief.item.v1"]["publish"] = {}


BROKEN: tuple[Callable[[Json], None], ...] = (
    no_license_name, a_message_that_is_not_there, an_operation_with_a_message_of_another_channel,
    an_operation_that_neither_sends_nor_receives, a_payload_of_no_known_type, a_field_that_asyncapi_does_not_know,
)


def cut_down() -> Json:
    """The document with two of its channels only, to be broken: the parser takes its time."""
    document = copy.deepcopy(DOCUMENT)
    kept = {"relief.item.v1", "relief.case.v1"}
    document["channels"] = {name: each for name, each in document["channels"].items() if name in kept}
    document["operations"] = {name: each for name, each in document["operations"].items()
                              if each["channel"]["$ref"].removeprefix("#/channels/") in kept}
    sent = {name for channel in document["channels"].values() for name in channel["messages"]}
    messages, schemas = document["components"]["messages"], document["components"]["schemas"]
    document["components"]["messages"] = {name: each for name, each in messages.items() if name in sent}
    unsent = {each["title"] for name, each in messages.items() if name not in sent}
    document["components"]["schemas"] = {name: each for name, each in schemas.items() if name not in unsent}
    return document


@pytest.fixture(scope="module")
def answers() -> dict[str, Json]:
    """What AsyncAPI's own parser says of the document, of a part of it, and of that part broken in each way."""
    assert asyncapi_parser.BUNDLE.exists(), "AsyncAPI's parser is not there. Run: make test"
    documents = {"whole": DOCUMENT, **{breaks.__name__: cut_down() for breaks in BROKEN}, "cut down": cut_down()}
    for breaks in BROKEN:
        breaks(documents[breaks.__name__])
    done = subprocess.run([asyncapi_parser.node(), SCRIPT, asyncapi_parser.BUNDLE], text=True, check=True,
                          input=json.dumps(list(documents.values())), capture_output=True, timeout=180)
    return dict(zip(documents, json.loads(done.stdout), strict=True))


def test_asyncapis_own_parser_finds_no_fault_in_the_document(answers: dict[str, Json]) -> None:
    whole = answers["whole"]
    for answer in (whole, answers["cut down"]):
        assert [each for each in answer["said"] if each["severity"] <= WARNING] == []
    assert whole["found"] == {"channels": len(TOPICS), "operations": len(DOCUMENT["operations"])}


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda breaks: breaks.__name__)
def test_the_parser_refuses_a_broken_document(breaks: Callable[[Json], None], answers: dict[str, Json]) -> None:
    assert [each for each in answers[breaks.__name__]["said"] if each["severity"] == ERROR]


def test_a_parser_that_is_not_the_pinned_one_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.tgz"
    other.write_bytes(b"something else")
    monkeypatch.setattr(asyncapi_parser, "_download", lambda scratch: other)
    with pytest.raises(asyncapi_parser.ParserProblem, match="not the pinned one"):
        asyncapi_parser.fetch(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["messages"]))
def test_the_example_of_a_message_fits_its_headers_and_payload(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    (shown,) = message["examples"]
    for part in ("headers", "payload"):
        schema = {**message[part], "components": DOCUMENT["components"]}
        jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(shown[part])


def test_every_topic_is_a_channel_and_every_grant_an_operation_with_its_reason_and_fields() -> None:
    assert set(DOCUMENT["channels"]) == {topic.name for topic in TOPICS}
    receiving = {(each["x-reader"], each["messages"][0]["$ref"]): each
                 for each in DOCUMENT["operations"].values() if each["action"] == "receive"}
    assert len(receiving) == sum(len(entry.grants) for entry in CATALOGUE)
    for entry in CATALOGUE:
        for grant in entry.grants:
            channel = grant.topic or entry.topic.name
            suffix = f".{grant.reader.replace(':', '.')}" if grant.topic else ""
            operation = receiving[grant.reader, f"#/channels/{channel}/messages/{entry.type}{suffix}"]
            assert operation["summary"] == grant.why
            assert set(operation["x-fields-granted"]) == granted_fields(entry.type, grant.reader)


def test_only_the_owner_of_a_topic_sends_to_it() -> None:
    owners = {topic.name: topic.owner for topic in TOPICS}
    for name, operation in DOCUMENT["operations"].items():
        if operation["action"] == "send":
            assert name.startswith(f"{owners[operation['channel']['$ref'].removeprefix('#/channels/')]}.send.")


def test_a_department_is_shown_the_fields_it_is_granted_and_no_other() -> None:
    copy_of_offer = DOCUMENT["components"]["messages"]["referral.offered.v1.department.electricity"]
    assert set(copy_of_offer["payload"]["properties"]) == granted_fields("referral.offered.v1", ELECTRICITY)


def test_the_document_names_no_machine() -> None:
    (server,) = DOCUMENT["servers"].values()
    assert server["host"] == "{bootstrap}"
    assert "default" not in server["variables"]["bootstrap"]


def test_the_schema_of_headers_names_every_header_and_needs_those_that_are_always_there() -> None:
    data = example("item.accepted.v1")
    full = EventEnvelope.of(data.data, SUBJECT, service="intake", time=data.time, rule_date=data.rule_date,
                            causation_id=new_id())
    least = EventEnvelope.of(data.data, Subject(case_id=new_id(), jurisdiction="500116"), service="intake",
                             time=data.time, rule_date=data.rule_date)
    assert set(full.headers()) == set(HEADERS_SCHEMA["properties"])
    assert set(least.headers()) == set(HEADERS_SCHEMA["required"])
