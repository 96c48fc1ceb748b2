"""The API's own description, for machines and for whoever writes one: open, as the code is.

It tells what endpoints there are, and nothing of this installation.
"""

from typing import Any

from fastapi import APIRouter, Request

from api.openapi import describe

router = APIRouter(prefix="/api/v1", tags=["description"])


@router.get("/openapi.json")
async def get_description(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document of this API."""
    return describe(request.app)
