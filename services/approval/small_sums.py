"""Small sums at once (小额快救): an officer registers person, cause and sum, and that signature decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.events.decision import DecisionConfirmed, Outcome, Period, Reason
from contracts.http.casework import ConfirmSmallSum
from services import rulebook
from services.approval import explanations, rules
from services.approval.awards import Grant, start_awards
from services.approval.models import DecisionRow, DecisionState, ItemRow, ItemState
from services.approval.stored import item_of, lock_item, refused, standing_decision, subject_of
from services.approval.supersede_proposals import supersede_proposals
from services.runtime.bulk_insert import Rows
from services.runtime.database import Transaction


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule for small sums as it stands for one place, standard and day."""

    cap_fen: int
    reasons: tuple[Reason, ...]
    explanation: dict[str, Any]


@dataclass(slots=True)
class GivenSmallSums:
    """Small sums given in one transaction, written together."""

    decisions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    grants: list[Grant] = field(default_factory=list[Grant])

    async def write(self, tx: Transaction, items: Rows = ()) -> None:
        """Write the decisions, and these new items beside them, and start the awards: all in one statement."""
        await start_awards(tx, self.grants, beside={ItemRow: items, DecisionRow: self.decisions})


@dataclass(frozen=True, slots=True)
class SmallSumRegistered:
    """What the officer signed."""

    item: rules.Item
    signed_by: str
    officer: rules.Officer | None
    """None where what signed is not an officer's id."""
    amount_fen: int
    cause: str
    rule_date: date


def give(tx: Transaction, given: GivenSmallSums, asked: SmallSumRegistered) -> rules.Refusal | None:
    """Decide by the signature, at once; or the refusal, and nothing is given."""
    item = asked.item
    rule = rule_for(item, asked.rule_date)
    refusal = rules.small_sum(rules.SmallSumAsked(
        item=item, officer=asked.officer, amount_fen=asked.amount_fen, cap_fen=rule.cap_fen if rule else None,
    ))
    if refusal is not None or rule is None or asked.officer is None:
        return refusal
    decision_id = new_id()
    first_month = tx.clock.today.replace(day=1)
    given.decisions.append({
        "decision_id": decision_id, "item_id": item.item_id, "case_id": item.case_id, "jurisdiction": item.owner,
        "epoch": item.epoch, "benefit": item.benefit.value, "outcome": Outcome.GRANT.value,
        "state": DecisionState.CONFIRMED.value, "amount_fen": asked.amount_fen, "period": Period.ONCE.value,
        "level": rules.level_of_signature(asked.officer).value,
        "explanation": rule.explanation, "rulebook_version": rulebook.rulebook_version(),
        "rule_date": asked.rule_date, "proposed_at": tx.clock.now, "confirmable_from": tx.clock.today,
        "confirmed_at": tx.clock.now, "confirmed_by": asked.signed_by, "first_month": first_month,
        "small_sum": True, "cause": asked.cause,
    })
    given.grants.append(Grant(item, decision_id, asked.amount_fen, Period.ONCE, first_month))
    tx.record(
        DecisionConfirmed(
            decision_id=decision_id, benefit=item.benefit, outcome=Outcome.GRANT, amount_fen=asked.amount_fen,
            period=Period.ONCE, first_month=first_month, confirmed_at=tx.clock.now, confirmed_by=asked.signed_by,
            reasons=list(rule.reasons), small_sum=True,
        ),
        subject_of(item),
    )
    return None


def rule_for(item: rules.Item, on: date) -> Rule | None:
    """The rule for this item on that day; None where the place has none. Raises rulebook.UnknownPlace."""
    if item.benefit is not Benefit.TEMPORARY_ASSISTANCE:
        return None
    return _rule(item.owner, item.standard.value, on)


@lru_cache(maxsize=1_000)
def _rule(place: str, standard: str, on: date) -> Rule | None:
    cap = rulebook.small_sum_cap_fen(place, standard, on)
    if cap is None:
        return None
    explanation = explanations.of_small_sum(cap)
    return Rule(int(str(cap.value)), tuple(explanation.reasons), explanation.stored())


async def give_small_sum(
    tx: Transaction, item_id: UUID, officer: rules.Officer, command: ConfirmSmallSum
) -> DecisionRow:
    """Give a small sum for an item that is not decided yet; a proposal still open gives way to it.

    The same command again gets the same answer. Raises Problem: 404, or 403 and 409 where the rules refuse.
    """
    item_row = await lock_item(tx, item_id)
    item = item_of(item_row)
    standing = await standing_decision(tx, item_id)
    if standing is not None and standing.state == DecisionState.CONFIRMED:
        if (standing.small_sum, standing.confirmed_by, standing.amount_fen, standing.cause) == (
            True, officer.officer_id, command.amount_fen, command.cause
        ):
            return standing
        raise refused(rules.Refusal(rules.RefusalCode.ALREADY_CONFIRMED,
                                    f"Item {item_id}: already decided. Read its decision instead."))
    given = GivenSmallSums()
    refusal = give(tx, given, SmallSumRegistered(
        item=item, signed_by=officer.officer_id, officer=officer, amount_fen=command.amount_fen,
        cause=command.cause, rule_date=tx.clock.today,
    ))
    if refusal is not None:
        raise refused(refusal)
    if standing is not None:
        await supersede_proposals(tx, [standing.decision_id])
    item_row.state, item_row.waits_on, item_row.missing = ItemState.CONFIRMED.value, None, []
    await tx.session.flush()
    await given.write(tx)
    return await tx.session.get_one(DecisionRow, given.grants[0].decision_id)
