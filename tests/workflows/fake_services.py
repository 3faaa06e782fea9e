"""Stands where the services stand: answers the workflows' activities and remembers what was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from contracts.envelope import new_id
from contracts.events.deadline import DeadlineKind
from contracts.processes import (
    DUE_PERCENT,
    MOMENTS,
    Activity,
    ClockReading,
    EndPublicNotice,
    ItemStarted,
    Leap,
    NoticeWait,
    OfferReferrals,
    PaymentDay,
    PaymentRunStarted,
    PaymentsInstructed,
    ReferralStarted,
    RunPayments,
    Waits,
    Wake,
    WakeDue,
    Woken,
)

DAY = timedelta(days=1)
PERCENTS = (50, 80, DUE_PERCENT)
INVESTIGATE_WITHIN, DECIDE_WITHIN = 3 * DAY, 20 * DAY


@dataclass
class FakeServices:
    """Coordination, approval, disbursement and the clock, without any database."""

    machine_now: Callable[[], datetime]
    leap: Leap = field(default_factory=Leap)
    asked: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    refuses: set[Activity] = field(default_factory=set[Activity])
    """Activities that say no for good, as a service does that has nothing to act on."""

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.read_clock, self.record_item_waits, self.record_notice_wait, self.record_referral_wait,
                self.record_payment_wait, self.wake, self.end_public_notice, self.offer_referrals, self.run_payments]

    def legal_now(self) -> datetime:
        return self.machine_now() + timedelta(microseconds=self.leap.offset_us)

    def leap_by(self, span: timedelta) -> Leap:
        offset_us = self.leap.offset_us + span // timedelta(microseconds=1)
        self.leap = Leap(number=self.leap.number + 1, offset_us=offset_us)
        return self.leap

    def names(self) -> list[str]:
        """What was asked, in order; a wake by its kind and percent."""
        return [f"{what.wake.kind} {what.wake.elapsed_percent}" if isinstance(what, WakeDue) else name
                for name, what in self.asked]

    @activity.defn(name=Activity.READ_CLOCK)
    async def read_clock(self) -> ClockReading:
        return ClockReading(legal_now=self.legal_now(), leap=self.leap)

    @activity.defn(name=Activity.RECORD_ITEM_WAITS)
    async def record_item_waits(self, start: ItemStarted) -> Waits:
        self.asked.append((Activity.RECORD_ITEM_WAITS, start))
        return self._waits(
            *_wakes(DeadlineKind.INVESTIGATE, start.accepted_at, start.accepted_at + INVESTIGATE_WITHIN),
            *_wakes(DeadlineKind.DECIDE, start.accepted_at, start.accepted_at + DECIDE_WITHIN),
        )

    @activity.defn(name=Activity.RECORD_NOTICE_WAIT)
    async def record_notice_wait(self, wait: NoticeWait) -> Waits:
        self.asked.append((Activity.RECORD_NOTICE_WAIT, wait))
        return self._waits(*_wakes(DeadlineKind.NOTICE_END, wait.ends_at, wait.ends_at))

    @activity.defn(name=Activity.RECORD_REFERRAL_WAIT)
    async def record_referral_wait(self, start: ReferralStarted) -> Waits:
        self.asked.append((Activity.RECORD_REFERRAL_WAIT, start))
        return self._waits(*_wakes(DeadlineKind.ANSWER_REFERRAL, self.legal_now(), start.answer_by))

    @activity.defn(name=Activity.RECORD_PAYMENT_WAIT)
    async def record_payment_wait(self, start: PaymentRunStarted) -> PaymentDay:
        self.asked.append((Activity.RECORD_PAYMENT_WAIT, start))
        pay_day = start.after + 30 * DAY
        wake_at = datetime(pay_day.year, pay_day.month, pay_day.day, tzinfo=self.machine_now().tzinfo)
        [wake] = _wakes(DeadlineKind.PAY, wake_at, wake_at)
        return PaymentDay(wake=wake, pay_day=pay_day, period=pay_day.replace(day=1), leap=self.leap)

    @activity.defn(name=Activity.WAKE)
    async def wake(self, due: WakeDue) -> Woken:
        self.asked.append((Activity.WAKE, due))
        return Woken(overdue=due.wake.elapsed_percent == DUE_PERCENT and due.wake.kind not in MOMENTS)

    @activity.defn(name=Activity.END_PUBLIC_NOTICE)
    async def end_public_notice(self, notice: EndPublicNotice) -> bool:
        self._ask(Activity.END_PUBLIC_NOTICE, notice)
        return True

    @activity.defn(name=Activity.OFFER_REFERRALS)
    async def offer_referrals(self, offer: OfferReferrals) -> int:
        self._ask(Activity.OFFER_REFERRALS, offer)
        return 1

    @activity.defn(name=Activity.RUN_PAYMENTS)
    async def run_payments(self, run: RunPayments) -> PaymentsInstructed:
        self.asked.append((Activity.RUN_PAYMENTS, run))
        return PaymentsInstructed(payments_count=1, amount_fen=60000)

    def _ask(self, name: Activity, message: Any) -> None:
        self.asked.append((name, message))
        if name in self.refuses:
            raise ApplicationError("nothing to act on", type="refused_here", non_retryable=True)

    def _waits(self, *wakes: Wake) -> Waits:
        return Waits(wakes=sorted(wakes, key=lambda wake: wake.order), leap=self.leap)


def _wakes(kind: DeadlineKind, starts_at: datetime, due_at: datetime) -> list[Wake]:
    deadline_id = new_id()
    percents = (DUE_PERCENT,) if kind in MOMENTS else PERCENTS
    return [Wake(deadline_id=deadline_id, kind=kind, elapsed_percent=percent,
                 wake_at=starts_at + (due_at - starts_at) * percent / DUE_PERCENT) for percent in percents]
