"""Which part is killed at which step of which story: the rows, columns and arms of the tables."""

from __future__ import annotations

from typing import NamedTuple

from contracts.catalogue import CATALOGUE, SERVICES
from contracts.processes import Activity
from deploy.sandbox.player.story import Story
from tests.faults.arms import Arm, Point

PARTS = (
    *("intake", "verification", "approval", "disbursement", "coordination", "workflows"),
    *("temporal", "postgres", "kafka"),
    *("bank", "sources", "electricity"),
)
"""Whoever is killed at a step dies when the step's event is acknowledged by Kafka: everybody is about to act on it."""

POINTS = {
    "relay before it sends": Point.BEFORE_SEND,
    "relay in mid-send": Point.SENT,
    "consumer before its commit": Point.BEFORE_COMMIT,
    "consumer between commit and offset commit": Point.COMMITTED,
}
"""Whoever is killed here is the process that has the step's event in hand; every reader of it in turn."""

READ_AT = (Point.BEFORE_COMMIT, Point.COMMITTED)
COLUMNS = (*PARTS, *POINTS)

STEPS = {
    "C4": (
        *("application.submitted", "item.accepted", "authorisation.signed"),
        *("means_check.opened", "means_check.started", "visit.ordered", "means_check.completed", "visit.reported"),
        *("verification.completed", "decision.proposed", "public_notice.opened", "deadline.approaching"),
        *("public_notice.ended", "decision.confirmed", "award.started", "referral.offered", "referral.answered"),
        *("case.concluded", "payment.instructed", "payment.settled"),
    ),
    "refused-above-limit": (
        *("application.submitted", "item.accepted", "authorisation.signed"),
        *("means_check.opened", "visit.ordered", "visit.reported", "means_check.started", "means_check.completed"),
        *("verification.completed", "decision.proposed", "decision.confirmed", "case.concluded"),
    ),
    "C3": (
        *("application.submitted", "item.accepted", "decision.confirmed", "award.started"),
        *("payment.instructed", "payment.settled", "case.concluded"),
    ),
}
"""Every event of each story in about the order in which it comes. Other stories take no step that these do not take;
tests/journeys/test_stories.py holds that."""

FILES = ("C4", "refused", "C3")
"""Their files."""

BY_CHANCE = {"C4": (), "refused-above-limit": ("deadline.approaching",), "C3": ()}
"""Comes or does not: the reminder of a visit and the visit fall on the same moment. C4 has this step for certain."""

READERS = {
    entry.type.rsplit(".v", 1)[0]: tuple(
        grant.reader for grant in entry.grants if grant.reader in SERVICES and grant.reader != entry.topic.owner
    )
    for entry in CATALOGUE
}
"""Event → the services that consume it; its owner knows it when it records it."""

ONE_AFTER_THE_OTHER = (
    ("C4", "item.accepted", "intake"),
    ("C4", "visit.ordered", "verification"),
    ("C4", "means_check.completed", "kafka"),
    ("C4", "decision.proposed", "approval"),
    ("C4", "public_notice.opened", "temporal"),
    ("C4", "decision.confirmed", "coordination"),
    ("C4", "payment.instructed", "disbursement"),
    ("C4", "award.started", "bank"),
    ("C4", "referral.offered", "workflows"),
    ("C4", "referral.answered", "electricity"),
    ("C4", "means_check.started", "sources"),
    ("C3", "item.accepted", "postgres"),
)
"""The short form: each part once, each at a moment of its own."""


class Place(NamedTuple):
    """A point inside one process at which it dies by itself, and what passes there."""

    process: str
    point: Point
    what: str


PLACES = (
    *(Place("intake", Point.ANSWERING, what) for what in ("POST /applications", "POST /authorisations",
                                                          "POST /vault/seal")),
    Place("verification", Point.ANSWERING, "POST /visits/{id}/report"),
    Place("approval", Point.ANSWERING, "POST /decisions/{id}/confirm"),
    Place("disbursement", Point.ANSWERING, "POST /bank/statements"),
    Place("coordination", Point.ANSWERING, "POST /departments/electricity/referrals/{id}/answers"),
    Place("bank", Point.ANSWERING, "POST /payment-batches"),
    Place("verification", Point.ASKED, "POST /queries"),
    Place("disbursement", Point.ASKED, "POST /vault/seal"),
    Place("disbursement", Point.ASKED, "POST /payment-batches"),
    Place("workflows", Point.ACTIVITY_DONE, Activity.READ_CLOCK),
    *(Place("coordination", Point.ACTIVITY_DONE, what) for what in (
        Activity.RECORD_ITEM_WAITS, Activity.RECORD_NOTICE_WAIT, Activity.RECORD_REFERRAL_WAIT,
        Activity.RECORD_PAYMENT_WAIT, Activity.WAKE, Activity.OFFER_REFERRALS)),
    Place("approval", Point.ACTIVITY_DONE, Activity.END_PUBLIC_NOTICE),
    Place("disbursement", Point.ACTIVITY_DONE, Activity.RUN_PAYMENTS),
)


def arms_of(column: str, story: Story, step: str) -> list[Arm]:
    """What kills in one cell: one arm, or one for each reader of the step's event; none where nobody reads it."""
    name = f"{story.id} {step} {column}"
    window = {"begins": story.calendar.start(), "ends": story.calendar.end()}
    if column in PARTS:
        return [Arm(name, Point.SENT, step, victim=column, **window)]
    point = POINTS[column]
    if point in READ_AT:
        return [Arm(f"{name} in {reader}", point, step, process=reader, **window) for reader in READERS[step]]
    return [Arm(name, point, step, **window)]


def arm_at(place: Place) -> Arm:
    """The arm of a named place."""
    return Arm(f"{place.process} {place.point} {place.what}".replace("/", "|"), place.point, place.what,
               process=place.process)
