"""Events as the other services send them: the builders show what matters to a test, the rest is defaulted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from contracts.benefits import Benefit, Relation, Standard
from contracts.envelope import EventEnvelope, Subject, new_id
from contracts.events.item import HouseholdMember, ItemAccepted, ItemWithdrawn, SmallSum
from contracts.events.verification import VerificationCompleted
from contracts.facts import Fact, FactName, FactValue, Origin
from services.runtime.records import StoredRecord

BAISHA, JIJIANG, JIANGJIN, YUBEI_TOWN = "500116108", "500116001", "500116", "500112016"
MONDAY = date(2025, 1, 6)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def noon(day: date) -> datetime:
    """Noon of a legal day, as UTC."""
    return datetime.combine(day, time(12), SHANGHAI).astimezone(UTC)


def an_item_accepted(
    *, owner: str = BAISHA, living_area: str | None = None, benefit: Benefit = Benefit.DIBAO, on: date = MONDAY,
    small_sum_fen: int | None = None, signed_by: str | None = None, standard: Standard = Standard.RURAL,
    near_relative: bool = False, needs_verification: bool | None = None, adult: bool = True,
) -> EventEnvelope[ItemAccepted]:
    """A person living alone; with `small_sum_fen` an emergency registered by an officer of the owner."""
    person_id = new_id()
    small_sum = None
    if small_sum_fen is not None:
        benefit = Benefit.TEMPORARY_ASSISTANCE
        small_sum = SmallSum(amount_fen=small_sum_fen, cause="fire", signed_by=signed_by or f"officer:{owner}:1")
    accepted = ItemAccepted(
        benefit=benefit, application_id=new_id(), accepted_at=noon(on), submitted_at=noon(on),
        needs_verification=small_sum is None if needs_verification is None else needs_verification,
        household_id=new_id(), standard=standard, applicant_person_id=person_id, applicant_masked_name="雷*",
        members=[HouseholdMember(person_id=person_id, relation=Relation.APPLICANT, is_adult=adult)],
        living_area=living_area or owner, registered_area=owner, near_relative_of_officer=near_relative,
        small_sum=small_sum,
    )
    subject = Subject(case_id=new_id(), item_id=new_id(), jurisdiction=owner, owner=owner, epoch=1)
    return EventEnvelope[ItemAccepted].of(accepted, subject, service="intake", time=noon(on), rule_date=on)


def a_verification(
    item: EventEnvelope[ItemAccepted], *, revision: int = 1, on: date = MONDAY, without: tuple[FactName, ...] = (),
    **known: FactValue,
) -> EventEnvelope[VerificationCompleted]:
    """All evidence dibao needs, of someone without income; `known` says otherwise, by the facts' names."""
    person_id = item.data.applicant_person_id
    values: dict[str, FactValue] = {
        "born_on": date(1961, 4, 2), "alive": True, "wage_fen_month": 0, "pension_fen_month": 0,
        "business_fen_month": 0, "property_income_fen_month": 0, "transfer_fen_month": 0, "bank_balance_fen": 310000,
        "vehicles_count": 0, "homes_count": 0, "disability_grade": 0, "serious_illness": True,
        "in_full_time_education": False, "standard": item.data.standard.value, "support_income_fen_month": 0,
        "assets_within_local_limit": True, **known,
    }
    of_household = {"standard", "support_income_fen_month", "assets_within_local_limit"}
    facts = [
        Fact(person_id=None if name in of_household else person_id, name=FactName(name), value=value,
             origin=Origin.VISIT, as_of=on, source="visit report")
        for name, value in values.items() if FactName(name) not in without
    ]
    completed = VerificationCompleted(verification_id=new_id(), revision=revision, facts=facts, visited_on=on)
    return EventEnvelope[VerificationCompleted].of(
        completed, item.subject, service="verification", time=noon(on), rule_date=on
    )


def a_withdrawal(item: EventEnvelope[ItemAccepted]) -> EventEnvelope[ItemWithdrawn]:
    """The household withdraws that item."""
    return EventEnvelope[ItemWithdrawn].of(
        ItemWithdrawn(benefit=item.data.benefit), item.subject, service="intake", time=item.time,
        rule_date=item.rule_date,
    )


def a_record(event: EventEnvelope[Any], *, topic: str = "relief.item.v1") -> StoredRecord:
    """The event as it comes from Kafka."""
    headers = [(name, value.encode()) for name, value in event.headers().items()]
    return StoredRecord(topic, 0, None, str(event.case_id).encode(), headers, event.body())
