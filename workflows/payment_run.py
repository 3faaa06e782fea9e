"""The monthly payment run of a paying place: waits for its pay day, pays, and begins anew."""

from __future__ import annotations

from temporalio import workflow

from contracts.catalogue import COORDINATION, DISBURSEMENT
from contracts.processes import (
    Activity,
    PaymentDay,
    PaymentRunStarted,
    PaymentsInstructed,
    RunPayments,
    WakeDue,
    WorkflowName,
)
from workflows.agenda import JURISDICTION, OVERDUE, OWNER, STAGE, AsksServices
from workflows.legal_wait import LegalWait

WAITING = "waiting_for_pay_day"


@workflow.defn(name=WorkflowName.PAYMENT_RUN)
class PaymentRunWorkflow(AsksServices):
    """Stands as long as the place pays. No Temporal Schedule: that knows only machine time."""

    @workflow.init
    def __init__(self, start: PaymentRunStarted) -> None:
        self.clock = LegalWait(start.leap)

    @workflow.run
    async def run(self, start: PaymentRunStarted) -> None:
        """One month; the next begins as a new run with the newest clock."""
        workflow.upsert_search_attributes([
            STAGE.value_set(WAITING), JURISDICTION.value_set(start.place), OWNER.value_set(start.place),
            OVERDUE.value_set(False),
        ])
        day = await self.ask(COORDINATION, Activity.RECORD_PAYMENT_WAIT, start, PaymentDay)
        self.clock.learn(day.leap)
        await self.clock.until(lambda: False, day.wake.wake_at)
        run = RunPayments(place=start.place, period=day.period)
        await self.ask(DISBURSEMENT, Activity.RUN_PAYMENTS, run, PaymentsInstructed)
        # After paying: until the wake is acted on, legal time holds still.
        await self.wake(WakeDue(subject=None, wake=day.wake))
        workflow.continue_as_new(PaymentRunStarted(place=start.place, after=day.pay_day, leap=self.clock.leap))
