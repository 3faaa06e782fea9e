"""Reads a story's file. YAML 1.2, where `on` is a word; in YAML 1.1 it would be `true`."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from deploy.sandbox.player.expectations import recognise_all
from deploy.sandbox.player.story import Story


class StoryNotUnderstood(Exception):
    """The file is no story. Says which file and what is wrong with it."""


def read_story(path: Path) -> Story:
    """Parse and check one story. Raises StoryNotUnderstood, with a sentence for whoever wrote it."""
    try:
        told = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
        return recognise_all(Story.model_validate(told))
    except OSError as error:
        raise StoryNotUnderstood(f"{path}: cannot be read ({error.strerror}).") from error
    except YAMLError as error:
        raise StoryNotUnderstood(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'story'}: {fault['msg']}" for fault in error.errors())
        raise StoryNotUnderstood(f"{path}: {faults}") from error
    except ValueError as error:
        raise StoryNotUnderstood(f"{path}: expect: {error}") from error
