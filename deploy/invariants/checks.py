"""One function per promise: it returns a sentence per violation, and nothing where the promise holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from contracts.benefits import Standard
from deploy.invariants.identifiers import identifiers_outside_the_vault
from deploy.invariants.live_data import LiveData
from deploy.local.topic_reader import TopicRecord
from services.rulebook import small_sum_cap_fen

Check = Callable[[LiveData], Awaitable[list[str]]]


@dataclass(frozen=True)
class Invariant:
    """A promise of docs/architecture.md and how it is checked."""

    number: int
    promise: str
    check: Check
    not_yet: str = ""
    """What of it has no mechanism yet, and so is not checked."""


async def nobody_waits_unnamed(live: LiveData) -> list[str]:
    """1: an accepted item is decided, withdrawn, or waits with a deadline; a passed one was said to be."""
    idle = await live.rows("""
        select i.item_id from coordination.items i
        where i.accepted_at is not null and i.confirmed_at is null and i.withdrawn_at is null
          and not exists (select from coordination.deadlines d where d.item_id = i.item_id
                          and d.state in ('open', 'passed') and d.met_at is null and d.waits_on <> '')""")
    silent = await live.rows("""
        select d.deadline_id, d.item_id, d.kind, d.due_at from coordination.deadlines d
        where d.state = 'open' and d.due_at <= $1""", await legal_now(live))
    unanswered = await live.rows("""
        select r.item_id from coordination.referrals r
        where r.answered_at is null and not exists (
            select from coordination.deadlines d where d.item_id = r.item_id and d.kind = 'answer_referral')""")
    return [
        *(f"Item {row['item_id']} was accepted and waits on nobody." for row in idle),
        *(f"Deadline {row['kind']} of item {row['item_id']} passed on {row['due_at']} and nobody was told."
          for row in silent),
        *(f"Referral {row['item_id']} has neither an answer nor a deadline." for row in unanswered),
    ]


async def legal_now(live: LiveData) -> datetime:
    """Legal time: machine time and the offset of the newest leap."""
    now = await live.database.fetchval("""
        select clock_timestamp() + coalesce((select offset_us from clock.leaps order by number desc limit 1), 0)
               * interval '1 microsecond'""")
    return now if isinstance(now, datetime) else datetime.now(UTC)


async def paid_exactly_once(live: LiveData) -> list[str]:
    """2: each (award, period) once; no month left out; the ledger says what the bank's statement says."""
    twice = await live.rows("""
        select award_id, period, count(*) from disbursement.payments
        group by award_id, period having count(*) > 1""")
    missing = await live.rows("""
        select a.award_id from approval.awards a
        where not exists (select from disbursement.awards d where d.award_id = a.award_id)""")
    gaps = await live.rows("""
        select a.award_id, month::date as period from disbursement.awards a
        cross join lateral generate_series(a.first_month, (
            select max(p.period) from disbursement.payments p where p.award_id = a.award_id), interval '1 month') month
        where not exists (select from disbursement.payments p
                          where p.award_id = a.award_id and p.period = month::date)""")
    unpaid = await live.rows("""
        select a.award_id from disbursement.awards a where a.period = 'once'
          and not exists (select from disbursement.payments p where p.award_id = a.award_id)""")
    return [
        *(f"Award {row['award_id']}: {row['count']} payments for {row['period']:%Y-%m}." for row in twice),
        *(f"Award {row['award_id']} has not reached disbursement." for row in missing),
        *(f"Award {row['award_id']}: {row['period']:%Y-%m} was left out." for row in gaps),
        *(f"Award {row['award_id']} is given once and was not paid." for row in unpaid),
        *await _ledger_differs_from_bank(live),
    ]


async def _ledger_differs_from_bank(live: LiveData) -> list[str]:
    ledger = {str(row["payment_id"]): int(row["fen"]) for row in await live.rows("""
        select payment_id, sum(amount_fen)::bigint as fen from disbursement.postings
        where account = 'paid' group by payment_id having sum(amount_fen) <> 0""")}
    bank: Counter[str] = Counter()
    for line in live.bank_lines:
        if line["kind"] == "settled":
            bank[line["payment_id"]] += line["amount_fen"]
        else:
            bank[line["payment_id"]] = 0
    differing = {payment_id for payment_id in ledger.keys() | bank.keys()
                 if ledger.get(payment_id, 0) != bank.get(payment_id, 0)}
    unmatched = await live.rows("select line_id from disbursement.statement_lines where not matched")
    unbalanced = await live.rows("""
        select transfer_id from disbursement.postings group by transfer_id having sum(amount_fen) <> 0""")
    return [
        *(f"Payment {payment_id}: the ledger says {ledger.get(payment_id, 0)} fen, the bank {bank[payment_id]}."
          for payment_id in sorted(differing)),
        *(f"Statement line {row['line_id']} fits no payment." for row in unmatched),
        *(f"Transfer {row['transfer_id']} does not balance." for row in unbalanced),
    ]


async def one_owner(live: LiveData) -> list[str]:
    """3: every service's copy of an item names the same district and epoch."""
    rows = await live.rows("""
        select c.item_id, c.owner, c.epoch, a.jurisdiction as decides, a.epoch as decides_epoch
        from coordination.items c join approval.items a using (item_id)
        where (c.owner, c.epoch) is distinct from (a.jurisdiction, a.epoch)""")
    twice = await live.rows("""
        select item_id from approval.decisions where state = 'confirmed' group by item_id having count(*) > 1""")
    return [
        *(f"Item {row['item_id']}: owner {row['owner']} (epoch {row['epoch']}) in coordination, "
          f"{row['decides']} ({row['decides_epoch']}) in approval." for row in rows),
        *(f"Item {row['item_id']} was decided more than once." for row in twice),
    ]


KEPT_AND_TOLD = (
    ("intake.items", "item_id", "where accepted_at is not null", "item.accepted", None),
    ("approval.decisions", "decision_id", "where state = 'confirmed'", "decision.confirmed", "decision_id"),
    ("approval.awards", "award_id", "", "award.started", "award_id"),
    ("disbursement.payments", "payment_id", "", "payment.instructed", "payment_id"),
    ("disbursement.payments", "payment_id", "where state = 'settled'", "payment.settled", "payment_id"),
    ("verification.visits", "visit_id", "", "visit.ordered", "visit_id"),
)
"""Table, key, which rows, the event that must tell of each, and the event's field (None: the item's header)."""

CAUSE_AND_EFFECT = (
    ("decision.proposed", "decision.confirmed", "decision_id"),
    ("payment.instructed", "payment.settled", "payment_id"),
    ("visit.ordered", "visit.reported", "visit_id"),
)


async def every_change_is_told_once_in_order(live: LiveData) -> list[str]:
    """4: what is committed is on Kafka once; per case in order; nothing is kept, parked or unsent."""
    violations: list[str] = []
    for table, key, which, event_type, name in KEPT_AND_TOLD:
        kept = {str(row["id"]) for row in await live.rows(f"select {key} as id from {table} {which}")}
        told = Counter(
            record.data.get(name, "") if name else record.headers.get("ce_itemid", "")
            for record in live.of_type(event_type)
        )
        violations += [f"{table} {each}: no {event_type} on Kafka." for each in sorted(kept - told.keys())]
        violations += [f"{table} {each}: {count} times {event_type} on Kafka." for each, count in sorted(told.items())
                       if count > 1 or each not in kept]
    violations += _out_of_order(live)
    for schema in ("intake", "verification", "approval", "disbursement", "coordination"):
        for table in ("outbox", "kept_events", "dead_letters"):
            count = await live.database.fetchval(f"select count(*) from {schema}.{table}")
            if count:
                violations.append(f"{schema}.{table} holds {count} rows.")
    return violations


def _out_of_order(live: LiveData) -> list[str]:
    """A case lies in one partition of a topic, there in the order of its outbox, and no effect before its cause.

    Ids are made while the case is locked and grow with time: their order is the order of the commits.
    """
    violations: list[str] = []
    of_case: dict[tuple[str, str], list[TopicRecord]] = {}
    for event in live.events:
        if "ce_caseid" in event.headers and event.event_id:
            of_case.setdefault((event.topic, event.headers["ce_caseid"]), []).append(event)
    for (topic, case_id), events in of_case.items():
        numbers = {event.partition for event in events}
        if len(numbers) > 1:
            violations.append(f"Case {case_id} lies in {len(numbers)} partitions of {topic}.")
        in_order = sorted(events, key=lambda event: event.offset)
        violations += [f"{later.type} {later.event_id} of case {case_id} lies behind what was recorded after it."
                       for earlier, later in pairwise(in_order) if earlier.event_id > later.event_id]
    for cause, effect, name in CAUSE_AND_EFFECT:
        places = {record.data.get(name): record.offset for record in live.of_type(cause)}
        violations += [f"{effect} of {record.data.get(name)} lies before its {cause}."
                       for record in live.of_type(effect) if places.get(record.data.get(name), -1) > record.offset]
    return violations


async def money_before_verification_is_allowed(live: LiveData) -> list[str]:
    """5: a small sum stays within its cap and on record; any other award has evidence behind it."""
    small = await live.rows("""
        select d.decision_id, d.amount_fen, d.rule_date, d.cause, d.confirmed_by, i.jurisdiction, i.standard
        from approval.decisions d join approval.items i using (item_id)
        where d.small_sum and d.state = 'confirmed'""")
    violations: list[str] = []
    for row in small:
        cap = small_sum_cap_fen(row["jurisdiction"], Standard(row["standard"]), row["rule_date"])
        if cap is None or row["amount_fen"] > cap.value:
            violations.append(f"Small sum {row['decision_id']} of {row['amount_fen']} fen is above its cap.")
        if not row["cause"] or not row["confirmed_by"]:
            violations.append(f"Small sum {row['decision_id']} leaves no record of cause or signer.")
    groundless = await live.rows("""
        select a.award_id from approval.awards a join approval.decisions d using (decision_id)
        where not d.small_sum and not exists (select from approval.evidence e where e.item_id = d.item_id)""")
    return violations + [f"Award {row['award_id']} rests on no evidence." for row in groundless]


async def unknown_decides_nothing(live: LiveData) -> list[str]:
    """6: no decision stands on an item whose evidence is incomplete."""
    rows = await live.rows("""
        select d.decision_id, i.missing from approval.decisions d join approval.items i using (item_id)
        where d.state = 'proposed' and jsonb_array_length(i.missing) > 0""")
    return [f"Decision {row['decision_id']} stands although {row['missing']} is unknown." for row in rows]


INVARIANTS = (
    Invariant(1, "Every accepted item is decided, withdrawn, or waits on a named party with a deadline.",
              nobody_waits_unnamed),
    Invariant(2, "Each (award, period) is paid exactly once; the ledger is the bank's statement.", paid_exactly_once),
    Invariant(3, "Exactly one district is the deciding owner of an item.", one_owner, not_yet="handovers"),
    Invariant(4, "Every committed change is told on Kafka once, in order per case.",
              every_change_is_told_once_in_order),
    Invariant(5, "Money before verification only where the rulebook allows it, within its cap, on record.",
              money_before_verification_is_allowed, not_yet="paperwork debts"),
    Invariant(6, "Unknown evidence never grants and never refuses.", unknown_decides_nothing),
    Invariant(7, "No personal identifier outside the vault.", identifiers_outside_the_vault,
              not_yet="relatives' cases, own reviews"),
)
