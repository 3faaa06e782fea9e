"""One example of every event, made up throughout: what schemas, documents and readers' tests show and parse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from contracts.benefits import Benefit, Department, Relation, Source, Standard
from contracts.envelope import Event, EventEnvelope, Subject
from contracts.events.application import ApplicationSubmitted, Channel
from contracts.events.authorisation import AuthorisationRevoked, AuthorisationSigned, SigningMethod
from contracts.events.award import AwardEnded, AwardStarted
from contracts.events.case import CaseConcluded, ItemResult
from contracts.events.deadline import DeadlineApproaching, DeadlineKind, DeadlinePassed
from contracts.events.decision import (
    DecisionConfirmed,
    DecisionEvidenceMissing,
    DecisionProposed,
    Outcome,
    Period,
    Reason,
)
from contracts.events.item import (
    HouseholdMember,
    ItemAccepted,
    ItemNotAccepted,
    ItemSupplementRequested,
    ItemWithdrawn,
)
from contracts.events.means_check import (
    AnswerKind,
    MeansCheckCompleted,
    MeansCheckOpened,
    MeansCheckStarted,
    SourceResult,
)
from contracts.events.payment import PaymentInstructed, PaymentReturned, PaymentSettled
from contracts.events.public_notice import PublicNoticeEnded, PublicNoticeOpened
from contracts.events.referral import Joining, ReferralAnswer, ReferralAnswered, ReferralOffered
from contracts.events.verification import VerificationCompleted
from contracts.events.visit import VisitOrdered, VisitReported
from contracts.facts import Fact, FactName, Origin


def _id(number: int) -> UUID:
    return UUID(f"01942b00-0000-7000-8000-{number:012d}")


TOWN: Final = "500116108"
CASE, ITEM, PERSON, HOUSEHOLD, APPLICATION = (_id(number) for number in range(1, 6))
DECISION, AWARD, PAYMENT, NOTICE, VISIT, CHECK = (_id(number) for number in range(6, 12))
ACCEPTED_AT: Final = datetime(2025, 1, 6, 1, 0, tzinfo=UTC)
JANUARY: Final = date(2025, 1, 1)
SUBJECT: Final = Subject(case_id=CASE, item_id=ITEM, jurisdiction=TOWN, owner=TOWN, epoch=1, correlation_id=CASE)
REASON: Final = Reason(code="income_below_standard", zh="家庭人均收入低于当地最低生活保障标准。",
                       en="Income per head is below the local dibao standard.", clause="社会救助暂行办法 Art. 9")


def _fact(name: FactName, value: bool | int | str | date, origin: Origin, source: str | None = None) -> Fact:
    person = None if name in (FactName.STANDARD, FactName.ASSETS_WITHIN_LOCAL_LIMIT) else PERSON
    return Fact(person_id=person, name=name, value=value, origin=origin, as_of=date(2025, 1, 6), source=source)


_ACCEPTED = ItemAccepted(
    benefit=Benefit.DIBAO, application_id=APPLICATION, accepted_at=ACCEPTED_AT, submitted_at=ACCEPTED_AT,
    needs_verification=True, household_id=HOUSEHOLD, standard=Standard.RURAL, applicant_person_id=PERSON,
    applicant_masked_name="雷*", living_area="500112", registered_area=TOWN, has_electricity_account=True,
    members=[HouseholdMember(person_id=PERSON, relation=Relation.APPLICANT, is_adult=True, facts=[
        _fact(FactName.BORN_ON, date(1961, 4, 2), Origin.DECLARED),
        _fact(FactName.SERIOUS_ILLNESS, True, Origin.DECLARED),
    ])],
    household_facts=[_fact(FactName.STANDARD, "rural", Origin.DECLARED)],
)

_DATA: Final[tuple[Event, ...]] = (
    ApplicationSubmitted(application_id=APPLICATION, applicant_person_id=PERSON, on_behalf=False,
                         channel=Channel.PHONE, submitted_in="500112", benefits=[Benefit.DIBAO], persons_count=1),
    _ACCEPTED,
    ItemSupplementRequested(benefit=Benefit.DIBAO, missing=["accounts"]),
    ItemNotAccepted(benefit=Benefit.DIBAO, reason_code="no_rules_for_place"),
    ItemWithdrawn(benefit=Benefit.DIBAO),
    AuthorisationSigned(authorisation_id=_id(20), number="2025-500112-000001", person_id=PERSON,
                        signed_at=ACCEPTED_AT, method=SigningMethod.REMOTE_CODE, scope=list(Source)),
    AuthorisationRevoked(authorisation_id=_id(20), person_id=PERSON, revoked_at=ACCEPTED_AT),
    MeansCheckOpened(means_check_id=CHECK, awaiting_person_ids=[PERSON]),
    MeansCheckStarted(means_check_id=CHECK, sources=[Source.SOCIAL_SECURITY, Source.BANK]),
    MeansCheckCompleted(
        means_check_id=CHECK, report_number="2025-500116-000001", complete=True,
        results=[SourceResult(person_id=PERSON, source=Source.BANK, kind=AnswerKind.DATA, as_of=ACCEPTED_AT),
                 SourceResult(person_id=PERSON, source=Source.VEHICLES, kind=AnswerKind.NO_RECORD)]),
    VisitOrdered(visit_id=VISIT, area="500112", performed_by=TOWN,
                 findings_wanted=[FactName.ASSETS_WITHIN_LOCAL_LIMIT]),
    VisitReported(visit_id=VISIT, visited_on=date(2025, 1, 7), reported_at=datetime(2025, 1, 7, 2, tzinfo=UTC),
                  investigators=[f"officer:{TOWN}:1", f"officer:{TOWN}:2"], report_sha256="0" * 64),
    VerificationCompleted(
        verification_id=_id(21), revision=1, visited_on=date(2025, 1, 7), visit_report_sha256="0" * 64,
        facts=[_fact(FactName.PENSION, 0, Origin.SHARED, Source.SOCIAL_SECURITY),
               _fact(FactName.ASSETS_WITHIN_LOCAL_LIMIT, True, Origin.VISIT, "入户调查表")]),
    DecisionProposed(decision_id=DECISION, benefit=Benefit.DIBAO, outcome=Outcome.GRANT, amount_fen=67_000,
                     period=Period.MONTHLY, reasons=[REASON], rulebook_version="1", level="town",
                     confirmable_from=date(2025, 1, 15)),
    DecisionEvidenceMissing(benefit=Benefit.DIBAO, missing=[FactName.ASSETS_WITHIN_LOCAL_LIMIT],
                            waits_on="officer"),
    DecisionConfirmed(decision_id=DECISION, benefit=Benefit.DIBAO, outcome=Outcome.GRANT, amount_fen=67_000,
                      period=Period.MONTHLY, first_month=JANUARY,
                      confirmed_at=datetime(2025, 1, 15, 2, tzinfo=UTC), confirmed_by=f"officer:{TOWN}:1",
                      reasons=[REASON]),
    PublicNoticeOpened(notice_id=NOTICE, decision_id=DECISION, opened_on=date(2025, 1, 7),
                       ends_on=date(2025, 1, 14), ends_at=datetime(2025, 1, 14, 16, tzinfo=UTC),
                       areas=[TOWN, "500112"]),
    PublicNoticeEnded(notice_id=NOTICE, decision_id=DECISION),
    AwardStarted(award_id=AWARD, decision_id=DECISION, benefit=Benefit.DIBAO, amount_fen=67_000,
                 period=Period.MONTHLY, first_month=JANUARY, payee_person_id=PERSON, household_size=1),
    AwardEnded(award_id=AWARD, benefit=Benefit.DIBAO, last_month=date(2025, 6, 1), reason_code="income"),
    PaymentInstructed(payment_id=PAYMENT, award_id=AWARD, benefit=Benefit.DIBAO, period=JANUARY,
                      amount_fen=67_000),
    PaymentSettled(payment_id=PAYMENT, award_id=AWARD, period=JANUARY, amount_fen=67_000,
                   settled_at=datetime(2025, 2, 10, 4, tzinfo=UTC)),
    PaymentReturned(payment_id=PAYMENT, award_id=AWARD, period=JANUARY, amount_fen=67_000,
                    reason_code="closed_account"),
    ReferralOffered(department=Department.ELECTRICITY, benefit=Benefit.ELECTRICITY_WAIVER,
                    because_of=Benefit.DIBAO, joining=Joining.UNASKED, from_month=JANUARY,
                    answer_by=datetime(2025, 1, 29, 16, tzinfo=UTC), recipient_data="eyJhbGciOi…"),
    ReferralAnswered(department=Department.ELECTRICITY, benefit=Benefit.ELECTRICITY_WAIVER,
                     answer=ReferralAnswer.GRANTED, amount_fen_month=520, from_month=JANUARY),
    DeadlineApproaching(deadline_id=_id(22), kind=DeadlineKind.DECIDE, due_at=datetime(2025, 2, 11, 16, tzinfo=UTC),
                        elapsed_percent=50, waits_on=f"officer:{TOWN}"),
    DeadlinePassed(deadline_id=_id(22), kind=DeadlineKind.DECIDE, due_at=datetime(2025, 2, 11, 16, tzinfo=UTC),
                   waits_on=f"officer:{TOWN}", escalated_to="500116"),
    CaseConcluded(concluded_at=datetime(2025, 1, 16, 7, tzinfo=UTC), results=[
        ItemResult(item_id=ITEM, benefit=Benefit.DIBAO, result="granted", amount_fen=67_000, decided_by=TOWN)]),
)

EXAMPLES: Final[dict[str, Event]] = {event.TYPE: event for event in _DATA}


def example(event_type: str) -> EventEnvelope[Event]:
    """The example of an event type, in its envelope. Raises KeyError where there is none."""
    data = EXAMPLES[event_type]
    return EventEnvelope[Event](
        id=_id(99), type=event_type, source="/services/example", time=ACCEPTED_AT, subject=SUBJECT,
        rule_date=ACCEPTED_AT.date(), data=data,
    )
