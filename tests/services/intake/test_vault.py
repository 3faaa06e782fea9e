"""Identifiers leave the vault only sealed, for a purpose, on record."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from joserfc import jwe
from joserfc.jwk import KeySet

from contracts.envelope import new_id
from services.intake.vault import KeptField, Vault, WrongVaultKey
from tests.services.intake.forms import a_form
from tests.services.intake.intake_under_test import Intake

VAULT = Vault(b"k" * 32, b"i" * 32)
CASE, PERSON = new_id(), new_id()


def opened(intake: Intake, sealed: str) -> dict[str, str]:
    """What the recipient reads with its private key."""
    folder = intake.stack.secrets.folder / "decryption"
    keys = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    private = KeySet.import_key_set({"keys": [key for item in keys for key in item.get("keys", [item])]})
    return json.loads(jwe.decrypt_compact(sealed, private, algorithms=["ECDH-ES", "A256GCM"]).plaintext or b"")


def a_request(receipt: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "purpose": "means_check", "recipient": "source:bank", "fields": ["name", "identity_number"],
        "persons": [{"case_id": receipt["case_id"], "person_id": person["person_id"]}
                    for person in receipt["persons"]],
        **fields,
    }


@pytest.mark.parametrize(("service", "purpose", "recipient", "fields"), [
    ("verification", "means_check", "source:social_security", ["name", "identity_number"]),
    ("disbursement", "payment", "bank", ["name", "bank_account"]),
    ("coordination", "referral", "department:electricity", ["electricity_account"]),
])
async def test_the_recipient_reads_what_the_purpose_allows(
    intake: Intake, service: str, purpose: str, recipient: str, fields: list[str]
) -> None:
    form = a_form()
    receipt = (await intake.apply(form)).json()
    request = a_request(receipt, purpose=purpose, recipient=recipient, fields=fields)
    answer = await intake.http.post("/vault/seal", json=request, headers=intake.service(service))
    assert answer.status_code == 200, answer.text
    [sealed] = answer.json()["sealed"]
    person = form["persons"][0]
    known = {"name": person["name"], "identity_number": person["identity_number"],
             "bank_account": form["accounts"][0]["number"], "electricity_account": form["electricity_account"]}
    assert opened(intake, sealed["jwe"]) == {name: known[name] for name in fields}
    assert sealed["missing"] == []
    [record] = await intake.rows("select * from intake.vault_accesses where person_id = $1",
                                 receipt["persons"][0]["person_id"])
    assert (record["caller"], record["purpose"], record["recipient"]) == (service, purpose, recipient)
    assert record["fields"] == ",".join(sorted(fields))


@pytest.mark.parametrize(("service", "change"), [
    ("approval", {}),
    ("disbursement", {}),
    ("verification", {"fields": ["phone"]}),
    ("verification", {"recipient": "bank"}),
    ("verification", {"purpose": "payment", "recipient": "bank", "fields": ["name"]}),
    ("coordination", {"purpose": "referral", "recipient": "department:electricity", "fields": ["name"]}),
], ids=["no purpose", "another's purpose", "field not needed", "recipient not of the purpose", "purpose not its own",
        "more than the meter"])
async def test_beyond_the_purpose_nothing_is_sealed(intake: Intake, service: str, change: dict[str, Any]) -> None:
    receipt = (await intake.apply(a_form())).json()
    answer = await intake.http.post("/vault/seal", json=a_request(receipt, **change), headers=intake.service(service))
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:onething:problem:purpose_not_allowed"
    assert await intake.rows("select 1 from intake.vault_accesses where person_id = $1",
                             receipt["persons"][0]["person_id"]) == []


async def test_an_unknown_person_is_named_by_position_only(intake: Intake) -> None:
    receipt = (await intake.apply(a_form())).json()
    request = a_request(receipt)
    request["persons"].append({"case_id": receipt["case_id"], "person_id": str(new_id())})
    answer = await intake.http.post("/vault/seal", json=request, headers=intake.service("verification"))
    assert answer.status_code == 404
    assert [error["field"] for error in answer.json()["errors"]] == ["persons.1"]
    assert request["persons"][1]["person_id"] not in answer.text


async def test_a_person_is_not_sealed_for_a_case_that_is_not_theirs(intake: Intake) -> None:
    receipt, other = [(await intake.apply(a_form())).json() for _ in range(2)]
    request = a_request({**receipt, "persons": other["persons"]})
    answer = await intake.http.post("/vault/seal", json=request, headers=intake.service("verification"))
    assert answer.status_code == 404


async def test_what_the_vault_has_not_got_is_named(intake: Intake) -> None:
    receipt = (await intake.apply(a_form(electricity_account=None))).json()
    request = a_request(receipt, purpose="referral", recipient="department:electricity",
                        fields=["electricity_account"])
    answer = await intake.http.post("/vault/seal", json=request, headers=intake.service("coordination"))
    [sealed] = answer.json()["sealed"]
    assert sealed["missing"] == ["electricity_account"]
    assert opened(intake, sealed["jwe"]) == {}


async def test_people_never_get_at_the_vault(intake: Intake) -> None:
    receipt = (await intake.apply(a_form())).json()
    for headers in (intake.officer(), intake.citizen(), intake.token("operator:1", "operator")):
        answer = await intake.http.post("/vault/seal", json=a_request(receipt), headers=headers)
        assert answer.status_code == 403


def test_the_same_text_never_looks_the_same() -> None:
    first, second = [VAULT.encrypt(CASE, PERSON, KeptField.NAME, "雷试行") for _ in range(2)]
    assert first != second
    assert VAULT.decrypt(CASE, PERSON, KeptField.NAME, VAULT.key_id, first) == "雷试行"


@pytest.mark.parametrize(("case_id", "person_id", "field"), [
    (new_id(), PERSON, KeptField.NAME), (CASE, new_id(), KeptField.NAME), (CASE, PERSON, KeptField.PHONE),
], ids=["case", "person", "field"])
def test_an_entry_moved_elsewhere_does_not_open(case_id: UUID, person_id: UUID, field: KeptField) -> None:
    entry = VAULT.encrypt(CASE, PERSON, KeptField.NAME, "雷试行")
    with pytest.raises(InvalidTag):
        VAULT.decrypt(case_id, person_id, field, VAULT.key_id, entry)


def test_another_key_is_refused_by_name() -> None:
    entry = VAULT.encrypt(CASE, PERSON, KeptField.NAME, "雷试行")
    other = Vault(b"o" * 32, b"i" * 32)
    with pytest.raises(WrongVaultKey, match=VAULT.key_id):
        other.decrypt(CASE, PERSON, KeptField.NAME, VAULT.key_id, entry)


def test_the_blind_index_needs_its_key() -> None:
    assert VAULT.blind_index("500116") == Vault(b"o" * 32, b"i" * 32).blind_index("500116")
    assert VAULT.blind_index("500116") != Vault(b"k" * 32, b"o" * 32).blind_index("500116")
    assert VAULT.blind_index("500116") != VAULT.fingerprint(b"500116")


@pytest.mark.parametrize("table", ["vault_entries", "vault_accesses", "access_records", "authorisations",
                                   "applications", "joined_items", "idempotency_keys"])
async def test_evidence_is_never_changed(intake: Intake, table: str) -> None:
    for statement in (f"delete from intake.{table}", f"truncate intake.{table}"):
        with pytest.raises(asyncpg.PostgresError):
            await intake.rows(statement)
