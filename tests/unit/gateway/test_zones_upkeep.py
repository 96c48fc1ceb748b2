"""What zones say is told as fast as it is said, however small the changes are."""

from functools import partial

from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import PriceChange
from esl.domain.zone import CHAIN
from esl.services.zones import saying
from esl.store import zone_tasks
from tests.builders import Controller

MILK = Sku("sku-0")
CHANGES = 40


def test_many_small_changes_are_told_in_one_step(shop: Controller) -> None:
    def say(tx: Connection, minor: int) -> None:
        word = PriceChange(
            store_id=StoreId(""),
            sku=MILK,
            price_minor=minor,
            currency="EUR",
            source=SourceId("erp"),
        )
        saying.say_prices(tx, CHAIN, [word], shop.time.now(), actor="t")

    for minor in range(CHANGES):
        shop.writer.write(partial(say, minor=129 + minor))
    shop.clock.pass_s(1.0)
    shop.upkeep.step()
    with shop.database.read() as tx:
        assert zone_tasks.stores_waiting(tx, most=10) == []
