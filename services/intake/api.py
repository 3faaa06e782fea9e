"""HTTP of intake: the one form and its areas, later authorisations, withdrawals, a case, and the vault."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Request

from contracts.http.application import (
    ApplicationReceipt,
    AuthorisationReceipt,
    SignAuthorisation,
    SubmitApplication,
    WithdrawalReceipt,
)
from contracts.http.vault import Seal, SealAnswer
from services.intake.areas import AreaList, known_areas
from services.intake.seal_identifiers import seal_identifiers
from services.intake.settings import settings_of
from services.intake.sign_authorisation import sign_authorisation
from services.intake.submit_application import Idempotency, submit_application
from services.intake.view_case import CaseView, OfficialCaseView, view_case
from services.intake.withdraw_item import withdraw_item
from services.runtime.context import Runtime
from services.runtime.http import Caller, Problem, get_runtime, require

router = APIRouter(tags=["intake"])

RuntimeOf = Annotated[Runtime, Depends(get_runtime)]
Applicant = Annotated[Caller, Depends(require("citizen", "helper", "officer"))]
Reader = Annotated[Caller, Depends(require("citizen", "helper", "officer", "operator", "service"))]
SealingService = Annotated[Caller, Depends(require("service"))]
IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=80)]


@router.post("/applications", status_code=201)
async def post_application(
    request: Request, form: SubmitApplication, key: IdempotencyKey, caller: Applicant, runtime: RuntimeOf
) -> ApplicationReceipt:
    """Hand in the one form. The same key with the same body gets the same answer; nothing happens twice."""
    idempotency = Idempotency(key, settings_of(runtime).vault.fingerprint(_canonical(await request.body())))
    async with runtime.database.transaction() as tx:
        return await submit_application(tx, caller, form, idempotency)


@router.post("/authorisations", status_code=201)
async def post_authorisation(
    command: SignAuthorisation, caller: Applicant, runtime: RuntimeOf
) -> AuthorisationReceipt:
    """Authorise the check of one's data for a case, later and from anywhere."""
    async with runtime.database.transaction() as tx:
        return await sign_authorisation(tx, caller, command)


@router.post("/items/{item_id}/withdraw")
async def post_withdrawal(item_id: UUID, caller: Applicant, runtime: RuntimeOf) -> WithdrawalReceipt:
    """Take the application for one benefit back. Once more: the first answer."""
    async with runtime.database.transaction() as tx:
        return await withdraw_item(tx, caller, item_id)


@router.get("/areas")
async def get_areas() -> AreaList:
    """The areas a form can name. Public."""
    return known_areas()


@router.get("/cases/{case_id}")
async def get_case(case_id: UUID, caller: Reader, runtime: RuntimeOf) -> CaseView | OfficialCaseView:
    """Follow a case: status words for who handed it in; intake's whole part of it for those in office, on record."""
    return await view_case(runtime, caller, case_id)


@router.post("/vault/seal")
async def post_seal(request: Seal, caller: SealingService, runtime: RuntimeOf) -> SealAnswer:
    """Encrypt identifiers to a recipient's key, for a purpose that allows it. Every read is recorded."""
    return await seal_identifiers(runtime, caller, request)


def _canonical(body: bytes) -> bytes:
    """The body with sorted keys and without spacing: what means the same counts as the same."""
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        # The framework's reader takes the last of two fields of one name, whatever the first one holds.
        raise Problem(400, "json_ambiguous", "Readers of JSON would differ about this body. Send each field once, "
                      "and only values that JSON knows.") from None
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
