"""Events as the other services send them: the builders show what matters to a test, the rest is defaulted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.benefits import Benefit, Relation, Standard
from contracts.envelope import Event, EventEnvelope, Subject, new_id
from contracts.events.application import ApplicationSubmitted, Channel
from contracts.events.award import AwardStarted
from contracts.events.decision import (
    DecisionConfirmed,
    DecisionEvidenceMissing,
    DecisionProposed,
    Outcome,
    Period,
)
from contracts.events.item import (
    HouseholdMember,
    ItemAccepted,
    ItemNotAccepted,
    ItemSupplementRequested,
    ItemWithdrawn,
    SmallSum,
)
from contracts.events.public_notice import PublicNoticeEnded, PublicNoticeOpened
from contracts.events.visit import VisitOrdered, VisitReported
from services.runtime.clock import start_of_legal_day
from services.runtime.records import StoredRecord

BAISHA, JIANGJIN, YUBEI_TOWN = "500116108", "500116", "500112016"
MONDAY = date(2025, 1, 6)
DAY = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def noon(day: date) -> datetime:
    """Noon of a legal day, as UTC."""
    return datetime.combine(day, time(12), SHANGHAI).astimezone(UTC)


class Matter:
    """One household's case in events, as they would come from the services that own them."""

    def __init__(self, *, owner: str = BAISHA) -> None:
        self.case_id = new_id()
        self.owner = owner
        self.applicant_id = new_id()

    def told(self, data: Event, item_id: UUID | None, on: date, *, place: str | None = None) -> EventEnvelope[Any]:
        owner = self.owner if item_id is not None and place is None else None
        subject = Subject(case_id=self.case_id, item_id=item_id, jurisdiction=place or self.owner, owner=owner,
                          epoch=1 if owner else None)
        return EventEnvelope[Any].of(data, subject, service="test", time=noon(on), rule_date=on)

    def submitted(self, *benefits: Benefit, on: date = MONDAY) -> EventEnvelope[Any]:
        return self.told(ApplicationSubmitted(
            application_id=new_id(), applicant_person_id=self.applicant_id, on_behalf=False, channel=Channel.PHONE,
            submitted_in=YUBEI_TOWN, benefits=list(benefits) or [Benefit.DIBAO], persons_count=1,
        ), None, on, place=YUBEI_TOWN)

    def accepted(self, item_id: UUID, *, benefit: Benefit = Benefit.DIBAO, on: date = MONDAY,
                 small_sum_fen: int | None = None, electricity_account: bool = False) -> EventEnvelope[Any]:
        small_sum = None
        if small_sum_fen is not None:
            benefit = Benefit.TEMPORARY_ASSISTANCE
            small_sum = SmallSum(amount_fen=small_sum_fen, cause="fire", signed_by=f"officer:{self.owner}:1")
        return self.told(ItemAccepted(
            benefit=benefit, application_id=new_id(), accepted_at=noon(on), submitted_at=noon(on),
            needs_verification=small_sum is None, household_id=new_id(), standard=Standard.RURAL,
            applicant_person_id=self.applicant_id, applicant_masked_name="雷*",
            members=[HouseholdMember(person_id=self.applicant_id, relation=Relation.APPLICANT, is_adult=True)],
            living_area=YUBEI_TOWN, registered_area=self.owner, has_electricity_account=electricity_account,
            small_sum=small_sum,
        ), item_id, on)

    def supplement_requested(self, item_id: UUID, *, on: date = MONDAY) -> EventEnvelope[Any]:
        return self.told(ItemSupplementRequested(benefit=Benefit.DIBAO, missing=["persons"]), item_id, on)

    def not_accepted(self, item_id: UUID, *, benefit: Benefit = Benefit.DIBAO,
                     on: date = MONDAY) -> EventEnvelope[Any]:
        return self.told(ItemNotAccepted(benefit=benefit, reason_code="not_here"), item_id, on)

    def withdrawn(self, item_id: UUID, *, on: date = MONDAY + DAY) -> EventEnvelope[Any]:
        return self.told(ItemWithdrawn(benefit=Benefit.DIBAO), item_id, on)

    def visit_ordered(self, item_id: UUID, visit_id: UUID, *, by: str = BAISHA) -> EventEnvelope[Any]:
        return self.told(VisitOrdered(visit_id=visit_id, area=YUBEI_TOWN, performed_by=by,
                                      findings_wanted=["assets_within_local_limit"]), item_id, MONDAY, place=by)

    def visit_reported(self, item_id: UUID, visit_id: UUID, *, on: date = MONDAY + DAY) -> EventEnvelope[Any]:
        return self.told(VisitReported(visit_id=visit_id, visited_on=on, reported_at=noon(on), report_sha256="0" * 64,
                                       investigators=["officer:500116108:1", "officer:500116108:2"]),
                         item_id, on, place=BAISHA)

    def evidence_missing(self, item_id: UUID, *missing: str, on: date = MONDAY + DAY, waits_on: str = "officer",
                         benefit: Benefit = Benefit.DIBAO, level: str | None = None) -> EventEnvelope[Any]:
        return self.told(DecisionEvidenceMissing(benefit=benefit, missing=list(missing or ["support_income_fen_month"]),
                                                 waits_on=waits_on, level=level), item_id, on)

    def proposed(self, item_id: UUID, decision_id: UUID, *, outcome: Outcome = Outcome.GRANT, level: str = "town",
                 on: date = MONDAY + 2 * DAY) -> EventEnvelope[Any]:
        return self.told(DecisionProposed(
            decision_id=decision_id, benefit=Benefit.DIBAO, outcome=outcome, level=level, reasons=[],
            amount_fen=60000 if outcome is Outcome.GRANT else None, rulebook_version="1", confirmable_from=on + 8 * DAY,
            period=Period.MONTHLY if outcome is Outcome.GRANT else None,
        ), item_id, on)

    def notice_opened(self, item_id: UUID, decision_id: UUID, *, on: date = MONDAY + 2 * DAY) -> EventEnvelope[Any]:
        return self.told(PublicNoticeOpened(
            notice_id=new_id(), decision_id=decision_id, opened_on=on, ends_on=on + 7 * DAY,
            ends_at=start_of_legal_day(on + 8 * DAY), areas=[self.owner],
        ), item_id, on)

    def notice_ended(self, item_id: UUID, decision_id: UUID, *, on: date = MONDAY + 10 * DAY) -> EventEnvelope[Any]:
        return self.told(PublicNoticeEnded(notice_id=new_id(), decision_id=decision_id), item_id, on)

    def confirmed(self, item_id: UUID, decision_id: UUID, *, outcome: Outcome = Outcome.GRANT, small_sum: bool = False,
                  on: date = MONDAY + 10 * DAY) -> EventEnvelope[Any]:
        return self.told(DecisionConfirmed(
            decision_id=decision_id, outcome=outcome, confirmed_at=noon(on), reasons=[], small_sum=small_sum,
            benefit=Benefit.TEMPORARY_ASSISTANCE if small_sum else Benefit.DIBAO,
            amount_fen=60000 if outcome is Outcome.GRANT else None, confirmed_by=f"officer:{self.owner}:1",
            first_month=on.replace(day=1) if outcome is Outcome.GRANT else None,
        ), item_id, on)

    def award_started(self, item_id: UUID, *, period: Period = Period.MONTHLY,
                      on: date = MONDAY + 10 * DAY) -> EventEnvelope[Any]:
        return self.told(AwardStarted(award_id=new_id(), decision_id=new_id(), benefit=Benefit.DIBAO, amount_fen=60000,
                                      period=period, first_month=on.replace(day=1),
                                      payee_person_id=self.applicant_id, household_size=1), item_id, on)


def a_record(event: EventEnvelope[Any]) -> StoredRecord:
    """The event as it comes from Kafka."""
    headers = [(name, value.encode()) for name, value in event.headers().items()]
    return StoredRecord("relief.item.v1", 0, None, str(event.case_id).encode(), headers, event.body())
