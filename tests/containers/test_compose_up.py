"""The composition comes up healthy, plays a story although a service dies in the middle, and keeps its promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.process_table import PROCESSES
from tests.containers.composition import Composition
from tests.containers.engine import require_engine

require_engine()
pytestmark = pytest.mark.usefixtures("played")

STORY = "tests/journeys/stories/C4.yaml"
KILLED, WHEN_IT_READS = "coordination", "item.accepted"
SERVERS = ("postgres", "kafka", "temporal")
# Everything of a container but its first process, which hears no signal from inside: that one ends with the rest.
END_AT_ONCE = ("sh", "-c", "kill -9 -1")


@pytest.fixture(scope="module")
def composition(request: pytest.FixtureRequest) -> Iterator[Composition]:
    """Everything up, on data of its own; gone afterwards. Only where these tests are asked for by name."""
    if not any("containers" in asked_for for asked_for in request.config.args):
        pytest.skip("Building and starting the composition takes minutes: make test T=tests/containers")
    running = Composition()
    try:
        running.call("build")
        running.up()
        yield running
    finally:
        running.call("down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="module")
def played(composition: Composition) -> dict[str, object]:
    """The report of the story during which a service was killed."""
    playing = composition.begin("run", "--rm", "--no-TTY", "onething", "story", "run", STORY, "--json")
    assert playing.stderr is not None
    told: list[str] = []
    for line in playing.stderr:
        told.append(line)
        if WHEN_IT_READS in line:
            composition.begin("exec", "--no-TTY", KILLED, *END_AT_ONCE).communicate()
            break
    written, rest = playing.communicate()
    assert playing.returncode == 0, f"{''.join(told)[-2000:]} {rest[-2000:]} {written[-2000:]}"
    return json.loads(written)[0]


def test_the_story_passes_although_a_service_was_killed(played: dict[str, object]) -> None:
    assert played["passed"], played["expectations"]


def test_what_was_killed_came_back_by_itself(composition: Composition) -> None:
    assert composition.restarts(KILLED) == 1


def test_everything_that_stays_up_is_healthy(composition: Composition) -> None:
    states = composition.states()
    health = {name: states[name]["Health"] for name in (*SERVERS, *(entry.name for entry in PROCESSES))}
    assert set(health.values()) == {"healthy"}, health


def test_every_promise_holds_and_no_container_logged_an_identifier(composition: Composition, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "containers.log").write_text(composition.call("logs", "--no-color"))
    for path in (logs, *logs.parents):
        if path.is_relative_to(tmp_path.parents[1]):
            path.chmod(0o755)  # the container's user is another
    promises = json.loads(composition.onething("invariants", "--json", mounted=f"{logs}:/operator/logs:ro"))
    assert [promise["number"] for promise in promises] == [1, 2, 3, 4, 5, 6, 7]
    assert [violation for promise in promises for violation in promise["violations"]] == []


def test_no_container_logged_a_secret(composition: Composition) -> None:
    print_secrets = ("run", "--rm", "--no-TTY", "--entrypoint", "sh", "onething", "-c", "cat /operator/secrets/*key "
                     "/operator/secrets/database_* | sed 's/$/\\n/'")
    secrets = composition.call(*print_secrets).split()
    assert secrets
    logs = composition.call("logs", "--no-color")
    assert not [secret for secret in secrets if secret in logs]


def test_a_second_start_finds_everything_and_legal_time_stood_still_meanwhile(composition: Composition) -> None:
    legal_before, machine_before = legal_now(composition), datetime.now(UTC)
    composition.call("down")
    composition.up()
    legal_passed, machine_passed = legal_now(composition) - legal_before, datetime.now(UTC) - machine_before
    assert timedelta(0) < legal_passed < machine_passed
    promises = json.loads(composition.onething("invariants", "--json"))
    assert [violation for promise in promises for violation in promise["violations"]] == []


def legal_now(composition: Composition) -> datetime:
    """Legal time, of a stack whose every part is well."""
    status = json.loads(composition.onething("status", "--json"))
    assert status["healthy"], status["parts"]
    return datetime.fromisoformat(status["clock"]["legal_now"])
