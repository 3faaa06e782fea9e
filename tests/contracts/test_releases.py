"""What was released stays readable: today's models parse it, and today's contracts break none of its readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

import contracts
from contracts.catalogue import CATALOGUE, EVENTS
from contracts.compatibility import findings, refused
from contracts.envelope import Event, EventEnvelope
from contracts.published import published_files
from contracts.release import todays_release
from deploy.cli import contracts as command

FOLDER = Path(contracts.__file__).parent
RELEASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "released").glob("*.json"))}
PAIRS = [(version, event) for version, release in RELEASES.items() for event in release["events"]]


def test_there_is_a_release() -> None:
    assert RELEASES


@pytest.mark.parametrize(("version", "event"), PAIRS)
def test_todays_reader_parses_the_example_of_every_release(version: str, event: str) -> None:
    example = RELEASES[version]["events"][event]["example"]
    body = json.dumps(example["value"]).encode()
    read = EventEnvelope[Event].read(example["headers"], body, EVENTS[event].model)
    assert read.type == event
    assert str(read.case_id) == example["key"]
    again = json.loads(read.body())
    assert {name: again[name] for name in example["value"]} == example["value"], "a field of before got lost on reading"


@pytest.mark.parametrize(("version", "event"), PAIRS)
def test_the_example_of_a_release_fits_its_own_schema_strictly(version: str, event: str) -> None:
    release = RELEASES[version]
    kept = release["events"][event]
    formats = jsonschema.FormatChecker()
    schema = {**kept["schema"], "additionalProperties": False}
    jsonschema.Draft202012Validator(schema, format_checker=formats).validate(kept["example"]["value"])
    headers = {**release["headers"], "additionalProperties": False}
    jsonschema.Draft202012Validator(headers, format_checker=formats).validate(kept["example"]["headers"])


@pytest.mark.parametrize(("version", "event"), PAIRS)
def test_a_reader_of_a_release_may_see_only_fields_that_it_has(version: str, event: str) -> None:
    kept = RELEASES[version]["events"][event]
    for grant in kept["readers"]:
        assert set(grant["fields"]) <= set(kept["schema"]["properties"])


def test_todays_contracts_break_no_reader_of_the_last_release() -> None:
    last = max(RELEASES, key=lambda version: [int(part) for part in version.split(".")])
    assert [str(each) for each in refused(findings(RELEASES[last], todays_release(contracts.VERSION)))] == []


class Elsewhere:
    """The command's folder, in a copy that may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> tuple[int, str]:
        result = CliRunner().invoke(command.app, list(words))
        return result.exit_code, " ".join(result.stderr.split())

    def released(self, version: str) -> Path:
        return self.folder / "released" / f"{version}.json"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    for name, text in published_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Elsewhere(tmp_path)


def test_check_passes_fresh_files_and_names_a_stale_and_a_left_over_one(elsewhere: Elsewhere) -> None:
    assert elsewhere.run("check") == (0, f"{len(published_files())} generated files are fresh; no release yet.")
    (elsewhere.folder / "asyncapi.json").write_text("{}")
    (elsewhere.folder / "schemas" / "http" / "Lost.json").write_text("{}")
    code, said = elsewhere.run("check")
    assert code == 1
    assert "stale: contracts/asyncapi.json" in said
    assert "left over: contracts/schemas/http/Lost.json" in said


def test_check_fails_where_a_reader_of_the_last_release_would_break(elsewhere: Elsewhere) -> None:
    assert elsewhere.run("release", contracts.VERSION)[0] == 0
    assert elsewhere.run("check")[0] == 0
    before: dict[str, Any] = json.loads(elsewhere.released(contracts.VERSION).read_text("utf-8"))
    schema = before["events"]["case.concluded.v1"]["schema"]
    schema["properties"]["closed_by"] = {"type": "string"}
    schema["required"].append("closed_by")
    elsewhere.released(contracts.VERSION).write_text(json.dumps(before))
    code, said = elsewhere.run("check")
    assert code == 1
    assert "breaking: case.concluded.v1 closed_by: field removed." in said
    assert "case.concluded.v2" in said


def test_release_keeps_what_is_published_and_never_writes_a_version_again(elsewhere: Elsewhere) -> None:
    assert elsewhere.run("release", contracts.VERSION)[0] == 0
    kept = json.loads(elsewhere.released(contracts.VERSION).read_text("utf-8"))
    assert kept == todays_release(contracts.VERSION)
    assert set(kept["events"]) == {entry.type for entry in CATALOGUE}
    code, said = elsewhere.run("release", contracts.VERSION)
    assert code == 1
    assert "does not follow" in said


def broken_release(elsewhere: Elsewhere) -> None:
    before = todays_release("0.0.9")
    before["events"]["gone.v1"] = before["events"]["case.concluded.v1"]
    elsewhere.released("0.0.9").parent.mkdir()
    elsewhere.released("0.0.9").write_text(json.dumps(before))


def stale_file(elsewhere: Elsewhere) -> None:
    (elsewhere.folder / "README.md").unlink()


@pytest.mark.parametrize(("version", "spoil", "said"), [
    ("1", None, "is no version"),
    ("99.0.0", None, f"contracts/__init__.py says {contracts.VERSION}"),
    (contracts.VERSION, stale_file, "Generated files are stale"),
    (contracts.VERSION, broken_release, "1 changes break readers of 0.0.9"),
])
def test_release_refuses_and_says_what_to_do(version: str, spoil: Any, said: str, elsewhere: Elsewhere) -> None:
    if spoil:
        spoil(elsewhere)
    code, words = elsewhere.run("release", version)
    assert code == 1
    assert said in words
    assert not elsewhere.released(version).exists()
