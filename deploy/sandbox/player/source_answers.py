"""What a story says about a data source, in the sandbox's words: yuan become fen, a word becomes a behaviour."""

from __future__ import annotations

import re
from typing import Any

from contracts.events.means_check import AnswerKind

LATE = re.compile(r"late (?P<number>\d+) (?P<unit>day|hour)s?")


def source_answer(told: dict[str, Any] | str) -> dict[str, Any]:
    """The answer a source of the sandbox is to give. Raises ValueError for an unknown word."""
    if isinstance(told, dict):
        late = {key: value for key, value in told.items() if key in ("late_days", "late_hours")}
        data = {key: value for key, value in told.items() if key not in late}
        return {"kind": AnswerKind.DATA, "data": dict(_in_fen(*entry) for entry in data.items()), **late}
    match told:
        case "refuses":
            return {"kind": AnswerKind.REFUSED}
        case "no record":
            return {"kind": AnswerKind.NO_RECORD}
        case "silent" | "unreachable":
            return {"behaviour": told}
        case _ if late := LATE.fullmatch(told):
            return {"kind": AnswerKind.NO_RECORD, f"late_{late['unit']}s": int(late["number"])}
        case _:
            raise ValueError(f"A source cannot {told!r}. Give its data, or: refuses, no record, silent, "
                             "unreachable, late N days, late N hours.")


def _in_fen(key: str, value: Any) -> tuple[str, Any]:
    """`pension_yuan_month: 300` becomes `pension_fen_month: 30000`."""
    if "_yuan" in key:
        return key.replace("_yuan", "_fen"), round(value * 100)
    return key, value
