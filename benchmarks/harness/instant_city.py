"""Data sources and bank that answer at once and open nothing: the outside world of both sides, so that neither waits.

    ONETHING_HTTP_PORT=8001 python -m benchmarks.harness.instant_city
"""

from __future__ import annotations

import os
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.benefits import Source
from contracts.events.means_check import AnswerKind
from contracts.http.bank import OrderStatus
from deploy.local.world import LOCALHOST

REGISTERED = {"alive": True}


def answers(source: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Everybody is registered and alive, and nobody has anything."""
    registry = source == Source.CIVIL_REGISTRY
    kind, data = (AnswerKind.DATA, REGISTERED) if registry else (AnswerKind.NO_RECORD, {})
    return {"request_id": asked["request_id"], "answers": [
        {"query_id": query["query_id"], "kind": kind, "as_of": asked["legal_time"], "data": data}
        for query in asked["queries"]
    ]}


def results(batch: dict[str, Any]) -> dict[str, Any]:
    """Every order is accepted."""
    return {"results": [{"payment_id": order["payment_id"], "status": OrderStatus.ACCEPTED}
                        for order in batch["orders"]]}


async def post_queries(request: Request) -> Response:
    """A source's answers."""
    return _json(answers(request.path_params["source"], orjson.loads(await request.body())))


async def post_payment_batch(request: Request) -> Response:
    """The bank's word."""
    return _json(results(orjson.loads(await request.body())))


async def ready(_request: Request) -> Response:
    """It answers."""
    return _json({"ready": True})


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


app = Starlette(routes=[
    Route("/ready", ready), Route("/{source}/queries", post_queries, methods=["POST"]),
    Route("/payment-batches", post_payment_batch, methods=["POST"]),
])

if __name__ == "__main__":
    uvicorn.run(app, host=LOCALHOST, port=int(os.environ["ONETHING_HTTP_PORT"]), log_config=None, access_log=False,
                loop="uvloop")
