"""What somebody prefers: language and colours, kept in the browser alone."""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import require_own_page
from api.console import languages
from api.console.forms import read_form
from api.console.frame import THEME_COOKIE, THEMES

router = APIRouter(include_in_schema=False)

_KEPT_S: Final = 365 * 86_400


@router.post("/preferences")
async def prefer(request: Request) -> Response:
    """Keep what was chosen, and go back to where it was."""
    require_own_page(request)
    form = await read_form(request)
    back = form.get("back", "/")
    is_ours = back.startswith("/") and not back.startswith(("//", "/\\"))
    answer = RedirectResponse(back if is_ours else "/", HTTPStatus.SEE_OTHER)
    if form.get("language") in languages.NAMES:
        _keep(answer, languages.COOKIE, form["language"])
    if form.get("theme") in THEMES:
        _keep(answer, THEME_COOKIE, form["theme"])
    elif form.get("theme") == "auto":
        answer.delete_cookie(THEME_COOKIE, httponly=True, samesite="lax")
    return answer


def _keep(answer: Response, cookie: str, value: str) -> None:
    answer.set_cookie(cookie, value, max_age=_KEPT_S, httponly=True, samesite="lax")
