"""The one program: every command shows an example, and what cannot be done is told in one sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.app import app
from deploy.sandbox.player.story_file import StoryNotUnderstood, read_story

ROOT = Path(__file__).parents[2]
C4 = ROOT / "tests" / "journeys" / "stories" / "C4.yaml"


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    children = getattr(group, "commands", None)
    if children is None:
        yield path
        return
    for name, child in children.items():
        yield from commands(child, (*path, name))


@pytest.mark.parametrize("path", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_help_shows_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    assert f"Example: onething {' '.join(path)}" in " ".join(shown.output.split())


@pytest.mark.parametrize("command", [["status"], ["invariants"], ["clock", "show"], ["dead-letters", "list"],
                                     ["case", "show", "018f2c9e-7a51-7c3e-9d0b-5f2a6b1c8e44"]], ids=" ".join)
def test_without_a_stack_a_command_says_so_in_one_sentence(command: list[str], tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ONETHING_HOME": str(tmp_path / "world")}
    code = ("import deploy.cli.running_stack as stack, pathlib; "
            f"stack.DEMO_HOME = stack.FRESH_HOME = pathlib.Path({str(tmp_path / 'none')!r}); "
            f"import sys; sys.argv = ['onething', *{command!r}]; from deploy.cli.app import app; app()")
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True,
                            check=False)
    assert result.returncode == 1
    assert "Run: onething up" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_production_has_no_keeper(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"], "ONETHING_ENV": "production", "ONETHING_DATABASE_DSN": "postgresql://nowhere",
        "ONETHING_HTTP_PORT": "1", "ONETHING_TRUSTED_KEYS_FILE": str(tmp_path), "ONETHING_WATCHED_URLS": "{}",
        "ONETHING_SIGNING_KEY_FILE": str(tmp_path), "ONETHING_COORDINATION_URL": "", "ONETHING_ACTOR_URLS": "{}",
    }
    result = subprocess.run([sys.executable, "-m", "deploy.local.clock_keeper"], cwd=ROOT, env=environment,
                            capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "ONETHING_ENV is production" in result.stderr


@pytest.mark.parametrize(("change", "named"), [
    (("does: apply", "does: aply"), "steps.0.does"),
    (("on: day 1", "on: someday"), "someday"),
    (("members: [雷某]", "members: [无人]"), "无人"),
    (("  - the case was concluded", "  - everybody was happy"), "everybody was happy"),
    (("id: C4", "id: C4\nextra: 1"), "extra"),
])
def test_a_story_with_an_unknown_word_is_refused_by_name(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    told = C4.read_text("utf-8")
    assert change[0] in told
    (tmp_path / "story.yaml").write_text(told.replace(*change, 1), "utf-8")
    with pytest.raises(StoryNotUnderstood, match=named):
        read_story(tmp_path / "story.yaml")


def test_a_story_without_expectations_is_an_error(tmp_path: Path) -> None:
    told = C4.read_text("utf-8").split("expect:")[0]
    (tmp_path / "story.yaml").write_text(told, "utf-8")
    with pytest.raises(StoryNotUnderstood, match="expect"):
        read_story(tmp_path / "story.yaml")


def test_contracts_check_is_content_with_the_tree() -> None:
    assert CliRunner().invoke(app, ["contracts", "check"]).exit_code == 0


def test_the_lock_names_no_address_and_pins_every_package_with_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert all(line.endswith("\\") and "==" in line for line in pinned)
    jars = (ROOT / "deploy" / "local" / "jars.lock").read_text().splitlines()
    assert jars and all(re.fullmatch(r"[\w.\-]+:[\w.\-]+:[\w.\-]+ sha256:[0-9a-f]{64}", line) for line in jars)
