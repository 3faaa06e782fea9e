"""Use case: a person authorises later, from anywhere (电子授权)."""

from __future__ import annotations

import hmac
import json

from sqlalchemy import text

from contracts.http.application import AuthorisationReceipt, SignAuthorisation
from services.intake import identity_number, rules
from services.intake.authorisation_letters import Signing, number_letters
from services.intake.case_file import CaseFile
from services.intake.settings import settings_of
from services.runtime.database import Transaction
from services.runtime.problems import FieldError, Problem
from services.runtime.tokens import Caller

MEMBER = text(
    "select person.blind_index, member.jurisdiction, "
    "exists (select from intake.items where items.case_id = member.case_id) as is_published "
    "from intake.members as member join intake.persons as person using (person_id) "
    "where member.case_id = :case_id and member.person_id = :person_id"
)
EXISTING = text(
    "select authorisation_id, number from intake.authorisations where case_id = :case_id and person_id = :person_id "
    "and scope @> cast(:scope as jsonb) order by signed_at, authorisation_id limit 1"
)
NOBODY = bytes(32)


async def sign_authorisation(tx: Transaction, caller: Caller, command: SignAuthorisation) -> AuthorisationReceipt:
    """Sign for one case; the identity number shows that the signer is that person.

    A second time: the first letter, unless it names too few sources for what is signed now.
    Raises Problem 422 `not_valid` for an empty signature, and `person_not_confirmed`, the same for an unknown case,
    an unknown person and a wrong number.
    """
    if rules.unsigned(command.authorisation):
        raise _unsigned()
    await tx.lock_cases(command.case_id)
    found = {"case_id": command.case_id, "person_id": command.person_id}
    member = (await tx.session.execute(MEMBER, found)).first()
    scope = json.dumps([source.value for source in command.authorisation.scope])
    existing = (await tx.session.execute(EXISTING, {**found, "scope": scope})).first()
    vault = settings_of(tx.runtime).vault
    claimed = identity_number.parse(command.identity_number.get_secret_value(), today=tx.clock.today)
    # Compared also where there is nothing to compare with, so that the time taken tells nothing either.
    index = vault.blind_index(claimed.number if claimed else "")
    if not hmac.compare_digest(index, member.blind_index if member else NOBODY) or member is None or claimed is None:
        raise _person_not_confirmed()
    if existing is not None:
        return AuthorisationReceipt(authorisation_id=existing.authorisation_id, number=existing.number)
    signing = Signing(command.case_id, command.person_id, member.jurisdiction, command.authorisation,
                      signed_before=caller.subject, is_published=member.is_published)
    [letter] = await number_letters(tx, [signing])
    case_file = CaseFile(tx, vault)
    case_file.add_letter(letter)
    await case_file.write()
    return AuthorisationReceipt(authorisation_id=letter.event.authorisation_id, number=letter.event.number)


def _unsigned() -> Problem:
    at_fault = FieldError(field="authorisation.signed_name", message=rules.UNSIGNED)
    return Problem(422, "not_valid", "Not valid: authorisation.signed_name. Nothing was signed; write the name.",
                   [at_fault])


def _person_not_confirmed() -> Problem:
    at_fault = FieldError(field="identity_number", message="无法确认本人。The person could not be confirmed.")
    return Problem(422, "person_not_confirmed", "Case, person and identity number do not belong together. Nothing "
                   "was signed; check all three.", [at_fault])
