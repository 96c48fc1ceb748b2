"""Is it alive, and where does its time go?"""

import time
from typing import Any

from fastapi import APIRouter

from api.auth import Asker, TheHouse
from esl.domain.access import Scope

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that this process answers; needs no token, and tells nothing else."""
    return {"status": "ok"}


@router.get("/api/v1/stages")
async def get_stages(house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return the CPU time of this process since its start, in all and by stage of a label's way."""
    who.require(Scope.STORE_ADMIN)
    return {"cpu_s": time.process_time(), "stages": house.stages.totals()}
