"""One checked and planned form, and what it comes to: receipt, identifiers for the vault, signatures, events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from contracts.benefits import Benefit
from contracts.envelope import Event, Subject, new_id
from contracts.events.application import ApplicationSubmitted
from contracts.events.item import (
    HouseholdMember,
    ItemAccepted,
    ItemNotAccepted,
    ItemSupplementRequested,
    SmallSum,
)
from contracts.facts import Fact
from contracts.http.application import ApplicationReceipt, ItemReceipt, PersonReceipt, SubmitApplication
from services import rulebook
from services.intake import declared_facts, rules
from services.intake.application_plan import ApplicationPlan, OpenItem, Placing, PlannedItem
from services.intake.authorisation_letters import Signing
from services.intake.identity_number import IdentityNumber, is_adult
from services.intake.rules import Examination, ItemStatus
from services.intake.vault import KeptField
from services.runtime.clock import LegalMoment
from services.runtime.tokens import Caller

FIRST_EPOCH = 1
RECEIVED = "received"
"""Of a receipt: handed on to the office that decides, which tells what becomes of it."""
Row = dict[str, Any]


@dataclass(frozen=True)
class FiledApplication:
    """A form with its plan, and who its persons are."""

    plan: ApplicationPlan
    caller: Caller
    form: SubmitApplication
    identities: Mapping[str, IdentityNumber]
    person_ids: Mapping[str, UUID]
    clock: LegalMoment
    supporter_ids: Sequence[UUID] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "supporter_ids", [new_id() for _ in self.form.supporters])

    @cached_property
    def applicant_person_id(self) -> UUID:
        """Our id of the applicant."""
        return self.person_ids[rules.applicant(self.form).ref]

    @cached_property
    def members(self) -> list[HouseholdMember]:
        """The household with what was declared about each."""
        today = self.clock.today
        return [
            HouseholdMember(
                person_id=self.person_ids[person.ref],
                relation=person.relation,
                is_adult=is_adult(self.identities[person.ref].born_on, today),
                facts=declared_facts.of_person(
                    person, self.person_ids[person.ref], self.identities[person.ref], today
                ),
            )
            for person in self.form.persons
        ]

    @cached_property
    def household_facts(self) -> list[Fact]:
        """What was declared about the household as a whole."""
        place = rules.applicant(self.form).registered_area
        return declared_facts.of_household(
            self.form, self.clock.today,
            elderly_from_age_years=rulebook.support_disregarded_from_age_years(place, self.clock.today),
        )

    def receipt(self) -> ApplicationReceipt:
        """What the one who handed it in is told."""
        items = [
            ItemReceipt(item_id=item.item_id, benefit=item.examination.benefit, status=status, missing=list(missing))
            for item in self.plan.items
            for status, missing in [self._told(item)]
        ]
        persons = [PersonReceipt(ref=ref, person_id=person_id) for ref, person_id in self.person_ids.items()]
        return ApplicationReceipt(application_id=self.plan.application_id, case_id=self.plan.case_id, items=items,
                                  persons=persons)

    def _told(self, item: PlannedItem) -> tuple[str, tuple[str, ...]]:
        if item.placing == Placing.ALREADY_OPEN and item.open_item is not None:
            return item.open_item.status, item.open_item.missing
        # Hazard: a joined item is told exactly as a new one would be; any other word would reveal the first one.
        examination = item.examination
        if examination.status == ItemStatus.ACCEPTED and self._asks_another_office(examination):
            return RECEIVED, ()
        return examination.status, examination.missing

    def _asks_another_office(self, examination: Examination) -> bool:
        """Whether a small sum is keyed in where it is not decided. Such a sum may come upon an item that is open.

        "Accepted" would promise it; "received" is true of every one and tells nothing of the other item.
        """
        is_small_sum = self.form.small_sum is not None and examination.benefit == Benefit.TEMPORARY_ASSISTANCE
        return is_small_sum and not self.caller.may_see(examination.owner)

    def now_open(self) -> dict[Benefit, OpenItem]:
        """The items that are open from now on, for a later form of the same batch."""
        return {
            item.examination.benefit: OpenItem(
                item_id=item.item_id, case_id=self.plan.case_id, household_id=self.plan.household_id,
                owner=item.examination.owner, status=item.examination.status, missing=item.examination.missing,
                submitted_by=item.open_item.submitted_by if item.open_item else self.caller.subject,
            )
            for item in self.plan.items
            if item.starts_something and item.examination.status != ItemStatus.NOT_ACCEPTED
        }

    def identifiers(self) -> Iterator[tuple[UUID, KeptField, str]]:
        """Everything of the form that goes into the vault and nowhere else."""
        for person_id, name, text in self._all_identifiers():
            content = text.get_secret_value() if isinstance(text, SecretStr) else text
            if content:
                yield person_id, name, content

    def _all_identifiers(self) -> Iterator[tuple[UUID, KeptField, SecretStr | str | None]]:
        form = self.form
        for person in form.persons:
            person_id = self.person_ids[person.ref]
            yield person_id, KeptField.NAME, person.name
            yield person_id, KeptField.IDENTITY_NUMBER, self.identities[person.ref].number
            yield person_id, KeptField.PHONE, person.phone
            yield person_id, KeptField.REGISTERED_ADDRESS, person.registered_address
        for account in form.accounts:
            yield self.person_ids[account.holder], KeptField.BANK_ACCOUNT, account.number
            yield self.person_ids[account.holder], KeptField.BANK_NAME, account.bank
        for supporter_id, supporter in zip(self.supporter_ids, form.supporters, strict=True):
            yield supporter_id, KeptField.NAME, supporter.name
            yield supporter_id, KeptField.IDENTITY_NUMBER, supporter.identity_number
        applicant_id = self.applicant_person_id
        yield applicant_id, KeptField.LIVING_ADDRESS, form.living_address
        yield applicant_id, KeptField.ELECTRICITY_ACCOUNT, form.electricity_account
        # Hazard: free text may name people; it is kept as an identifier is.
        if form.what_happened is not None:
            yield applicant_id, KeptField.EVENT_DESCRIPTION, form.what_happened.description
        if form.on_behalf is not None:
            yield applicant_id, KeptField.ON_BEHALF_REASON, form.on_behalf.reason
            yield applicant_id, KeptField.ON_BEHALF_RELATION, form.on_behalf.relation

    def signings(self) -> Iterator[Signing]:
        """Who authorised in the same act."""
        plan = self.plan
        if not (plan.is_new_case or plan.starts_something):
            return
        for person in self.form.persons:
            if person.authorisation is not None:
                yield Signing(plan.case_id, self.person_ids[person.ref], plan.jurisdiction, person.authorisation,
                              signed_before=self.caller.subject, is_published=plan.starts_something)

    def events(self) -> Iterator[tuple[Event, Subject]]:
        """What others hear, in order."""
        if not self.plan.starts_something:
            return
        form, case_id = self.form, self.plan.case_id
        started = [item for item in self.plan.items if item.starts_something]
        yield ApplicationSubmitted(
            application_id=self.plan.application_id, applicant_person_id=self.applicant_person_id,
            on_behalf=form.on_behalf is not None, channel=form.channel, submitted_in=form.submitted_in,
            benefits=[item.examination.benefit for item in started], persons_count=len(form.persons),
        ), Subject(case_id=case_id, jurisdiction=self.plan.jurisdiction)
        for item in started:
            owner = item.examination.owner
            yield self._item_event(item), Subject(case_id=case_id, item_id=item.item_id, jurisdiction=owner,
                                                  owner=owner, epoch=FIRST_EPOCH)

    def _item_event(self, item: PlannedItem) -> Event:
        examination = item.examination
        match examination.status:
            case ItemStatus.ACCEPTED:
                return self._accepted(examination.benefit, self._small_sum(examination.benefit))
            case ItemStatus.SUPPLEMENT_REQUESTED:
                return ItemSupplementRequested(benefit=examination.benefit, missing=list(examination.missing))
            case ItemStatus.NOT_ACCEPTED:
                return ItemNotAccepted(benefit=examination.benefit, reason_code=str(examination.reason_code))

    def acceptance_if_first(self, item: PlannedItem) -> Row | None:
        """What would be told of a joined item were it the first, but for a small sum; None where it is incomplete."""
        if item.examination.status != ItemStatus.ACCEPTED:
            return None
        return self._accepted(item.examination.benefit, None).model_dump(mode="json")

    def _accepted(self, benefit: Benefit, small_sum: SmallSum | None) -> ItemAccepted:
        form, applicant = self.form, rules.applicant(self.form)
        return ItemAccepted(
            benefit=benefit, application_id=self.plan.application_id, accepted_at=self.clock.now,
            submitted_at=self.clock.now, needs_verification=small_sum is None,
            household_id=self.plan.household_id, standard=form.standard,
            applicant_person_id=self.applicant_person_id,
            applicant_masked_name=rules.masked_name(applicant.name.get_secret_value()),
            members=self.members, household_facts=self.household_facts,
            living_area=form.living_area, registered_area=applicant.registered_area,
            has_electricity_account=bool(form.electricity_account and form.electricity_account.get_secret_value()),
            near_relative_of_officer=form.near_relative_of_officer, small_sum=small_sum,
        )

    def _small_sum(self, benefit: Benefit) -> SmallSum | None:
        asked, happened = self.form.small_sum, self.form.what_happened
        if benefit != Benefit.TEMPORARY_ASSISTANCE or asked is None or happened is None:
            return None
        return SmallSum(amount_fen=asked.amount_fen, cause=happened.cause, signed_by=self.caller.subject)


def item_times(item: PlannedItem, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When the item was accepted and when it ended, as far as this form tells."""
    status = item.examination.status
    return (now if status == ItemStatus.ACCEPTED else None, now if status == ItemStatus.NOT_ACCEPTED else None)
