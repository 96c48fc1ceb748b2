"""Promotions in tests: planned, stopped, and let turn with a controller and a staged gateway."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from esl.domain.ids import Sku
from esl.domain.label import SlotState
from esl.domain.promotion.life import Action, State
from esl.domain.till_channel import TillChannel, TillSetting
from esl.intake.promotion_json import parse_promotion
from esl.services.promotions import planning
from esl.store import offers, promotion_rows, till_settings
from esl.store.tables import staged
from gateway.staging import PLAN_EVERY_S
from tests.builders import STORE, Controller, SimulatedClock, label_id
from tests.unit.gateway.staged_gateway import StagedGateway

HOUR = timedelta(hours=1)
LABELS = 3


def local(moment: datetime) -> str:
    """As the store's own clock reads it."""
    return moment.astimezone(ZoneInfo("Europe/Zagreb")).replace(tzinfo=None).isoformat()


def a_promotion(shop: Controller, begins: timedelta | None, ends: timedelta, **fields: Any) -> None:
    now = shop.time.now()
    value: dict[str, Any] = {
        "id": "weekend",
        "name": "Weekend",
        "gives": {"percent": 25},
        "badge": "AKCIJA",
        "selection": {"skus": ["sku-0", "sku-1"]},
        "window": {"ends": local(now + ends)},
    }
    if begins is not None:
        value["window"]["begins"] = local(now + begins)
    promotion = parse_promotion(value | fields)

    def work(tx: Any) -> None:
        own = TillSetting(store_id=STORE, channel=TillChannel.OWN)
        till_settings.put_setting(tx, own, sealed=None)
        planning.create(tx, promotion, now, actor="t", gallery=())
        planning.schedule(tx, promotion.promotion_id, now, actor="t")

    shop.writer.write(work)


def stop(shop: Controller, action: Action, promotion_id: str = "weekend") -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: planning.stop(tx, promotion_id, action, now, actor="t"))


def state(shop: Controller, promotion_id: str = "weekend") -> State:
    with shop.database.read() as tx:
        return State(promotion_rows.promotion_named(tx, promotion_id).state)


def shown(shop: Controller) -> dict[str, int]:
    """The offers that hold, by SKU."""
    with shop.database.read() as tx:
        found = offers.offers_of(tx, STORE, [Sku(f"sku-{n}") for n in range(LABELS)])
        return {sku: one.says.price_minor for sku, one in found.items()}


def slots(shop: Controller) -> dict[str, SlotState]:
    with shop.database.read() as tx:
        found = tx.execute(select(staged.c.label_id, staged.c.state).order_by(staged.c.label_id))
        return {label: SlotState(held) for label, held in found}


def run(shop: Controller, gateway: StagedGateway) -> list[Any]:
    shop.clock.pass_s(PLAN_EVERY_S)
    shop.staging.begin_flips()
    return gateway.run(shop)


def sleep(shop: Controller, gateway: StagedGateway, clock: SimulatedClock, seconds: float) -> None:
    until = clock.seconds + seconds
    while clock.seconds < until:
        clock.pass_s(min(30.0, until - clock.seconds))
        shop.hear(gateway.heartbeat(level="staged"))


def shows_truth(shop: Controller, gateway: StagedGateway) -> bool:
    return all(
        gateway.showing[label_id(n)][1].hex() == shop.wanted_digest(n) for n in range(LABELS)
    )
