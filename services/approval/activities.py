"""What workflows ask of approval, on the task queue `approval`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity

from contracts.processes import Activity, EndPublicNotice
from services.approval.end_public_notice import end_public_notice
from services.runtime.context import Runtime


def activities(runtime: Runtime) -> list[Callable[..., Any]]:
    """The activities, bound to this process."""

    @activity.defn(name=Activity.END_PUBLIC_NOTICE)
    async def end_notice(command: EndPublicNotice) -> bool:
        """Close a notice whose days are over; True where it no longer runs."""
        async with runtime.database.transaction() as tx:
            return await end_public_notice(tx, command)

    return [end_notice]
