"""What the documents draw and say is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.catalogue import DEPARTMENT_ELECTRICITY, EVENTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ARROWS = re.findall(r"^    (\w+)->>(\w+): ([a-z_]+\.[a-z_]+)$", README, re.MULTILINE)
LINKS = re.findall(r"\]\(([^)#:]+)\)", README)
COMMANDS = re.findall(r"^make (\w+)", README, re.MULTILINE)


def test_the_journey_is_drawn() -> None:
    assert len(ARROWS) > 10


@pytest.mark.parametrize(("sender", "reader", "name"), ARROWS)
def test_an_arrow_is_an_event_of_its_owner_read_by_its_reader(sender: str, reader: str, name: str) -> None:
    entry = EVENTS[f"{name}.v1"]
    assert entry.topic.owner == sender
    readers = {"electricity" if grant.topic == DEPARTMENT_ELECTRICITY.name else grant.reader for grant in entry.grants}
    assert reader in readers


@pytest.mark.parametrize("link", LINKS)
def test_a_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_make_command_of_the_readme_exists(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_every_direct_dependency_has_its_reason() -> None:
    named = {re.split(r"[\[><=; ]", line)[0] for line in (ROOT / "requirements.in").read_text().splitlines() if line}
    reasons = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    table = {cell for row in re.findall(r"^\| ([^|]+) \|", reasons, re.MULTILINE) for cell in re.split(r", ", row)}
    assert named == {re.split(r"\[", cell)[0].strip() for cell in table} - {"package", "---"}


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.name)
def test_an_adr_is_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 60
