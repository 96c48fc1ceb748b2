"""How the installation does: every part that a shop depends on, really tried, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.frame import Framed, show
from api.console.languages import mark
from api.console.own_api import Api

router = APIRouter(include_in_schema=False)

_TONES: Final[Mapping[str, tuple[str, str, str]]] = {
    "fail": ("needs-you", "needs-you", mark("broken")),
    "warn": ("not-answering", "needs-you", mark("needs attention")),
    "pass": ("right", "right", mark("well")),
    "skip": ("no-product", "no-product", mark("not tried")),
}
"""Result → state, icon and word; the worst first."""

_HEADINGS: Final[Mapping[str, str]] = {
    "fail": mark("Something is broken"),
    "warn": mark("Something needs attention"),
    "pass": mark("All is well"),
}


@router.get("/health")
async def health_page(frame: Framed, api: Api) -> Response:
    """Try everything, and show what came of it."""
    found = await api.get("/api/v1/health")
    order = list(_TONES)
    parts: Sequence[Mapping[str, Any]] = sorted(
        found["findings"], key=lambda one: order.index(one["result"])
    )
    page = {
        "heading": _HEADINGS[found["result"]],
        "is_well": found["result"] == "pass",
        "parts": parts,
        "tones": _TONES,
        "version": found["version"],
        "looked_at": found["looked_at"],
    }
    return show("health", frame, page=page)
