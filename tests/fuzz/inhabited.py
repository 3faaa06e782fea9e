"""Fills a service with cases that really run, and says which calls it should carry out on them."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

from pydantic import BaseModel

from contracts import catalogue
from contracts.benefits import Benefit
from contracts.envelope import EventEnvelope, new_id
from contracts.events.decision import Period
from contracts.http.casework import RecordFindings
from contracts.http.vault import Sealed
from contracts.processes import OfferReferrals
from services.coordination.offer_referrals import offer_referrals
from services.disbursement import recorded_waits
from services.runtime import dead_letters, vault_client
from services.runtime.problems import PermanentError
from services.runtime.records import StoredRecord
from tests.fuzz.calls import Inhabited, Valid
from tests.fuzz.fuzzed_service import BAISHA, FuzzedService
from tests.services.approval import builders as of_approval
from tests.services.coordination.builders import Matter
from tests.services.disbursement.test_payments import an_award
from tests.services.intake.forms import a_form, a_small_emergency, an_authorisation
from tests.services.verification import builders as of_verification

HOUSEHOLDS = 4
MARCH_4 = date(2026, 3, 4)
MONDAY = date(2025, 1, 6)
AREA_CODES = ["500116108", "500116", "500112", "5001", "500112016"]
_offsets = itertools.count()
"""One for each dead letter, so that none counts as parked before."""


async def inhabit(service: FuzzedService) -> Inhabited:
    """New cases, each at another stage; what was there before stays, used up or not."""
    valid = await INHABITANTS[service.name](service)
    letters = await _dead_letters(service)
    valid += [
        Valid("GET /dead-letters", "operator", query={"limit": "3"}),
        *(Valid("GET /dead-letters/{letter_id}", "operator", {"letter_id": letter}) for letter in letters),
        *(Valid("POST /dead-letters/{letter_id}/retry", "operator", {"letter_id": letter}) for letter in letters),
        *(Valid("DELETE /dead-letters/{letter_id}", "operator", {"letter_id": letter}) for letter in letters[1:]),
        Valid("POST /dead-letters/resume", "operator", body={"park_at_most": 5}),
        *(Valid(f"GET /{probe}", "nobody") for probe in ("health", "ready", "quiet")),
    ]
    return Inhabited(valid, _ids(valid))


async def _of_intake(service: FuzzedService) -> list[Valid]:
    service.database.now = datetime(2026, 3, 9, 4, tzinfo=UTC)
    valid: list[Valid] = []
    for _ in range(HOUSEHOLDS):
        form = a_form()
        headers = {**service.callers["citizen"], "Idempotency-Key": f"fuzz-{new_id()}"}
        answer = await service.http.post("/applications", json=form, headers=headers)
        assert answer.status_code == 201, answer.text
        receipt = answer.json()
        case, [person] = {"case_id": receipt["case_id"]}, receipt["persons"]
        signed = {**case, "person_id": person["person_id"], "authorisation": an_authorisation(),
                  "identity_number": form["persons"][0]["identity_number"]}
        wanted = [{**case, "person_id": person["person_id"]}]
        valid += [
            Valid("POST /authorisations", "citizen", body=signed),
            Valid("POST /items/{item_id}/withdraw", "citizen", {"item_id": receipt["items"][0]["item_id"]}),
            *(Valid("GET /cases/{case_id}", who, case)
              for who in ("citizen", "officer", "operator", "service approval")),
            _sealing("verification", "means_check", "source:bank", ["name", "identity_number"], wanted),
            _sealing("disbursement", "payment", "bank", ["name", "bank_account"], wanted),
            _sealing("coordination", "referral", "department:electricity", ["electricity_account"], wanted),
        ]
        for who, new in (("citizen", a_form()), ("officer", a_small_emergency()),
                         ("helper", a_form(on_behalf={"reason": "行动不便", "relation": "邻居"}))):
            valid.append(Valid("POST /applications", who, body=new,
                               headers={"Idempotency-Key": f"fuzz-{new_id()}"}))
    return [*valid, Valid("GET /areas", "nobody")]


def _sealing(service: str, purpose: str, recipient: str, fields: list[str], persons: list[dict[str, str]]) -> Valid:
    body = {"purpose": purpose, "recipient": recipient, "fields": fields, "persons": persons}
    return Valid("POST /vault/seal", f"service {service}", body=body)


async def _of_verification(service: FuzzedService) -> list[Valid]:
    service.database.now = of_verification.MONDAY_NOON
    items = [of_verification.an_item() for _ in range(2 * HOUSEHOLDS)]
    await _receive(service, [*items, *(of_verification.signed(item) for item in items)])
    rows = await _rows(service, "select query_id, source, item.item_id, visit.visit_id, means_check_id, item.case_id "
                       "from verification.queries as asked join verification.verifications as item using (case_id) "
                       "join verification.visits as visit using (case_id) where item.item_id = any($1)",
                       [item.item_id for item in items])
    assert rows, "no source is asked, no visit ordered"
    # What a source was asked it may answer again only where it had no answer: so every other question waits on it.
    await _rows(service, "update verification.queries set state = 'asked', ask_again_at = clock_timestamp() "
                "where query_id = any($1) returning 1", [row["query_id"] for row in rows[::2]])
    valid = [Valid("GET /visits", "officer", query={"jurisdiction": BAISHA}), Valid("GET /waits", "operator")]
    for row in rows:
        path = {name: str(row[name]) for name in ("visit_id", "item_id", "means_check_id", "case_id")}
        answers = {"request_id": str(new_id()), "answers": [_answer(row["query_id"], row["source"])]}
        valid.append(Valid("POST /sources/{source}/answers", f"source {row['source']}", {"source": row["source"]},
                           body=answers))
        valid += [
            Valid("POST /visits/{visit_id}/report", "officer", _part(path, "visit_id"),
                  body=_json(of_verification.a_report(of_verification.a_finding()))),
            Valid("POST /items/{item_id}/findings", "officer", _part(path, "item_id"),
                  body=_json(RecordFindings(findings=[of_verification.a_finding()]))),
            Valid("POST /means-checks/{means_check_id}/ask-again", "officer", _part(path, "means_check_id")),
            Valid("GET /cases/{case_id}", "operator", _part(path, "case_id")),
        ]
    return valid


def _answer(query_id: UUID, source: str) -> dict[str, Any]:
    data: dict[str, dict[str, Any]] = {"bank": {"balance_fen": 310_000}, "vehicles": {"count": 0},
                                       "property": {"homes_count": 1}, "civil_registry": {"alive": True}}
    if source not in data:
        return {"query_id": str(query_id), "kind": "no_record"}
    return {"query_id": str(query_id), "kind": "data", "as_of": "2025-01-06T02:00:00+08:00", "data": data[source]}


async def _of_approval(service: FuzzedService) -> list[Valid]:
    service.database.now = of_approval.noon(MARCH_4)
    items = [of_approval.an_item_accepted(on=MARCH_4) for _ in range(2 * HOUSEHOLDS)]
    urgent = [of_approval.an_item_accepted(on=MARCH_4, benefit=Benefit.TEMPORARY_ASSISTANCE) for _ in range(HOUSEHOLDS)]
    evidence = [of_approval.a_verification(item, on=MARCH_4) for item in items]
    await _receive(service, [*items, *urgent, *evidence])
    rows = await _rows(service, "select decision_id, item_id, case_id from approval.decisions where item_id = any($1)",
                       [item.item_id for item in items])
    assert rows, "nothing was proposed"
    # The public notices have ended by then.
    service.database.now = of_approval.noon(date(2026, 3, 20))
    ids = [str(row["decision_id"]) for row in rows]
    valid = [Valid("GET /notices", "nobody", query={"jurisdiction": BAISHA}),
             *(Valid("POST /decisions/confirm", "officer", body={"decision_ids": [one, other]})
               for one, other in itertools.pairwise(ids[HOUSEHOLDS:]))]
    for row in rows:
        path = {name: str(row[name]) for name in ("decision_id", "item_id", "case_id")}
        valid += [
            Valid("GET /decisions/{decision_id}", "officer", _part(path, "decision_id")),
            Valid("GET /items/{item_id}", "operator", _part(path, "item_id")),
            Valid("GET /cases/{case_id}", "officer of the county", _part(path, "case_id")),
        ]
    valid += [Valid("POST /decisions/{decision_id}/confirm", "officer", {"decision_id": one}, body=body)
              for one in ids[:HOUSEHOLDS] for body in (None, {})]
    return valid + [Valid("POST /items/{item_id}/small-sum", "officer", {"item_id": str(item.item_id)},
                          body={"amount_fen": 50_000, "cause": "fire"}) for item in urgent]


async def _of_disbursement(service: FuzzedService) -> list[Valid]:
    service.database.now = of_verification.MONDAY_NOON
    awards = [an_award(period=Period.ONCE, town=BAISHA) for _ in range(2 * HOUSEHOLDS)]
    await _receive(service, awards)
    rows = await _rows(service, "select payment_id, award_id, case_id, amount_fen from disbursement.payments "
                       "where award_id = any($1)", [award.data.award_id for award in awards])
    assert rows, "nothing was instructed"
    held_back = [row["payment_id"] for row in rows[1::2]]
    async with service.database.transaction() as tx:
        for payment_id in held_back:
            await recorded_waits.wait_with_order(tx, payment_id, "unreadable")
    valid = [Valid("GET /waits", "operator"), Valid("GET /bank/unexplained-lines", "operator"),
             *(Valid("POST /payments/{payment_id}/send-again", "operator", {"payment_id": str(payment_id)})
               for payment_id in held_back)]
    for row, kind in zip(rows, itertools.cycle(["settled", "returned"])):
        line = {"line_id": str(new_id()), "payment_id": str(row["payment_id"]), "kind": kind,
                "amount_fen": row["amount_fen"], "booked_at": "2025-02-10T12:00:00+08:00"}
        valid += [
            Valid("POST /bank/statements", "bank", body={"lines": [{**line, "reason_code": "account_closed"}]}),
            Valid("GET /payments", "officer", query={"case_id": str(row["case_id"])}),
            Valid("GET /awards/{award_id}/payments", "operator", {"award_id": str(row["award_id"])}),
            Valid("GET /cases/{case_id}", "service approval", {"case_id": str(row["case_id"])}),
        ]
    return valid


async def _of_coordination(service: FuzzedService) -> list[Valid]:
    service.database.now = of_verification.MONDAY_NOON
    valid = [Valid("GET /tasks", "officer", query={"jurisdiction": BAISHA}), Valid("GET /tasks", "operator"),
             Valid("GET /tasks", "officer", query={"jurisdiction": BAISHA, "kind": "visit"}),
             Valid("GET /deadlines/next", "keeper")]
    for _ in range(HOUSEHOLDS):
        matter, item_id, decision_id = Matter(), new_id(), new_id()
        accepted = matter.accepted(item_id, electricity_account=True)
        visited, visit_id = new_id(), new_id()
        await _receive(service, [matter.submitted(), matter.accepted(visited), matter.visit_ordered(visited, visit_id),
                                 accepted, matter.confirmed(item_id, decision_id)])
        offer = OfferReferrals(subject=accepted.subject, benefit=Benefit.DIBAO, decision_id=decision_id,
                               first_month=date(2025, 1, 1))
        with patch.object(vault_client, "seal_many", _seal_many):
            assert await offer_referrals(service.runtime, offer) == 1
        [row] = await _rows(service, "select item_id from coordination.referrals where case_id = $1", matter.case_id)
        case = {"case_id": str(matter.case_id)}
        path = {"department": "electricity", "item_id": str(row["item_id"])}
        granted = {"answer": "granted", "amount_fen_month": 700, "from_month": "2025-01-01"}
        valid += [
            *(Valid("POST /departments/{department}/referrals/{item_id}/answers", "power company", path, body=body)
              for body in ({"answer": "received"}, granted)),
            Valid("GET /cases/{case_id}", "officer", case),
            Valid("GET /deadlines", "investigator", query=case),
            Valid("GET /referrals", "operator", query=case),
        ]
    return valid


async def _seal_many(_runtime: object, **asked: Any) -> list[Sealed]:
    return [Sealed(person_id=one.person_id, case_id=one.case_id, jwe="sealed", missing=[]) for one in asked["persons"]]


INHABITANTS: dict[str, Callable[[FuzzedService], Awaitable[list[Valid]]]] = {
    "intake": _of_intake, "verification": _of_verification, "approval": _of_approval,
    "disbursement": _of_disbursement, "coordination": _of_coordination,
}


async def _receive(service: FuzzedService, events: Iterable[EventEnvelope[Any]]) -> None:
    """Each event to the service's consumer, without the broker that brings it."""
    for event in events:
        async with service.database.transaction() as tx:
            await service.consumers.handle_again(tx, _record(event, event.body()))
        await service.consumers.release_due()


async def _dead_letters(service: FuzzedService) -> list[str]:
    """Parked records: the first can be handled when it is retried, the others nobody can read."""
    async with service.database.transaction() as tx:
        for value in (b"{", b"\xff", b"{}", b"[]", None):
            event = an_award(town=BAISHA)
            refused = PermanentError("Not JSON.", code="event_invalid")
            await dead_letters.park(tx, _record(event, value or event.body()), refused)
    rows = await _rows(service, f"select id from {service.name}.dead_letters order by id desc limit 5")
    return [str(row["id"]) for row in rows]


def _record(event: EventEnvelope[Any], value: bytes) -> StoredRecord:
    headers = [(name, text.encode()) for name, text in event.headers().items()]
    key = str(event.case_id).encode()
    return StoredRecord(catalogue.topic_of(event.type), 0, next(_offsets), key, headers, value)


async def _rows(service: FuzzedService, statement: str, *values: object) -> list[Any]:
    async with service.database.transaction() as tx:
        return await tx.driver.fetch(statement, *values)


def _part(path: dict[str, str], name: str) -> dict[str, str]:
    return {name: path[name]}


def _json(body: BaseModel) -> Any:
    return body.model_dump(mode="json")


def _ids(valid: Iterable[Valid]) -> dict[str, list[str]]:
    """Every id of the valid calls under its name, and place codes."""
    found: dict[str, set[str]] = {"jurisdiction": set(AREA_CODES)}

    def look(content: Any) -> None:
        for name, value in content.items() if isinstance(content, dict) else ():
            one = value[0] if isinstance(value, list) and value else value
            if name.endswith(("_id", "_ids")) and isinstance(one, str):
                found.setdefault(name, set()).add(one)
            for inner in value if isinstance(value, list) else [value]:
                look(inner)

    for call in valid:
        look({**call.path, **call.query})
        look(call.body)
    return {name: sorted(values) for name, values in found.items()}
