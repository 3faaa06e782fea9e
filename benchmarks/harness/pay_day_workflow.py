"""The order to pay, without the wait for the day: what `PaymentRunWorkflow` asks of disbursement once it has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from contracts.catalogue import DISBURSEMENT
    from contracts.processes import Activity, PaymentsInstructed, RunPayments

QUEUE: Final = "pay-day"


@workflow.defn
class PayDayWorkflow:
    """One activity."""

    @workflow.run
    async def run(self, order: RunPayments) -> PaymentsInstructed:
        """Pay."""
        return await workflow.execute_activity(
            Activity.RUN_PAYMENTS, order, task_queue=DISBURSEMENT, result_type=PaymentsInstructed,
            start_to_close_timeout=timedelta(minutes=5),
        )
