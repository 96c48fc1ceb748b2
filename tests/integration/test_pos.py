"""The simulated till over a line that breaks: each of its prices is taken, and taken once."""

import threading
import time
from collections.abc import Iterator
from random import Random

import pytest

from api.client import Client, Refused, Retries
from simulator.pos import SOURCE, Article, Pos, Whim, tell
from tests.fault_proxy import FaultProxy
from tests.running_house import RunningHouse

pytest_plugins = ["tests.shop_over_http"]

ARTICLES = [
    Article(sku="1001", name="Kruh", regular_minor=129),
    Article(sku="1002", name="Mlijeko", regular_minor=99),
]
WHIMS = 30
QUICK = Retries(tries=1000, first_s=0.01, longest_s=0.05)


@pytest.fixture
def line(shop: RunningHouse) -> Iterator[FaultProxy]:
    """A line to the shop that can be broken."""
    with FaultProxy(shop.port).running() as proxy:
        yield proxy


def _taken(shop: RunningHouse) -> list[tuple[str, int]]:
    query = "SELECT sku, price_minor FROM price_event WHERE source = ? ORDER BY event_id"
    return [(sku, minor) for sku, minor in shop.read(query, SOURCE)]


def _minor(whim: Whim) -> int:
    return int(whim.price.replace(".", ""))


def test_every_price_of_the_till_is_taken_once_whatever_the_line_does(
    shop: RunningHouse, line: FaultProxy
) -> None:
    pos = Pos(ARTICLES, Random(7))
    whims = [pos.think() for _ in range(WHIMS)]
    over = threading.Event()

    def spoil() -> None:
        """Break the line and mend it, again and again: what was asked or answered is lost."""
        random = Random(11)
        while not over.is_set():
            line.slow_s = random.choice([0.0, 0.05, 0.2])
            line.refuses = random.random() < 0.3
            over.wait(0.05)
            line.cut()
            line.heal()
            over.wait(0.1)

    spoiling = threading.Thread(target=spoil)
    url = f"http://127.0.0.1:{line.port}"
    with Client(url, shop.operator, patience_s=0.5, retries=QUICK) as client:
        spoiling.start()
        try:
            for whim in whims:
                sku = whim.article.sku
                told = tell(client, "main", sku, whim.price, was=whim.was, badge=whim.badge)
                assert told["decision"] == "accepted"
        finally:
            over.set()
            spoiling.join()
    assert line.met["refused"] or line.met["slowed"], "the line was as good as any"
    assert _taken(shop) == [(one.article.sku, _minor(one)) for one in whims]
    for article in ARTICLES:
        last = next(one for one in reversed(whims) if one.article == article)
        shown = shop.done("GET", f"/api/v1/stores/main/products/{article.sku}")
        assert (shown["price"], shown["was"]) == (last.price, last.was)


def test_a_refusal_reaches_the_till_at_once(shop: RunningHouse) -> None:
    with Client(shop.url, shop.operator, retries=QUICK) as client:
        began_s = time.monotonic()
        with pytest.raises(Refused, match="422"):
            tell(client, "main", "1001", "1,29", was=None, badge=None)
        assert time.monotonic() - began_s < 5


def test_whims_are_the_same_for_the_same_dice_and_never_free_of_charge() -> None:
    cheap = [Article(sku="1", name="Vrećica", regular_minor=1)]
    first = [Pos(ARTICLES, Random(3)).think() for _ in range(3)]
    assert first == [Pos(ARTICLES, Random(3)).think() for _ in range(3)]
    many = [Pos(cheap, Random(seed)).think() for seed in range(200)]
    assert min(_minor(one) for one in many) == 9
    assert {one.badge for one in many} == {None, "AKCIJA"}
