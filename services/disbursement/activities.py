"""Temporal activities of disbursement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from contracts.processes import Activity, PaymentsInstructed, RunPayments
from services.disbursement.run_payments import run_payments
from services.runtime.process import Runtime


class DisbursementActivities:
    """What workflows ask of disbursement."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    @activity.defn(name=Activity.RUN_PAYMENTS)
    async def run_payments(self, command: RunPayments) -> PaymentsInstructed:
        """Pay a place's standing awards. Asked again, it instructs nothing again."""
        count, amount_fen = await run_payments(self._database, command.place, command.period)
        return PaymentsInstructed(payments_count=count, amount_fen=amount_fen)


def activities(runtime: Runtime) -> list[Callable[..., Any]]:
    """All activities of the service."""
    return [DisbursementActivities(runtime).run_payments]
