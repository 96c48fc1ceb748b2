"""The API's own description, for machines. Not secret, but nothing is told to strangers."""

from typing import Any

from fastapi import APIRouter, Request

from api.auth import Asker
from api.openapi import describe

router = APIRouter(prefix="/api/v1", tags=["description"])


@router.get("/openapi.json")
async def get_description(request: Request, _who: Asker) -> dict[str, Any]:
    """Return the OpenAPI document of this API."""
    return describe(request.app)
