"""Ending a public notice whose days are over (公示期满)."""

from __future__ import annotations

from contracts.events.public_notice import PublicNoticeEnded
from contracts.processes import EndPublicNotice
from services.approval import rules
from services.approval.models import ItemRow, NoticeRow, NoticeState
from services.approval.stored import item_of, notice_of, subject_of
from services.runtime.database import Transaction
from services.runtime.problems import PermanentError


async def end_public_notice(tx: Transaction, command: EndPublicNotice) -> bool:
    """Close the notice if its days are over by the legal date; True where it no longer runs.

    Doing it again does nothing more. Raises PermanentError where the decision never had a notice.
    """
    await tx.lock_cases(command.subject.case_id)
    notice = await notice_of(tx, command.decision_id)
    if notice is None:
        raise PermanentError(f"Decision {command.decision_id}: it has no public notice to end.", code="no_notice")
    item = await tx.session.get_one(ItemRow, notice.item_id)
    end_if_over(tx, notice, item_of(item))
    return notice.state != NoticeState.OPEN


def end_if_over(tx: Transaction, notice: NoticeRow, item: rules.Item) -> None:
    """Mark an open notice as ended, and say so, once its last day has gone."""
    if notice.state != NoticeState.OPEN or not rules.notice_over(notice.ends_on, on=tx.clock.today):
        return
    notice.state = NoticeState.ENDED.value
    tx.record(PublicNoticeEnded(notice_id=notice.notice_id, decision_id=notice.decision_id), subject_of(item))
