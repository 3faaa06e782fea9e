"""Who may read a case, that reading is on record, and that no identifier stands outside the vault."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from contracts.envelope import new_id
from services.intake import models
from services.intake.models import CaseRow
from services.runtime.bulk_insert import table_of
from tests.services.intake.forms import (
    BAISHA,
    JIANGJIN,
    JIJIANG,
    YUBEI,
    a_form,
    a_person,
    an_account,
    an_authorisation,
    an_identity_number,
    what_happened,
)
from tests.services.intake.intake_under_test import Intake

BY_JURISDICTION = ("cases", "households", "members", "applications", "items", "joined_items", "authorisations",
                   "vault_entries", "vault_accesses", "access_records")


async def test_the_household_follows_its_case_in_status_words(intake: Intake) -> None:
    caller = intake.citizen()
    receipt = (await intake.apply(a_form(), caller)).json()
    view = (await intake.http.get(f"/cases/{receipt['case_id']}", headers=caller)).json()
    assert set(view) == {"case_id", "submitted_at", "items"}
    assert view["items"][0]["status"] == "accepted"
    assert receipt["persons"][0]["person_id"] not in str(view)


@pytest.mark.parametrize("jurisdiction", [YUBEI, JIJIANG])
async def test_a_case_elsewhere_does_not_exist_for_an_officer(intake: Intake, jurisdiction: str) -> None:
    receipt = (await intake.apply(a_form())).json()
    elsewhere = await intake.http.get(f"/cases/{receipt['case_id']}", headers=intake.officer(jurisdiction))
    unknown = await intake.http.get(f"/cases/{new_id()}", headers=intake.officer(jurisdiction))
    assert (elsewhere.status_code, elsewhere.json()["title"]) == (unknown.status_code, unknown.json()["title"])
    assert elsewhere.status_code == 404


async def test_whoever_decides_an_item_sees_the_household(intake: Intake) -> None:
    form = a_form(benefits=["dibao", "temporary_assistance"], what_happened=what_happened(happened_in=YUBEI))
    receipt = (await intake.apply(form)).json()
    for jurisdiction, status in ((BAISHA, 200), (YUBEI, 200), (JIJIANG, 404)):
        view = await intake.http.get(f"/cases/{receipt['case_id']}", headers=intake.officer(jurisdiction))
        assert view.status_code == status


async def test_another_citizen_does_not_see_it(intake: Intake) -> None:
    receipt = (await intake.apply(a_form())).json()
    assert (await intake.http.get(f"/cases/{receipt['case_id']}", headers=intake.citizen())).status_code == 404


async def test_reading_in_office_is_on_record(intake: Intake) -> None:
    receipt = (await intake.apply(a_form())).json()
    readers = [intake.officer(BAISHA), intake.officer(JIANGJIN), intake.token("operator:1", "operator")]
    for reader in readers:
        view = await intake.http.get(f"/cases/{receipt['case_id']}", headers=reader)
        assert view.json()["members"][0]["person_id"] == receipt["persons"][0]["person_id"]
    records = await intake.rows("select subject from intake.access_records where case_id = $1 order by access_number",
                                receipt["case_id"])
    assert [record["subject"] for record in records] == [
        f"officer:{BAISHA}:1", f"officer:{JIANGJIN}:1", "operator:1"]


@pytest.mark.parametrize("table", BY_JURISDICTION)
async def test_the_database_itself_keeps_to_the_jurisdiction(intake: Intake, table: str) -> None:
    await _one_row_in_every_table(intake)
    counts: dict[str, int] = {}
    for jurisdiction in (BAISHA, JIANGJIN, YUBEI, "*"):
        async with intake.database.transaction(jurisdiction) as tx:
            counts[jurisdiction] = (await tx.session.execute(text(f"select count(*) from intake.{table}"))).scalar_one()
            foreign = await tx.session.execute(
                text(f"select count(*) from intake.{table} where jurisdiction not like :prefix"),
                {"prefix": "%" if jurisdiction == "*" else f"{jurisdiction}%"})
            assert foreign.scalar_one() == 0
    assert counts["*"] >= counts[JIANGJIN] >= counts[BAISHA] > 0


async def _one_row_in_every_table(intake: Intake) -> None:
    form = a_form(persons=[a_person(authorisation=an_authorisation())])
    receipt = (await intake.apply(form)).json()
    await intake.apply(form)
    await intake.http.get(f"/cases/{receipt['case_id']}", headers=intake.officer())
    request = {"purpose": "payment", "recipient": "bank", "fields": ["name"], "persons": [
        {"case_id": receipt["case_id"], "person_id": receipt["persons"][0]["person_id"]}]}
    await intake.http.post("/vault/seal", json=request, headers=intake.service("disbursement"))


async def test_no_identifier_stands_in_any_column(intake: Intake) -> None:
    secret = {
        "name": "暗号某某", "phone": "10066677788", "registered_address": "某镇暗号路甲号",
        "identity_number": an_identity_number(),
    }
    account = {**an_account(), "bank": "暗号银行"}
    supporter = {"name": "暗号亲属", "identity_number": an_identity_number(), "relation": "child"}
    form = a_form(
        persons=[a_person(**secret, authorisation=an_authorisation("暗号签名"))], accounts=[account],
        supporters=[supporter], living_address="某区暗号街乙号", electricity_account="509988776655",
        what_happened=what_happened(description="暗号事由"), on_behalf={"reason": "暗号原因", "relation": "暗号关系"},
    )
    caller = intake.token(f"helper:{new_id()}", "helper")
    receipt = (await intake.apply(form, caller)).json()
    assert (await intake.apply(form)).status_code == 201  # the stranger's copy too
    assert len(await intake.events_of(receipt["case_id"])) == 3
    wanted = [*secret.values(), *account.values(), "暗号", supporter["identity_number"], "509988776655"]
    wanted = [value.encode() for value in wanted if value != "lei"]
    found = [(table, value) for table, value in await _every_value(intake) for text_ in wanted if text_ in value]
    assert found == []


async def _every_value(intake: Intake) -> list[tuple[str, bytes]]:
    tables = await intake.rows("select table_name from information_schema.tables where table_schema = 'intake'")
    values: list[tuple[str, bytes]] = []
    for table in [row["table_name"] for row in tables]:
        for row in await intake.rows(f'select * from intake."{table}"'):
            values += [(f"{table}.{name}", value if isinstance(value, bytes) else str(value).encode())
                       for name, value in row.items()]
    return values


MODELS = [value for value in vars(models).values()
          if isinstance(value, type) and issubclass(value, SQLModel) and value is not SQLModel]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
async def test_models_and_migration_agree(intake: Intake, model: type[SQLModel]) -> None:
    table = table_of(model)
    found = await intake.rows(
        "select column_name, is_nullable = 'YES' as nullable from information_schema.columns "
        "where table_schema = 'intake' and table_name = $1", table.name)
    assert {row["column_name"]: row["nullable"] for row in found} == {
        column.name: bool(column.nullable) for column in table.columns}
    indexes = await intake.rows(
        "select indexname from pg_indexes where schemaname = 'intake' and tablename = $1", table.name)
    assert {index.name for index in table.indexes} <= {row["indexname"] for row in indexes}


async def test_the_role_of_intake_owns_nothing(intake: Intake) -> None:
    owners = await intake.rows("select distinct tableowner from pg_tables where schemaname = 'intake'")
    assert [row["tableowner"] for row in owners] == ["admin"]
    assert table_of(CaseRow).schema == "intake"




async def test_the_areas_of_a_form_are_public(intake: Intake) -> None:
    areas = {area["code"]: area for area in (await intake.http.get("/areas")).json()["areas"]}
    assert areas[BAISHA] == {"code": BAISHA, "name": "白沙镇", "parent": JIANGJIN}
