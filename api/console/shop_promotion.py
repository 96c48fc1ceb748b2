"""A promotion at the press of a button, for a simulated shop: on the glass now, over in minutes.

It is an ordinary one of the shop's own API, planned and begun as any other, so that one sees what
happens: pictures travel, labels flip, and after a few minutes the old price is back by itself.
Whoever presses the button is taken to tell the shop's tills, which are nobody's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from api.console.own_api import ApiProblem, OwnApi, part

MINUTES: Final = 3
PERCENT: Final = 10


def promotion_body(store_id: str, now: datetime, name: str) -> Mapping[str, Any]:
    """Write a promotion of a tenth off everything; ``now`` is the store's time."""
    begins = now.replace(second=0, microsecond=0, tzinfo=None)
    return {
        "id": f"demo-{now:%Y%m%d-%H%M%S}",
        "name": name,
        "gives": {"percent": PERCENT},
        "selection": {"everything": True},
        "where": {"stores": [store_id]},
        "window": {
            "begins": f"{begins:%Y-%m-%dT%H:%M}",
            "ends": f"{ends_at(now):%Y-%m-%dT%H:%M}",
        },
    }


def ends_at(now: datetime) -> datetime:
    """Return the full minute at which a promotion that begins now is over."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=MINUTES + 1)


async def begin_promotion(api: OwnApi, store_id: str, now: datetime, name: str) -> datetime:
    """Plan a promotion and let it begin; return when it ends, in the store's time.

    Raises:
        ApiProblem: The asker may not, or the shop has no products; then none is left behind.
    """
    till = f"/api/v1/stores/{part(store_id)}/till"
    if (await api.get(till))["channel"] == "none":  # no till of a simulated shop charges anybody
        await api.send("PUT", till, {"channel": "own"})
    body = promotion_body(store_id, now, name)
    await api.send("POST", "/api/v1/promotions", body)
    try:
        await api.send("POST", f"/api/v1/promotions/{body['id']}/schedule", {})
    except ApiProblem:
        await api.send("POST", f"/api/v1/promotions/{body['id']}/cancel", {})
        raise
    return ends_at(now)
