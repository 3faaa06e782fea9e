"""The areas a form can name, for whoever shows a form: codes, names and what lies in what."""

from __future__ import annotations

from contracts.http.message import Answer
from services import rulebook


class AreaView(Answer):
    """An area by its code (GB/T 2260, GB/T 10114). A village is its town's code and three digits more."""

    code: str
    name: str
    parent: str | None


class AreaList(Answer):
    """`GET /areas`: from the nation down to the towns."""

    areas: list[AreaView]


def known_areas() -> AreaList:
    """Every listed area."""
    return AreaList(areas=[AreaView(code=place.code, name=place.name, parent=place.parent)
                           for place in rulebook.places().values()])
