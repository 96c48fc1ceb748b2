"""Signing in by a link and out again.

The link's secret travels in the URL's fragment-free query once, is used up or expires, and is
exchanged at once for a cookie that scripts cannot read and other sites cannot send.
"""

import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api import doors
from api.auth import SESSION_COOKIE, TheHouse
from esl.services import access

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def sign_in(link: str, request: Request, house: TheHouse) -> Response:
    """Use a sign-in link: set the session's cookie and go to the first page."""
    session = secrets.token_urlsafe(32)
    now = house.clock.now()
    ends = await doors.write(
        house, lambda tx: access.sign_in(tx, link_secret=link, session_secret=session, now=now)
    )
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        SESSION_COOKIE,
        session,
        max_age=int((ends - now).total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, house: TheHouse) -> Response:
    """End the session."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is not None:
        await doors.write(house, lambda tx: access.sign_out(tx, cookie))
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer
