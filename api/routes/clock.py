"""The controller's clock: how it stands, and believing the machine's when it is held."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter, Request
from sqlalchemy import Connection

from api import doors, openapi
from api.auth import Asker, TheHouse
from esl.domain.access import Scope
from esl.domain.clock import EffectiveClock
from esl.domain.errors import Conflict
from esl.intake.fields import Fields
from esl.store.migrate import note_time_acted

router = APIRouter(prefix="/api/v1/clock", tags=["clock"])

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    now: datetime
    wall: datetime
    held: bool

    @classmethod
    def of(cls, clock: EffectiveClock) -> "_Standing":
        now = clock.now()
        return cls(now=now, wall=clock.wall(), held=clock.held)

    def view(self) -> dict[str, Any]:
        """Return it as JSON; ``ahead_s`` is how far the machine's clock is ahead."""
        return {
            "now": self.now,
            "machine": self.wall,
            "ahead_s": round((self.wall - self.now).total_seconds(), 3),
            "held": self.held,
        }


@router.get("")
async def get_clock(house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say what time the controller acts by, and what the machine's clock says.

    ``held``: the machine's clock is more than a day ahead, and is not followed.
    """
    who.require(Scope.STORE_ADMIN)
    return _Standing.of(house.clock).view()


@router.post("/confirm", openapi_extra=openapi.NOTHING)
async def confirm_clock(request: Request, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Believe the machine's clock, however far it is ahead: a person looked at it.

    Everything that waited for a moment in between becomes due. Workers follow within seconds.
    """
    who.require(Scope.STORE_ADMIN)
    if await request.body():
        Fields((await doors.read_json(request))[0]).finish()
    if not _Standing.of(house.clock).held:
        raise Conflict("the machine's clock is followed as it is; there is nothing to confirm")
    house.clock.confirm()
    standing = _Standing.of(house.clock)

    def work(tx: Connection) -> None:
        note_time_acted(tx, standing.now)

    await doors.write(house, work)
    log.warning("the machine's clock was confirmed", by=who.name, now=standing.now.isoformat())
    return standing.view()
