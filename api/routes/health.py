"""Is it alive, is it fit for work, and where does its time go?"""

import asyncio
import time
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api.auth import Asker, TheHouse, asker_at_once
from api.doctor.finding import Finding
from api.doctor.whole import look_at_all, worst_of
from api.metrics.scrape import CONTENT_TYPE, Scrape, is_of_this_machine
from api.readiness import Readiness, readiness_view
from esl.domain.access import Scope
from esl.settings import Settings

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that this process answers; needs no token, and tells nothing else."""
    return {"status": "ok"}


@router.get("/readyz", include_in_schema=False)
async def readyz(request: Request) -> JSONResponse:
    """Say whether this process can do its work, each part by name; 503 if one cannot.

    Needs no token: balancers and service managers ask. The words name no address and no login.
    """
    readiness: Readiness = request.app.state.readiness
    checks = await asyncio.to_thread(readiness.checks)
    ready = all(check.ok for check in checks)
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(readiness_view(checks), status)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, house: TheHouse) -> Response:
    """Return the metrics for Prometheus: to this machine, and to tokens that read all labels."""
    if not is_of_this_machine(request) or "authorization" in request.headers:
        who = await asker_at_once(request, house)
        who.require(Scope.LABEL_READ)
    scrape: Scrape = request.app.state.scrape
    return Response(await asyncio.to_thread(scrape.text), headers={"Content-Type": CONTENT_TYPE})


@router.get("/api/v1/stages")
async def get_stages(house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return the CPU time of this process since its start, in all and by stage of a label's way."""
    who.require(Scope.STORE_ADMIN)
    return {"cpu_s": time.process_time(), "stages": house.stages.totals()}


@router.get("/api/v1/health")
async def get_health(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Try all that the shop depends on, as ``esl doctor`` does, and say what to do about each part.

    Takes up to some seconds. Who asks while somebody else is being answered gets the same answer.
    """
    who.require(Scope.STORE_ADMIN)
    state = request.app.state
    if state.health is None or state.health.done():
        state.health = asyncio.create_task(asyncio.to_thread(_looked_at, house.settings))
    found: list[Finding] = await asyncio.shield(state.health)
    return {
        "result": worst_of(found),
        "version": version("esl-controller"),
        "looked_at": house.clock.wall(),
        "findings": [
            {"name": one.name, "result": one.result, "words": one.words, "fix": one.fix or None}
            for one in found
        ],
    }


def _looked_at(settings: Settings) -> list[Finding]:
    return asyncio.run(look_at_all(settings))
