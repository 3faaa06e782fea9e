"""Closed lists that will grow: marked `x-grows` in every schema, so that readers elsewhere expect it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

GROWS: Final = "x-grows"


class GrowingVocabulary(StrEnum):
    """Values are only ever added, and every reader has the new list before anyone sends a new value.

    For names of things (benefits, sources). What a reader branches on, such as an outcome, is a plain StrEnum: a new
    value there is a new meaning, and so a new event type.
    """

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)[GROWS] = True
        return schema
