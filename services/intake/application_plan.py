"""Where each benefit of a form goes: a new item, or one that is already open for the same person. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from contracts.benefits import Benefit
from contracts.envelope import new_id
from services.intake.rules import Examination, ItemStatus


class Placing(StrEnum):
    """What a benefit on a form comes to."""

    OPENED = "opened"
    """A new item."""
    COMPLETED = "completed"
    """An item that waited for a supplement has now got it."""
    ALREADY_OPEN = "already_open"
    """The same matter again, by someone who may follow it: they are shown the item."""
    JOINED = "joined"
    """The same matter again, by a stranger: joined to the item, of which they learn nothing."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item that is not yet decided."""

    item_id: UUID
    case_id: UUID
    household_id: UUID
    owner: str
    status: ItemStatus
    missing: tuple[str, ...]
    submitted_by: str


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One benefit of the form and its place."""

    placing: Placing
    item_id: UUID
    examination: Examination
    open_item: OpenItem | None = None
    instead_of: UUID | None = None
    """The open item that a stranger left incomplete and that ends because this new one is whole."""

    @property
    def starts_something(self) -> bool:
        """Whether anyone else will hear of it."""
        return self.placing in (Placing.OPENED, Placing.COMPLETED)


@dataclass(frozen=True, slots=True)
class ApplicationPlan:
    """One form's case and items."""

    application_id: UUID
    case_id: UUID
    household_id: UUID
    is_new_case: bool
    jurisdiction: str
    """Of the case: the owner of the first item that someone decides."""
    items: Sequence[PlannedItem]

    def already_open(self, benefit: Benefit) -> OpenItem | None:
        """The item that stands in the way of a new one of this benefit, where the caller may follow it."""
        return next((item.open_item for item in self.items
                     if item.examination.benefit == benefit and item.placing == Placing.ALREADY_OPEN), None)

    @property
    def starts_something(self) -> bool:
        """Whether anything is published."""
        return any(item.starts_something for item in self.items)


def plan(
    examinations: Sequence[Examination],
    open_items: Mapping[Benefit, OpenItem],
    may_follow: Callable[[OpenItem], bool],
) -> ApplicationPlan:
    """The same person with an open item of the same benefit is one item (同一事项不重复受理).

    Where items are open in several cases, the form belongs to one of them, first to one that it completes.
    """
    placed = [_place(examination, open_items.get(examination.benefit), may_follow) for examination in examinations]
    known = sorted((item for item in placed if item.open_item is not None and item.placing != Placing.JOINED),
                   key=lambda item: item.placing != Placing.COMPLETED)
    followed = known[0].open_item if known else None
    items = [_within(item, followed) for item in placed]
    return ApplicationPlan(
        application_id=new_id(),
        case_id=followed.case_id if followed else new_id(),
        household_id=followed.household_id if followed else new_id(),
        is_new_case=followed is None,
        jurisdiction=followed.owner if followed else _first_owner(items),
        items=items,
    )


def _first_owner(items: Sequence[PlannedItem]) -> str:
    decided = [item for item in items
               if item.starts_something and item.examination.status != ItemStatus.NOT_ACCEPTED]
    return (decided or items)[0].examination.owner


def _within(item: PlannedItem, followed: OpenItem | None) -> PlannedItem:
    """The item as this form of the followed case can have it."""
    elsewhere = item.open_item is not None and followed is not None and item.open_item.case_id != followed.case_id
    if elsewhere and item.placing == Placing.COMPLETED:
        # Hazard: its events would be told under another case than before, and their order would be lost. It goes
        # on waiting for its supplement, as the receipt says; the form handed in once more completes it.
        return replace(item, placing=Placing.ALREADY_OPEN)
    return item


def _place(
    examination: Examination, open_item: OpenItem | None, may_follow: Callable[[OpenItem], bool]
) -> PlannedItem:
    if open_item is None:
        return PlannedItem(Placing.OPENED, new_id(), examination)
    completes = open_item.status == ItemStatus.SUPPLEMENT_REQUESTED and examination.status == ItemStatus.ACCEPTED
    if not may_follow(open_item):
        # Hazard: joined to an item that waits for a stranger's supplement, a complete form would wait for ever.
        return (PlannedItem(Placing.OPENED, new_id(), examination, instead_of=open_item.item_id) if completes
                else PlannedItem(Placing.JOINED, new_id(), examination, open_item))
    if completes:
        return PlannedItem(Placing.COMPLETED, open_item.item_id, examination, open_item)
    return PlannedItem(Placing.ALREADY_OPEN, open_item.item_id, examination, open_item)
