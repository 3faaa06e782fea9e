"""Every event: its topic, owner and readers, and the fields each reader may see, with the reason.

The key of every topic is the case id, so that what happens to one case keeps its order within a topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.envelope import Event
from contracts.events.application import ApplicationSubmitted
from contracts.events.authorisation import AuthorisationRevoked, AuthorisationSigned
from contracts.events.award import AwardEnded, AwardStarted
from contracts.events.case import CaseConcluded
from contracts.events.deadline import DeadlineApproaching, DeadlinePassed
from contracts.events.decision import DecisionConfirmed, DecisionEvidenceMissing, DecisionProposed
from contracts.events.item import ItemAccepted, ItemNotAccepted, ItemSupplementRequested, ItemWithdrawn
from contracts.events.means_check import MeansCheckCompleted, MeansCheckOpened, MeansCheckStarted
from contracts.events.payment import PaymentInstructed, PaymentReturned, PaymentSettled
from contracts.events.public_notice import PublicNoticeEnded, PublicNoticeOpened
from contracts.events.referral import ReferralAnswered, ReferralOffered
from contracts.events.verification import VerificationCompleted
from contracts.events.visit import VisitOrdered, VisitReported

DAY_HOURS: Final = 24
PARTITIONS: Final = 4


@dataclass(frozen=True)
class Topic:
    """A Kafka topic: one per owner and family."""

    name: str
    owner: str
    partitions: int = PARTITIONS
    retention_hours: int = 14 * DAY_HOURS


@dataclass(frozen=True)
class Grant:
    """What one reader may see of an event, and why (purpose and legal basis)."""

    reader: str
    why: str
    fields: frozenset[str] | None = None
    """None: every field."""
    topic: str | None = None
    """Where this reader gets it, if not on the owner's topic."""


@dataclass(frozen=True)
class Entry:
    """One event type of the catalogue."""

    model: type[Event]
    topic: Topic
    grants: tuple[Grant, ...]

    @property
    def type(self) -> str:
        """Type and version, such as `item.accepted.v1`."""
        return self.model.TYPE


INTAKE, VERIFICATION, APPROVAL = "intake", "verification", "approval"
DISBURSEMENT, COORDINATION = "disbursement", "coordination"
SERVICES: Final = (INTAKE, VERIFICATION, APPROVAL, DISBURSEMENT, COORDINATION)
ELECTRICITY: Final = "department:electricity"

APPLICATION = Topic("relief.application.v1", INTAKE)
ITEM = Topic("relief.item.v1", INTAKE)
AUTHORISATION = Topic("relief.authorisation.v1", INTAKE)
MEANS_CHECK = Topic("relief.means_check.v1", VERIFICATION)
VISIT = Topic("relief.visit.v1", VERIFICATION)
VERIFICATION_EVIDENCE = Topic("relief.verification.v1", VERIFICATION)
DECISION = Topic("relief.decision.v1", APPROVAL)
PUBLIC_NOTICE = Topic("relief.public_notice.v1", APPROVAL)
AWARD = Topic("relief.award.v1", APPROVAL)
PAYMENT = Topic("relief.payment.v1", DISBURSEMENT)
REFERRAL = Topic("relief.referral.v1", COORDINATION)
DEADLINE = Topic("relief.deadline.v1", COORDINATION)
CASE = Topic("relief.case.v1", COORDINATION)
DEPARTMENT_ELECTRICITY = Topic("department.electricity.v1", COORDINATION)

FOLLOWS_THE_CASE = Grant(COORDINATION, "keeps deadlines, tasks and the stage of every item (暂行办法 Art. 60)")


def _read_by(*grants: tuple[str, str]) -> tuple[Grant, ...]:
    return (FOLLOWS_THE_CASE, *(Grant(reader, why) for reader, why in grants))


CATALOGUE: Final[tuple[Entry, ...]] = (
    Entry(ApplicationSubmitted, APPLICATION, _read_by()),
    Entry(ItemAccepted, ITEM, _read_by(
        (VERIFICATION, "checks means and visits the household (民发〔2021〕57号)"),
        (APPROVAL, "decides the item"),
    )),
    Entry(ItemSupplementRequested, ITEM, _read_by()),
    Entry(ItemNotAccepted, ITEM, _read_by()),
    Entry(ItemWithdrawn, ITEM, _read_by(
        (VERIFICATION, "stops asking sources"),
        (APPROVAL, "decides nothing more"),
    )),
    Entry(AuthorisationSigned, AUTHORISATION, _read_by((VERIFICATION, "asks only what was authorised"))),
    Entry(AuthorisationRevoked, AUTHORISATION, _read_by((VERIFICATION, "asks nothing more"))),
    Entry(MeansCheckOpened, MEANS_CHECK, _read_by()),
    Entry(MeansCheckStarted, MEANS_CHECK, _read_by()),
    Entry(MeansCheckCompleted, MEANS_CHECK, _read_by()),
    Entry(VisitOrdered, VISIT, _read_by()),
    Entry(VisitReported, VISIT, _read_by()),
    Entry(VerificationCompleted, VERIFICATION_EVIDENCE, (
        Grant(COORDINATION, "the investigation deadline is met",
              frozenset({"verification_id", "revision", "visited_on"})),
        Grant(APPROVAL, "applies the rulebook to the evidence"),
    )),
    Entry(DecisionProposed, DECISION, _read_by()),
    Entry(DecisionEvidenceMissing, DECISION, _read_by()),
    Entry(DecisionConfirmed, DECISION, _read_by((INTAKE, "knows when an item is closed"))),
    Entry(PublicNoticeOpened, PUBLIC_NOTICE, _read_by()),
    Entry(PublicNoticeEnded, PUBLIC_NOTICE, _read_by()),
    Entry(AwardStarted, AWARD, _read_by((DISBURSEMENT, "pays it"))),
    Entry(AwardEnded, AWARD, _read_by((DISBURSEMENT, "stops paying"))),
    Entry(PaymentInstructed, PAYMENT, _read_by()),
    Entry(PaymentSettled, PAYMENT, _read_by()),
    Entry(PaymentReturned, PAYMENT, _read_by()),
    Entry(ReferralOffered, REFERRAL, (
        FOLLOWS_THE_CASE,
        Grant(
            ELECTRICITY,
            "grants free electricity to dibao households (渝价 notice on free basic electricity, 2020-09)",
            frozenset({"department", "benefit", "because_of", "joining", "from_month", "answer_by",
                       "recipient_data"}),
            topic=DEPARTMENT_ELECTRICITY.name,
        ),
    )),
    Entry(ReferralAnswered, REFERRAL, _read_by()),
    Entry(DeadlineApproaching, DEADLINE, ()),
    Entry(DeadlinePassed, DEADLINE, ()),
    Entry(CaseConcluded, CASE, ()),
)

TOPICS: Final[tuple[Topic, ...]] = (*dict.fromkeys(entry.topic for entry in CATALOGUE), DEPARTMENT_ELECTRICITY)

EVENTS: Final[dict[str, Entry]] = {entry.type: entry for entry in CATALOGUE}


def topic_of(event_type: str) -> str:
    """The topic on which an event type is published. Raises KeyError for an unknown type."""
    return EVENTS[event_type].topic.name


def model_of(event_type: str) -> type[Event] | None:
    """The model of an event type; None for one that this version does not know."""
    entry = EVENTS.get(event_type)
    return entry.model if entry else None


def granted_fields(event_type: str, reader: str) -> frozenset[str]:
    """The fields of an event that a reader may see; empty where it may see none."""
    entry = EVENTS[event_type]
    for grant in entry.grants:
        if grant.reader == reader:
            return grant.fields if grant.fields is not None else frozenset(entry.model.model_fields)
    return frozenset()
