"""A timed show that the books no longer know of may still come, and is outranked when it must not.

A beacon that comes late says that a slot is empty; so its picture is put again, while the show
that was armed with it before is still pending.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from esl.services import flips
from gateway.wire.messages import Put
from tests.builders import (
    STORE,
    Controller,
    SimulatedClock,
    a_change,
    label_id,
)
from tests.panels import PANELS
from tests.unit.gateway.staged_gateway import StagedGateway, on_the_line

AHEAD_S = 600


@pytest.fixture
def shop(open_shop: Callable[..., Controller]) -> Controller:
    return open_shop()


@pytest.fixture
def gateway(shop: Controller, clock: SimulatedClock) -> StagedGateway:
    """It keeps a timed show; a beacon of before came late; and the put that follows is lost."""
    found = on_the_line(shop, clock)
    now = shop.time.now()
    show_at = now + timedelta(seconds=AHEAD_S)
    said = '[{"sku": "sku-0", "price": "1.99"}]'
    changes = [a_change("sku-0", 199)]
    shop.writer.write(
        lambda tx: flips.plan_flip(tx, STORE, show_at, changes, said, now, actor="t", panels=PANELS)
    )
    found.run(shop)
    assert found.armed
    held, found.slots = found.slots, {}
    shop.hear(found.beacon_with_slots(label_id(0)))
    found.slots = held
    lost = found.commands(shop.staging.step().outgoing)
    assert [command.show for command in lost if isinstance(command, Put)] == [False]
    return found


def test_a_cancelled_flip_is_not_shown_by_a_show_that_was_armed_before(
    shop: Controller, gateway: StagedGateway, clock: SimulatedClock
) -> None:
    _, digest = gateway.showing[label_id(0)]
    shop.writer.write(lambda tx: flips.cancel_flip(tx, STORE, 1, shop.time.now()))
    gateway.run(shop)
    clock.pass_s(AHEAD_S + 1)
    shop.hear(gateway.heartbeat(level="staged"))
    assert gateway.show_what_is_due(shop) == []
    gateway.run(shop)
    assert gateway.showing[label_id(0)][1] == digest
