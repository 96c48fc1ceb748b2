"""Who gets how much of the next batch, over all gateways.

due, by gateway and lane ─┐
room, by gateway         ─┴▶ the most urgent lane first, wherever it hangs; within a lane the
                             gateways in the order of ``room``, which begins elsewhere each time
"""

from collections.abc import Iterable, Mapping

from esl.domain.ids import GatewayId
from esl.domain.label import Lane
from esl.services.deliveries import DueCount, Share


def choose_shares(
    due: Iterable[DueCount], room: Mapping[GatewayId, int], *, most: int
) -> list[Share]:
    """Divide up to ``most`` labels; a gateway without room gets none."""
    lanes: dict[Lane, dict[GatewayId, int]] = {}
    for counted in due:
        lanes.setdefault(counted.lane, {})[counted.gateway_id] = counted.count
    taken: dict[GatewayId, int] = {}
    left = most
    for lane in sorted(lanes):
        waiting = lanes[lane]
        for gateway_id, free in room.items():
            share = min(waiting.get(gateway_id, 0), free - taken.get(gateway_id, 0), left)
            if share > 0:
                taken[gateway_id] = taken.get(gateway_id, 0) + share
                left -= share
    return [Share(gateway_id=gateway_id, most=share) for gateway_id, share in taken.items()]
