"""Offering what a grant opens: identifiers only through the vault, sealed to the department, asked for once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.http.vault import Purpose, Sealed, VaultField
from contracts.processes import OfferReferrals
from services.coordination.offer_referrals import offer_referrals
from services.runtime import vault_client
from services.runtime.problems import Unavailable
from tests.services.coordination.builders import MONDAY, Matter, noon
from tests.services.coordination.service_under_test import Coordination


class Vault:
    """Stands where intake's vault stands."""

    def __init__(self, *, missing: list[VaultField] | None = None, down: bool = False) -> None:
        self.missing = missing or []
        self.down = down
        self.asked: list[dict[str, Any]] = []

    async def seal_many(self, _runtime: Any, **asked: Any) -> list[Sealed]:
        if self.down:
            raise Unavailable("intake does not answer")
        self.asked.append(asked)
        return [Sealed(person_id=person.person_id, case_id=person.case_id, jwe="sealed", missing=self.missing)
                for person in asked["persons"]]


async def granted(coordination: Coordination, *, account: bool, on: date = MONDAY) -> tuple[Matter, OfferReferrals]:
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item, electricity_account=account)
    await coordination.at(noon(on)).receive(matter.submitted(), accepted, matter.confirmed(item, decision))
    return matter, OfferReferrals(subject=accepted.subject, benefit=Benefit.DIBAO, decision_id=decision,
                                  first_month=date(2025, 1, 1))


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    vault = Vault()
    monkeypatch.setattr(vault_client, "seal_many", vault.seal_many)
    return vault


async def test_the_account_of_the_applicant_is_sealed_to_the_power_company_and_offered_once(
    coordination: Coordination, vault: Vault
):
    matter, offer = await granted(coordination, account=True)
    assert await offer_referrals(coordination.runtime, offer) == 1
    assert await offer_referrals(coordination.runtime, offer) == 0
    [asked] = vault.asked
    assert (asked["purpose"], asked["recipient"]) == (Purpose.REFERRAL, "department:electricity")
    assert asked["fields"] == [VaultField.ELECTRICITY_ACCOUNT]
    assert [person.person_id for person in asked["persons"]] == [matter.applicant_id]
    assert await coordination.events_of(matter.case_id) == ["referral.offered", "referral.offered"]


async def test_a_household_without_an_account_is_offered_nothing_and_nobody_is_asked(
    coordination: Coordination, vault: Vault
):
    matter, offer = await granted(coordination, account=False)
    assert await offer_referrals(coordination.runtime, offer) == 0
    assert vault.asked == []
    assert await coordination.events_of(matter.case_id) == ["case.concluded"]


async def test_what_the_department_could_not_recognise_is_not_offered(coordination: Coordination, vault: Vault):
    vault.missing = [VaultField.ELECTRICITY_ACCOUNT]
    matter, offer = await granted(coordination, account=True)
    assert await offer_referrals(coordination.runtime, offer) == 0
    assert await coordination.events_of(matter.case_id) == ["case.concluded"]


async def test_while_the_vault_is_away_nothing_is_offered_and_the_case_stays_open(
    coordination: Coordination, vault: Vault
):
    vault.down = True
    matter, offer = await granted(coordination, account=True)
    with pytest.raises(Unavailable):
        await offer_referrals(coordination.runtime, offer)
    assert await coordination.events_of(matter.case_id) == []
    vault.down = False
    assert await offer_referrals(coordination.runtime, offer) == 1
