"""The short way to the door that tills and ERP systems knock at most: ``POST …/price-changes``.

The framework looks for the door among some two hundred, and wraps each answer in seven layers: a
third of a price change's CPU (measured), where the change itself is a tenth. So this one door is
opened here, by the same functions: what it asks, takes and answers is what its route says.
"""

import re
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from api.auth import asker_at_once
from api.errors import answer_error, answer_fault, what_was_not_done
from api.routes.products import post_price_changes
from esl.domain.errors import EslError

_DOOR: Final = re.compile(r"/api/v1/stores/([^/]+)/price-changes")


class ShortWay:
    """Wraps the application; whatever is not that door goes on to it."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        door = (
            _DOOR.fullmatch(scope["path"])
            if scope["type"] == "http" and scope["method"] == "POST"
            else None
        )
        if door is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        request = Request(scope, receive)
        try:
            house = self._app.state.house
            who = await asker_at_once(request, house)
            answer: Response = await post_price_changes(door[1], request, house, who)
        except EslError as exc:
            not_done = what_was_not_done(request.method, request.url.path)
            answer = answer_error(exc, not_done=not_done)
        except Exception as exc:  # noqa: BLE001  logged and answered as every fault of ours
            answer = answer_fault(request, exc)
        await answer(scope, receive, send)
