"""Events as intake sends them: the builders show what matters to a test, the rest is defaulted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.benefits import Benefit, Relation, Source, Standard
from contracts.envelope import Event, EventEnvelope, Subject, new_id
from contracts.events.authorisation import AuthorisationRevoked, AuthorisationSigned, SigningMethod
from contracts.events.item import HouseholdMember, ItemAccepted, ItemWithdrawn
from contracts.facts import Fact, FactName, FactValue, Origin
from contracts.http.casework import Finding, ReportVisit
from services.runtime.records import StoredRecord

BAISHA, JIANGJIN, YUBEI, YUBEI_TOWN = "500116108", "500116", "500112", "500112016"
MONDAY = date(2025, 1, 6)
MONDAY_NOON = datetime(2025, 1, 6, 4, tzinfo=UTC)
EVERY_SOURCE = tuple(Source)


def an_item(*, adults: int = 1, children: int = 0, owner: str = BAISHA, benefit: Benefit = Benefit.DIBAO,
            case_id: UUID | None = None, persons: list[UUID] | None = None, needs_verification: bool = True,
            living_area: str = YUBEI_TOWN, near_relative: bool = False,
            seriously_ill: bool | None = None) -> EventEnvelope[ItemAccepted]:
    """An accepted item of a household with so many adults, the applicant first, then children."""
    declared: dict[FactName, FactValue] = {FactName.BORN_ON: date(1961, 4, 2)}
    if seriously_ill is not None:
        declared[FactName.SERIOUS_ILLNESS] = seriously_ill
    persons = persons or [new_id() for _ in range(adults + children)]
    members = [
        HouseholdMember(
            person_id=person_id, is_adult=number < adults,
            relation=Relation.APPLICANT if number == 0 else Relation.SPOUSE if number < adults else Relation.CHILD,
            facts=[Fact(person_id=person_id, name=name, value=value, origin=Origin.DECLARED, as_of=MONDAY)
                   for name, value in declared.items()],
        )
        for number, person_id in enumerate(persons)
    ]
    accepted = ItemAccepted(
        benefit=benefit, application_id=new_id(), accepted_at=MONDAY_NOON, submitted_at=MONDAY_NOON,
        needs_verification=needs_verification, household_id=new_id(), standard=Standard.RURAL,
        applicant_person_id=persons[0], applicant_masked_name="雷*", members=members, living_area=living_area,
        registered_area=owner, near_relative_of_officer=near_relative,
    )
    subject = Subject(case_id=case_id or new_id(), item_id=new_id(), jurisdiction=owner, owner=owner, epoch=1)
    return an_event(accepted, subject)


def signed(item: EventEnvelope[ItemAccepted], person: int = 0, *, scope: tuple[Source, ...] = EVERY_SOURCE,
           method: SigningMethod = SigningMethod.REMOTE_CODE) -> EventEnvelope[AuthorisationSigned]:
    """The member with this number signs."""
    letter_id = new_id()
    data = AuthorisationSigned(
        authorisation_id=letter_id, number=f"SQ-{letter_id.hex[-8:]}", signed_at=MONDAY_NOON, method=method,
        person_id=item.data.members[person].person_id, scope=list(scope),
    )
    return an_event(data, Subject(case_id=item.case_id, jurisdiction=item.subject.jurisdiction))


def revoked(letter: EventEnvelope[AuthorisationSigned]) -> EventEnvelope[AuthorisationRevoked]:
    """The signer takes it back."""
    data = AuthorisationRevoked(authorisation_id=letter.data.authorisation_id, person_id=letter.data.person_id,
                                revoked_at=MONDAY_NOON + timedelta(hours=1))
    return an_event(data, letter.subject)


def withdrawn(item: EventEnvelope[ItemAccepted]) -> EventEnvelope[ItemWithdrawn]:
    """The household withdraws that item."""
    return an_event(ItemWithdrawn(benefit=item.data.benefit), item.subject)


def a_finding(name: FactName = FactName.ASSETS_WITHIN_LOCAL_LIMIT, value: FactValue = True, *,
              person_id: UUID | None = None, as_of: date = MONDAY, document: str = "入户调查表") -> Finding:
    """Something an officer found."""
    return Finding(document=document, fact=Fact(person_id=person_id, name=name, value=value, origin=Origin.VISIT,
                                                as_of=as_of))


def a_report(*findings: Finding, on: date = MONDAY, place: str = BAISHA,
             investigators: tuple[int, ...] = (1, 2), note: str | None = None) -> ReportVisit:
    """A report by officers of a place, by their numbers."""
    return ReportVisit(visited_on=on, findings=list(findings), note=note,
                       investigators=[f"officer:{place}:{number}" for number in investigators])


def a_record(event: EventEnvelope[Any], topic: str) -> StoredRecord:
    """The event as it comes from Kafka."""
    headers = [(name, value.encode()) for name, value in event.headers().items()]
    return StoredRecord(topic, 0, None, str(event.case_id).encode(), headers, event.body())


def an_event(data: Event, subject: Subject) -> EventEnvelope[Any]:
    """An event of intake on that Monday."""
    return EventEnvelope[Any].of(data, subject, service="intake", time=MONDAY_NOON, rule_date=MONDAY)
