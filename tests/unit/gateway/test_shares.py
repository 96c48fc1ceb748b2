"""Which gateway gets how much of the next batch."""

import pytest

from esl.domain.ids import GatewayId
from esl.domain.label import Lane
from esl.services.deliveries import DueCount, Share
from gateway.shares import choose_shares


def due(gateway: str, lane: Lane, count: int) -> DueCount:
    return DueCount(gateway_id=GatewayId(gateway), lane=lane, count=count)


def shares(due: list[DueCount], room: dict[str, int], most: int) -> dict[str, int]:
    chosen = choose_shares(due, {GatewayId(g): n for g, n in room.items()}, most=most)
    assert all(isinstance(share, Share) for share in chosen)
    return {share.gateway_id: share.most for share in chosen}


def test_a_correction_goes_before_all_new_prices_wherever_it_hangs() -> None:
    waiting = [due("a", Lane.NORMAL, 100), due("b", Lane.CORRECTION, 3)]
    assert shares(waiting, {"a": 100, "b": 100}, 10) == {"b": 3, "a": 7}


def test_within_a_lane_the_order_is_that_of_the_room() -> None:
    waiting = [due("a", Lane.NORMAL, 8), due("b", Lane.NORMAL, 8)]
    assert shares(waiting, {"b": 9, "a": 9}, 10) == {"b": 8, "a": 2}


@pytest.mark.parametrize(
    ("room", "expected"), [({"a": 4}, {"a": 4}), ({"a": 0}, {}), ({}, {}), ({"b": 4}, {})]
)
def test_nobody_gets_more_than_there_is_room_for(
    room: dict[str, int], expected: dict[str, int]
) -> None:
    waiting = [due("a", Lane.CORRECTION, 3), due("a", Lane.NORMAL, 3)]
    assert shares(waiting, room, 10) == expected


def test_nothing_due_is_nothing_to_share() -> None:
    assert shares([], {"a": 4}, 10) == {}
