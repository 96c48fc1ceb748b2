"""Till and labels on both databases: what waits, what is missing, and what a person attests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import LabelId, Sku
from esl.domain.place import Pairing
from esl.domain.problem import ProblemKind
from esl.domain.till import Charge
from esl.domain.till_channel import PriceOwner, TillChannel, TillSetting
from esl.services import pairing, till_channels, tilling
from esl.services.pricing import apply_price_changes
from esl.services.till_problems import find_till_problems
from esl.services.tilling import Heard
from esl.store import deliveries, till_labels, till_settings, tills
from esl.store.database import Database
from esl.store.due_labels import load_due
from esl.store.tables import labels
from esl.store.tills import TillPrice, Waits
from tests.builders import NOON, STORE, a_change, build_shelf, label_id

SKU = Sku("sku-0")
SAFE = TillSetting(store_id=STORE, channel=TillChannel.PULL, is_safe=True)


class Shop:
    """Two products, and three labels, of which the first two speak for the first product."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOON
        self.write(lambda tx: build_shelf(tx, labels_count=3))
        pairs = [Pairing(label_id=label_id(1), sku=SKU)]
        self.write(lambda tx: pairing.pair_labels(tx, STORE, pairs, NOON, single=False))
        self.paint(0, 1, 2)
        self.set_till(SAFE)

    def write(self, work: Callable[[Connection], Any]) -> Any:
        with self.database.writing.begin() as tx:
            return work(tx)

    def set_till(self, setting: TillSetting) -> None:
        self.write(lambda tx: till_channels.put_till(tx, setting, self.now, actor="anna"))

    def price(self, minor: int, sku: str = SKU) -> None:
        changes = [a_change(sku, minor)]
        self.write(lambda tx: apply_price_changes(tx, STORE, changes, self.now, actor="till"))

    def paint(self, *numbers: int) -> None:
        """Let labels show what they want."""
        shown = (
            update(labels)
            .where(labels.c.label_id.in_([label_id(n) for n in numbers]))
            .values(shown_rev=labels.c.wanted_rev, settled_rev=labels.c.wanted_rev, due_at=None)
        )
        self.write(lambda tx: tx.execute(shown))

    def confirm(self) -> None:
        self.write(till_labels.end_former_pairings)
        self.write(lambda tx: tilling.confirm_labels(tx, STORE, self.now))

    def acknowledge(self, rev: int) -> Heard:
        words = [(SKU, rev)]
        done = self.write(lambda tx: tilling.acknowledge_prices(tx, STORE, words, self.now))
        return done.heard[0]

    def attest(self, number: int) -> None:
        gone = [label_id(number)]
        self.write(
            lambda tx: till_channels.attest_absent(
                tx, STORE, gone, self.now, actor="anna", reason="broken"
            )
        )

    @property
    def till(self) -> TillPrice:
        with self.database.read() as tx:
            return tills.prices_of(tx, STORE, [SKU])[SKU]

    @property
    def missing(self) -> list[LabelId]:
        with self.database.read() as tx:
            return till_labels.missing_labels(tx, STORE, [SKU]).get(SKU, [])

    @property
    def told(self) -> int | None:
        """What the first label would be told now."""
        with self.database.read() as tx:
            [due] = load_due(tx, [label_id(0)])
        assert due.face is not None
        return due.face.price_minor

    def problems(self) -> dict[ProblemKind, str]:
        with self.database.read() as tx:
            return {kind: why for kind, _, why in find_till_problems(tx, STORE, self.now)}


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def _price(minor: int) -> Charge:
    return Charge(price_minor=minor)


def test_an_increase_waits_for_the_last_label(shop: Shop) -> None:
    shop.price(199)
    assert (shop.till.waits, shop.till.standing.grant, shop.told) == (
        Waits.LABELS,
        _price(129),
        199,
    )
    shop.paint(0)
    shop.confirm()
    assert shop.missing == [label_id(1)]
    assert shop.till.standing.grant == _price(129)
    shop.paint(1)
    shop.confirm()
    assert (shop.till.waits, shop.till.standing.grant) == (Waits.NOBODY, _price(199))


def test_a_decrease_waits_for_the_till_and_its_word_is_taken_once(shop: Shop) -> None:
    shop.price(99)
    rev = shop.till.standing.grant_rev
    assert (shop.till.waits, shop.till.standing.grant, shop.told) == (Waits.TILL, _price(99), 129)
    assert shop.acknowledge(rev - 1) is Heard.SUPERSEDED
    assert shop.told == 129
    assert shop.acknowledge(rev) is Heard.ACKNOWLEDGED
    assert shop.told == 99
    before = shop.till
    assert shop.acknowledge(rev) is Heard.ACKNOWLEDGED
    assert shop.till == before
    assert shop.write(
        lambda tx: tilling.acknowledge_prices(tx, STORE, [(Sku("no"), 1)], NOON)
    ).heard == (Heard.UNKNOWN,)


def test_labels_of_a_held_price_want_nothing_and_no_verdict_calls_them_right(shop: Shop) -> None:
    with shop.database.read() as tx:
        before = deliveries.count_due(tx, NOON)
    shop.price(99)
    with shop.database.read() as tx:
        assert deliveries.count_due(tx, NOON) == before


@pytest.mark.parametrize("way", ["attest", "unpair and paint", "unpair and attest"])
def test_a_label_that_went_holds_an_increase_up_until_it_is_surely_gone(
    shop: Shop, way: str
) -> None:
    if way.startswith("unpair"):
        shop.write(lambda tx: pairing.unpair_labels(tx, STORE, [label_id(1)], NOON))
    shop.price(199)
    shop.paint(0)
    shop.confirm()
    assert shop.missing == [label_id(1)]
    if way.endswith("paint"):
        shop.paint(1)
    else:
        shop.attest(1)
    shop.confirm()
    assert shop.missing == []
    assert shop.till.standing.grant == _price(199)


def test_a_label_that_is_paired_again_counts_again(shop: Shop) -> None:
    shop.attest(1)
    pairs = [Pairing(label_id=label_id(1), sku=SKU)]
    shop.write(lambda tx: pairing.pair_labels(tx, STORE, pairs, NOON, single=False))
    shop.price(199)
    shop.paint(0)
    shop.confirm()
    assert shop.missing == [label_id(1)]


def test_what_waits_too_long_is_a_problem(shop: Shop) -> None:
    shop.price(99)
    assert shop.problems() == {}
    shop.now += timedelta(minutes=6)
    assert "sku-0" in shop.problems()[ProblemKind.TILL_SILENT]
    shop.acknowledge(shop.till.standing.grant_rev)
    shop.price(300)
    shop.paint(0)
    shop.now += timedelta(minutes=20)
    assert label_id(1) in shop.problems()[ProblemKind.INCREASE_WAITS]


def test_the_feed_goes_on_where_it_stopped(shop: Shop) -> None:
    def page(since: int, limit: int = 100) -> list[TillPrice]:
        with shop.database.read() as tx:
            return tills.page_of(tx, STORE, since=since, limit=limit)

    everything = page(0)
    assert [one.sku for one in everything] == ["sku-0", "sku-1", "sku-2"]
    last = everything[-1].rev
    assert page(last) == []
    shop.price(99, "sku-2")
    [news] = page(last)
    assert (news.sku, news.standing.grant) == ("sku-2", _price(99))


def test_leaving_the_safe_order_lets_labels_and_till_have_what_holds(shop: Shop) -> None:
    shop.price(99)
    assert shop.told == 129
    shop.set_till(TillSetting(store_id=STORE, channel=TillChannel.PULL))
    assert shop.told == 99
    shop.set_till(SAFE)
    shop.acknowledge(shop.till.standing.grant_rev)
    shop.price(80)
    assert shop.told == 99
    shop.set_till(TillSetting(store_id=STORE, channel=TillChannel.OWN))
    assert shop.told == 80


def test_a_promotion_is_refused_where_no_till_would_hear_of_it(shop: Shop) -> None:
    def ask(tx: Connection) -> None:
        till_channels.require_till_channel(tx, [STORE], promotion_id="weekend")

    shop.write(ask)
    shop.set_till(TillSetting(store_id=STORE))
    with pytest.raises(Conflict, match="go on charging the old ones"):
        shop.write(ask)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"channel": TillChannel.WEBHOOK}, "/url"),
        ({"channel": TillChannel.WEBHOOK, "url": "https://till.example"}, "/secret"),
        ({"channel": TillChannel.OWN, "is_safe": True}, "/increase_safe"),
        ({"price_owner": PriceOwner.ESL}, "/price_owner"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(
    shop: Shop, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        shop.set_till(TillSetting(store_id=STORE, **changes))
    assert [problem.path for problem in told.value.problems] == [path]
    with shop.database.read() as tx:
        assert till_settings.setting_of(tx, STORE) == SAFE
