"""What workflows ask of coordination: record a wait, act on a wake, offer referrals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from contracts.processes import (
    Activity,
    ItemStarted,
    NoticeWait,
    OfferReferrals,
    PaymentDay,
    PaymentRunStarted,
    ReferralStarted,
    Waits,
    WakeDue,
    Woken,
)
from services.coordination import offer_referrals as offering
from services.coordination import record_waits
from services.coordination.touched_workflows import TouchedWorkflows
from services.coordination.wake_deadline import wake_deadline
from services.runtime.context import Runtime


class CoordinationActivities:
    """Each parses and calls one use case. Whoever gets a result has work to do, so it is noted for /quiet."""

    def __init__(self, runtime: Runtime, touched: TouchedWorkflows) -> None:
        self._runtime = runtime
        self._touched = touched

    @property
    def all(self) -> list[Callable[..., Any]]:
        """What to register with the worker."""
        return [self.record_item_waits, self.record_notice_wait, self.record_referral_wait,
                self.record_payment_wait, self.wake, self.offer_referrals]

    @activity.defn(name=Activity.RECORD_ITEM_WAITS)
    async def record_item_waits(self, start: ItemStarted) -> Waits:
        """By when an accepted item must be investigated and decided."""
        return await self._in_transaction(record_waits.record_item_waits, start)

    @activity.defn(name=Activity.RECORD_NOTICE_WAIT)
    async def record_notice_wait(self, wait: NoticeWait) -> Waits:
        """When a public notice ends."""
        return await self._in_transaction(record_waits.record_notice_wait, wait)

    @activity.defn(name=Activity.RECORD_REFERRAL_WAIT)
    async def record_referral_wait(self, start: ReferralStarted) -> Waits:
        """By when a department must answer."""
        return await self._in_transaction(record_waits.record_referral_wait, start)

    @activity.defn(name=Activity.RECORD_PAYMENT_WAIT)
    async def record_payment_wait(self, start: PaymentRunStarted) -> PaymentDay:
        """The next pay day of a place."""
        return await self._in_transaction(record_waits.record_payment_wait, start)

    @activity.defn(name=Activity.WAKE)
    async def wake(self, due: WakeDue) -> Woken:
        """Remind, or say that it is too late."""
        return await self._in_transaction(wake_deadline, due)

    @activity.defn(name=Activity.OFFER_REFERRALS)
    async def offer_referrals(self, offer: OfferReferrals) -> int:
        """Offer what a grant opens at other departments."""
        try:
            return await offering.offer_referrals(self._runtime, offer)
        finally:
            self._touch()

    async def _in_transaction(self, use_case: Callable[..., Any], message: Any) -> Any:
        try:
            async with self._runtime.database.transaction() as tx:
                return await use_case(tx, message)
        finally:
            self._touch()

    def _touch(self) -> None:
        workflow_id = activity.info().workflow_id
        if workflow_id is not None:
            self._touched.add(workflow_id)
