"""What a worker answers on its own port: that it lives, whether it can work, and its numbers.

The port is of loopback alone and asks for no token, as the numbers name no price and no person.
What the database says of all stores is not told here: a controller does, once for all.
"""

import asyncio
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.metrics.scrape import CONTENT_TYPE, ProcessScrape, is_of_this_machine
from api.process import Process
from api.readiness import Readiness, readiness_view


def worker_app(process: Process) -> Starlette:
    """Build the application over a worker."""
    readiness, scrape = Readiness(process), ProcessScrape(process)

    async def healthz(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> JSONResponse:
        checks = await asyncio.to_thread(readiness.checks)
        ready = all(check.ok for check in checks)
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(readiness_view(checks), status, headers={"Cache-Control": "no-store"})

    async def metrics(request: Request) -> Response:
        if not is_of_this_machine(request):
            return JSONResponse({"detail": "ask from this machine"}, HTTPStatus.FORBIDDEN)
        text = await asyncio.to_thread(scrape.text)
        return Response(text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
    return Starlette(routes=routes)
