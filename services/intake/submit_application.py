"""Use case: take in the one form (一表申请), alone or in bulk. One transaction, few round trips."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from contracts.benefits import Benefit
from contracts.http.application import ApplicationReceipt, SubmitApplication
from services.intake import person_locks, rules
from services.intake.application_plan import OpenItem, plan
from services.intake.authorisation_letters import Signing, number_letters
from services.intake.case_file import CaseFile
from services.intake.filed_application import FiledApplication
from services.intake.followers import may_follow
from services.intake.rules import CheckedForm, ItemStatus
from services.intake.settings import settings_of
from services.intake.vault import Vault
from services.runtime.database import Transaction
from services.runtime.problems import FieldError, Problem
from services.runtime.tokens import Caller

STORED_ANSWERS: Final = (
    "select subject, key, fingerprint, receipt from intake.idempotency_keys "
    "where subject = any($1) and key = any($2)"
)
"""May bring another's key of the same name as well: who asks picks by both."""
KNOWN_PERSONS: Final = "select blind_index, person_id from intake.persons where blind_index = any($1)"
OPEN_ITEMS: Final = (
    "select item.applicant_person_id, item.benefit, item.item_id, item.case_id, item.jurisdiction, item.status, "
    "item.missing, cases.household_id, cases.submitted_by "
    "from intake.items as item join intake.cases using (case_id) "
    "where item.applicant_person_id = any($1) and item.ended_at is null"
)
LETTERS_OF_CASES: Final = "select case_id, person_id, scope from intake.authorisations where case_id = any($1)"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The client's own key for this request, and the keyed fingerprint of what was sent under it."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """One form as it was handed in."""

    caller: Caller
    form: SubmitApplication
    idempotency: Idempotency

    @property
    def scope(self) -> tuple[str, str]:
        """An idempotency key counts within its caller's subject."""
        return self.caller.subject, self.idempotency.key


Outcome = ApplicationReceipt | Problem


@dataclass
class _Prepared:
    submission: Submission
    checked: CheckedForm
    problem: Problem | None
    blind_indexes: dict[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, slots=True)
class _StoredAnswer:
    fingerprint: bytes
    receipt: str


async def submit_application(
    tx: Transaction, caller: Caller, form: SubmitApplication, idempotency: Idempotency
) -> ApplicationReceipt:
    """Take in one form. The transaction must be open EVERYWHERE: the same person may be known in another place.

    The same key with the same body gets the same receipt. Raises Problem: 422 with the fields at fault, 403
    outside an officer's jurisdiction, 422 `idempotency_key_reused`; nothing is stored then.
    """
    [outcome] = await submit_applications(tx, [Submission(caller, form, idempotency)])
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


async def submit_applications(tx: Transaction, submissions: Sequence[Submission]) -> list[Outcome]:
    """The same for many forms in one transaction; one that is refused leaves the others alone."""
    vault = settings_of(tx.runtime).vault
    prepared = [_prepare(tx, vault, submission) for submission in submissions]
    await _lock(tx, prepared)
    answers = await _stored_answers(tx, submissions)
    outcomes: dict[int, Outcome] = {}
    first_of: dict[tuple[str, str], int] = {}
    to_file: list[int] = []
    for index, item in enumerate(prepared):
        stored = answers.get(item.submission.scope)
        if stored is not None:
            outcomes[index] = _same_answer(item.submission, stored)
        elif item.problem is not None:
            outcomes[index] = item.problem
        elif item.submission.scope in first_of:
            continue
        else:
            first_of[item.submission.scope] = index
            to_file.append(index)
    filed = await _file(tx, vault, [prepared[index] for index in to_file])
    outcomes |= dict(zip(to_file, filed, strict=True))
    for index, item in enumerate(prepared):
        if index not in outcomes:
            first = first_of[item.submission.scope]
            outcomes[index] = _repeat(item, prepared[first], outcomes[first])
    return [outcomes[index] for index in range(len(submissions))]


def _prepare(tx: Transaction, vault: Vault, submission: Submission) -> _Prepared:
    caller, form = submission.caller, submission.form
    checked = rules.check_form(form, role=caller.role, office=caller.jurisdiction, today=tx.clock.today)
    problem = None
    if caller.role == rules.OFFICER and not caller.may_see(form.submitted_in):
        problem = _outside_jurisdiction()
    elif checked.faults:
        problem = _not_valid(checked)
    prepared = _Prepared(submission, checked, problem)
    if problem is None:
        prepared.blind_indexes = {
            ref: vault.blind_index(identity.number) for ref, identity in checked.identities.items()
        }
    return prepared


def _outside_jurisdiction() -> Problem:
    at_fault = FieldError(field="submitted_in", message="不在辖区内。Outside the jurisdiction of the token.")
    return Problem(403, "outside_jurisdiction", "This place lies outside your jurisdiction. Nothing was stored; "
                   "hand the form in where it belongs.", [at_fault])


def _not_valid(checked: CheckedForm) -> Problem:
    errors = [FieldError(field=fault.field, message=fault.message) for fault in checked.faults]
    fields = ", ".join(dict.fromkeys(fault.field for fault in checked.faults))
    return Problem(422, "not_valid", f"Not valid: {fields}. Nothing was stored; correct these and send again.", errors)


async def _lock(tx: Transaction, prepared: Iterable[_Prepared]) -> None:
    """One request per idempotency key and one application per person at a time."""
    digests: list[bytes] = []
    for item in prepared:
        digests.append(hashlib.sha256("\x00".join(item.submission.scope).encode()).digest())
        digests += item.blind_indexes.values()
    await person_locks.lock(tx, digests)


async def _stored_answers(
    tx: Transaction, submissions: Sequence[Submission]
) -> dict[tuple[str, str], _StoredAnswer]:
    scopes = [submission.scope for submission in submissions]
    rows = await tx.driver.fetch(STORED_ANSWERS, [subject for subject, _ in scopes], [key for _, key in scopes])
    return {(row["subject"], row["key"]): _StoredAnswer(row["fingerprint"], row["receipt"]) for row in rows}


def _same_answer(submission: Submission, stored: _StoredAnswer) -> Outcome:
    if not hmac.compare_digest(stored.fingerprint, submission.idempotency.fingerprint):
        return _key_reused()
    return ApplicationReceipt.model_validate_json(stored.receipt)


def _repeat(item: _Prepared, first: _Prepared, outcome: Outcome) -> Outcome:
    """The same key twice in one batch."""
    same = item.submission.idempotency.fingerprint == first.submission.idempotency.fingerprint
    return outcome if same else _key_reused()


def _key_reused() -> Problem:
    at_fault = FieldError(field="Idempotency-Key", message="该键已用于另一份内容。Used before with another body.")
    return Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another body. Nothing was "
                   "stored; send the changed form under a new key.", [at_fault])


async def _file(tx: Transaction, vault: Vault, prepared: Sequence[_Prepared]) -> list[Outcome]:
    """Put valid forms on file: persons found or made, each benefit a new item or one already open.

    A small sum beside an open item is a Problem 409: given there, it decides that item.
    """
    if not prepared:
        return []
    case_file = CaseFile(tx, vault)
    blind_indexes = {index for item in prepared for index in item.blind_indexes.values()}
    known = await _known_persons(tx, blind_indexes)
    person_of = known | case_file.add_persons(blind_indexes - known.keys())
    applicants = [person_of[item.blind_indexes[rules.applicant(item.submission.form).ref]] for item in prepared]
    open_items = await _open_items(tx, set(known.values()).intersection(applicants))
    outcomes: list[Outcome] = []
    for item, applicant_id in zip(prepared, applicants, strict=True):
        form, caller = item.submission.form, item.submission.caller
        examinations = [rules.examine(form, benefit, tx.clock.today) for benefit in form.benefits]
        open_of_applicant = open_items.setdefault(applicant_id, {})
        planned = plan(examinations, open_of_applicant, lambda found, by=caller: may_follow(
            by, submitted_by=found.submitted_by, owner=found.owner))
        beside = planned.already_open(Benefit.TEMPORARY_ASSISTANCE) if form.small_sum else None
        if beside is not None:
            outcomes.append(_small_sum_beside(beside))
            continue
        filed = FiledApplication(
            plan=planned, caller=caller, form=form, identities=item.checked.identities,
            person_ids={ref: person_of[index] for ref, index in item.blind_indexes.items()}, clock=tx.clock,
        )
        receipt = case_file.add(filed)
        case_file.keep_answer(item.submission.scope, item.submission.idempotency.fingerprint, receipt)
        open_of_applicant |= filed.now_open()
        outcomes.append(receipt)
    for letter in await number_letters(tx, await _signings(tx, case_file.applications)):
        case_file.add_letter(letter)
    await case_file.write()
    return outcomes


def _small_sum_beside(open_item: OpenItem) -> Problem:
    # Hazard: the form would change nothing about the open item, and its sum would be lost in silence.
    at_fault = FieldError(field="small_sum", message="该人的临时救助已在办理。Temporary assistance is open already.")
    return Problem(409, "item_open", f"Item {open_item.item_id}: temporary assistance of this person is open already. "
                   "Nothing was stored; give the small sum for that item.", [at_fault])


async def _signings(tx: Transaction, applications: Sequence[FiledApplication]) -> list[Signing]:
    """Who signs in the same act, unless a letter of theirs in the same case covers that already."""
    signings = {
        (signing.case_id, signing.person_id): signing
        for filed in applications
        for signing in filed.signings()
    }
    known_cases = {filed.plan.case_id for filed in applications if not filed.plan.is_new_case}
    if signings and known_cases:
        for row in await tx.driver.fetch(LETTERS_OF_CASES, list(known_cases)):
            signing = signings.get((row["case_id"], row["person_id"]))
            if signing is not None and set(signing.authorisation.scope) <= set(row["scope"]):
                del signings[row["case_id"], row["person_id"]]
    return list(signings.values())


async def _known_persons(tx: Transaction, blind_indexes: set[bytes]) -> dict[bytes, UUID]:
    """The caller holds the locks on these blind indexes: whoever is not found is made by nobody else meanwhile."""
    rows = await tx.driver.fetch(KNOWN_PERSONS, list(blind_indexes))
    return {row["blind_index"]: row["person_id"] for row in rows}


async def _open_items(tx: Transaction, applicants: Collection[UUID]) -> dict[UUID, dict[Benefit, OpenItem]]:
    if not applicants:  # whoever applies for the first time has nothing open
        return {}
    open_items: dict[UUID, dict[Benefit, OpenItem]] = {}
    for row in await tx.driver.fetch(OPEN_ITEMS, list(applicants)):
        open_items.setdefault(row["applicant_person_id"], {})[Benefit(row["benefit"])] = OpenItem(
            item_id=row["item_id"], case_id=row["case_id"], household_id=row["household_id"],
            owner=row["jurisdiction"], status=ItemStatus(row["status"]), missing=tuple(row["missing"]),
            submitted_by=row["submitted_by"],
        )
    return open_items
