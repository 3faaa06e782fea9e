"""What a batch of applications writes: rows by table in one bulk statement, then the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlmodel import SQLModel

from contracts.envelope import Event, Subject
from contracts.facts import Fact
from contracts.http.application import ApplicationReceipt
from services.intake import rules
from services.intake.application_plan import Placing
from services.intake.authorisation_letters import Letter
from services.intake.filed_application import FIRST_EPOCH, FiledApplication, Row, item_times
from services.intake.models import (
    ApplicationRow,
    AuthorisationRow,
    CaseRow,
    HouseholdRow,
    IdempotencyKeyRow,
    ItemRow,
    JoinedItemRow,
    MemberRow,
    PersonRow,
    VaultEntryRow,
)
from services.intake.vault import KeptField, Vault
from services.runtime.bulk_insert import bulk_insert
from services.runtime.database import Transaction

COMPLETE_ITEM = text(
    "update intake.items set status = 'accepted', missing = '[]', accepted_at = :now, jurisdiction = :owner, "
    "application_id = :application_id where item_id = :item_id"
)
FACTS: Final = TypeAdapter(list[Fact])
GIVE_WAY = text("update intake.items set ended_at = :now where item_id = any(:item_ids)")


class CaseFile:
    """Collects, then writes once. The caller holds the locks on the persons."""

    def __init__(self, tx: Transaction, vault: Vault) -> None:
        self.tx = tx
        self.applications: list[FiledApplication] = []
        self._vault = vault
        self._rows: defaultdict[type[SQLModel], list[Row]] = defaultdict(list)
        self._completed: list[Row] = []
        self._giving_way: list[UUID] = []
        self._events: list[tuple[Event, Subject]] = []

    def add_persons(self, blind_indexes: Iterable[bytes]) -> dict[bytes, UUID]:
        """People nobody has met before; returns the ids they get."""
        # Hazard: not UUIDv7. A receipt shows the id, and its time would tell a stranger since when we know the person.
        new = {blind_index: uuid4() for blind_index in blind_indexes}
        self._rows[PersonRow].extend(
            {"person_id": person_id, "blind_index": blind_index} for blind_index, person_id in new.items()
        )
        return new

    def add(self, filed: FiledApplication) -> ApplicationReceipt:
        """Put one application on file; returns its receipt."""
        self.applications.append(filed)
        plan = filed.plan
        if plan.is_new_case:
            self._add_case(filed)
        if plan.is_new_case or plan.starts_something:
            self._add_household_members(filed)
        self._rows[ApplicationRow].append(_application_row(filed))
        self._add_items(filed)
        self._events.extend(filed.events())
        return filed.receipt()

    def add_letter(self, letter: Letter) -> None:
        """A letter of authorisation, with the name as it was written on the screen."""
        signing = letter.signing
        self._rows[AuthorisationRow].append(letter.row)
        self._add_identifier(signing.case_id, signing.person_id, signing.jurisdiction, KeptField.SIGNED_NAME,
                             signing.authorisation.signed_name.get_secret_value())
        if signing.is_published:
            self._events.append((letter.event, letter.subject))

    def keep_answer(self, scope: tuple[str, str], fingerprint: bytes, receipt: ApplicationReceipt) -> None:
        """Remember what was answered, for the same request sent again."""
        subject, key = scope
        self._rows[IdempotencyKeyRow].append({
            "subject": subject, "key": key, "fingerprint": fingerprint, "receipt": receipt.model_dump_json(),
            "recorded_at": self.tx.clock.now,
        })

    async def write(self) -> None:
        """Everything at once: rows in one statement, then the events."""
        await self.tx.lock_cases(*(subject.case_id for _, subject in self._events))
        if self._giving_way:  # before the new ones: one item is open at any moment
            await self.tx.session.execute(GIVE_WAY, {"item_ids": self._giving_way, "now": self.tx.clock.now})
        # An earlier form of the case may have named the same members.
        await bulk_insert(self.tx, self._rows, skip_known=frozenset({MemberRow}))
        if self._completed:
            await self.tx.session.execute(COMPLETE_ITEM, self._completed)
        for event, subject in self._events:
            self.tx.record(event, subject)

    def _add_case(self, filed: FiledApplication) -> None:
        plan, form = filed.plan, filed.form
        self.tx.made_case(plan.case_id)
        self._rows[CaseRow].append({
            "case_id": plan.case_id, "jurisdiction": plan.jurisdiction, "household_id": plan.household_id,
            "applicant_person_id": filed.applicant_person_id, "submitted_by": filed.caller.subject,
            "submitted_at": filed.clock.now,
        })
        self._rows[HouseholdRow].append({
            "household_id": plan.household_id, "case_id": plan.case_id, "jurisdiction": plan.jurisdiction,
            "standard": form.standard.value, "living_area": form.living_area,
            "registered_area": rules.applicant(form).registered_area,
        })

    def _add_household_members(self, filed: FiledApplication) -> None:
        plan = filed.plan
        for person, member in zip(filed.form.persons, filed.members, strict=True):
            self._rows[MemberRow].append({
                "household_id": plan.household_id, "person_id": member.person_id, "case_id": plan.case_id,
                "jurisdiction": plan.jurisdiction, "relation": member.relation.value,
                "sex": filed.identities[person.ref].sex, "is_adult": member.is_adult,
                "registered_area": person.registered_area,
            })
        for person_id, name, content in filed.identifiers():
            self._add_identifier(plan.case_id, person_id, plan.jurisdiction, name, content)

    def _add_identifier(
        self, case_id: UUID, person_id: UUID, jurisdiction: str, name: KeptField, content: str
    ) -> None:
        self._rows[VaultEntryRow].append({
            "case_id": case_id, "person_id": person_id, "jurisdiction": jurisdiction, "field": name.value,
            "key_id": self._vault.key_id, "ciphertext": self._vault.encrypt(case_id, person_id, name, content),
        })

    def _add_items(self, filed: FiledApplication) -> None:
        plan, now = filed.plan, filed.clock.now
        for item in plan.items:
            examination = item.examination
            common: dict[str, Any] = {
                "item_id": item.item_id, "case_id": plan.case_id, "application_id": plan.application_id,
                "jurisdiction": examination.owner, "benefit": examination.benefit.value,
                "status": examination.status.value, "missing": list(examination.missing),
            }
            accepted_at, ended_at = item_times(item, now)
            match item.placing:
                case Placing.OPENED:
                    if item.instead_of is not None:
                        self._give_way(item.instead_of)
                    self._rows[ItemRow].append({
                        **common, "epoch": FIRST_EPOCH, "applicant_person_id": filed.applicant_person_id,
                        "accepted_at": accepted_at, "ended_at": ended_at,
                    })
                case Placing.COMPLETED:
                    self._completed.append({"item_id": item.item_id, "owner": examination.owner, "now": now,
                                            "application_id": plan.application_id})
                case Placing.JOINED if item.open_item is not None:
                    self._rows[JoinedItemRow].append({
                        **common, "joins_item_id": item.open_item.item_id, "joined_at": now,
                        "acceptance": filed.acceptance_if_first(item),
                    })
                case _:  # already open: the application itself is the note of it
                    pass

    def _give_way(self, item_id: UUID) -> None:
        self._giving_way.append(item_id)
        for row in self._rows[ItemRow]:
            if row["item_id"] == item_id:  # of this very batch
                row["ended_at"] = self.tx.clock.now


def _application_row(filed: FiledApplication) -> Row:
    plan, form = filed.plan, filed.form
    happened = form.what_happened
    facts = [*filed.household_facts, *(fact for member in filed.members for fact in member.facts)]
    return {
        "application_id": plan.application_id, "case_id": plan.case_id, "jurisdiction": plan.jurisdiction,
        "applicant_person_id": filed.applicant_person_id, "submitted_by": filed.caller.subject,
        "submitted_by_role": filed.caller.role, "submitted_in": form.submitted_in, "submitted_at": filed.clock.now,
        "channel": form.channel.value, "on_behalf": form.on_behalf is not None,
        "benefits": [benefit.value for benefit in form.benefits],
        "declared_facts": FACTS.dump_python(facts, mode="json", exclude_none=True),
        "supporters": [
            {"supporter_id": str(supporter_id), "relation": supporter.relation.value,
             "monthly_support_fen": supporter.monthly_support_fen}
            for supporter_id, supporter in zip(filed.supporter_ids, form.supporters, strict=True)
        ],
        "event_cause": happened.cause if happened else None,
        "event_on": happened.happened_on if happened else None,
        "event_in": happened.happened_in if happened else None,
    }
