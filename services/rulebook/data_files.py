"""Reads the rulebook's own YAML files; the only input or output there is here."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

RULEBOOK = Path(__file__).parent
DATA_FOLDERS = ("benefits", "messages", "places", "parameters")


class StrictLoader(yaml.CSafeLoader):
    """YAML that refuses a key given twice: two values for one date would silently become one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: list[str] = [str(key.value) for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key given twice: {', '.join(twice)}", node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_yaml(file: Path) -> dict[Any, Any]:
    """The mapping in a YAML file. Raises ValueError for anything else, yaml.YAMLError for a damaged one."""
    content: Any = yaml.load(file.read_text(encoding="utf-8"), Loader=StrictLoader)
    if not isinstance(content, dict):
        raise ValueError(f"{file.name}: a mapping was expected. Write `key: value` lines.")
    return content  # pyright: ignore[reportUnknownVariableType]


def read_folder(folder: Path) -> dict[Any, Any]:
    """The mappings of all YAML files of a folder as one. Raises ValueError where two files have the same key."""
    whole: dict[Any, Any] = {}
    for file in sorted(folder.glob("*.yaml")):
        rows = read_yaml(file)
        if twice := sorted(whole.keys() & rows.keys()):
            raise ValueError(f"{folder.name}/{file.name}: {twice[0]}: stands in another file as well. Take one out.")
        whole |= rows
    return whole


@cache
def rulebook_version() -> str:
    """Digest of every rule and figure, so that a decision names exactly what it was decided by."""
    digest = hashlib.sha256()
    data = (file for folder in DATA_FOLDERS for file in RULEBOOK.glob(f"{folder}/**/*.yaml"))
    for file in sorted((*RULEBOOK.glob("*.py"), *RULEBOOK.glob("*.yaml"), *RULEBOOK.glob("variables/*.py"), *data)):
        digest.update(file.relative_to(RULEBOOK).as_posix().encode())
        digest.update(file.read_bytes())
    return f"1+{digest.hexdigest()[:12]}"
