"""The shop of the pipeline's benchmark: prices that always change, and counted CPU."""

import os
import subprocess
import sys

from api.bench.price_changes import ShopPrices
from api.bench.processes import cpu_s, peak_rss_mb
from api.bench.products import BenchProduct, invent_products
from api.stage_clock import StageClock
from esl.domain.stages import Stage
from esl.intake.product_json import parse_net_content

NO_CONTENT = "a process that nobody has started"


def test_every_product_gets_another_price_each_time() -> None:
    shop = ShopPrices(invent_products(500))
    prices = {product["sku"]: product["price"] for product in shop.products()}
    for _ in range(20):
        for change in shop.change_all():
            assert change["price"] != prices[change["sku"]]
            assert float(change["price"]) > 0
            prices[change["sku"]] = change["price"]


def test_a_content_is_one_the_controller_takes() -> None:
    written = ["0,500 KG", "1 L", "0,000 KOM", "6x33 pcs", "750 ml", ""]
    products = [BenchProduct(name="x", gtin="3850139171587", net_content=w) for w in written]
    contents = [product["net_content"] for product in ShopPrices(products).products()]
    assert contents[:2] == ["0.5 kg", "1 l"]
    for content in contents:
        parse_net_content(content, "")


def test_a_childs_cpu_counts_and_that_of_the_one_named_does_not() -> None:
    code = (
        "x = 0\nfor i in range(3_000_000): x += i\nprint(flush=True)\nimport sys; sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, NO_CONTENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        with_child = cpu_s(os.getpid(), without="nothing of this name")
        assert with_child > cpu_s(os.getpid(), without=NO_CONTENT)
        assert peak_rss_mb(child.pid) > 1
    finally:
        child.communicate()


def test_stages_add_up() -> None:
    clock = StageClock()
    clock.add(Stage.LOAD, 2_000_000, 10)
    clock.add(Stage.LOAD, 1_000_000, 5)
    totals = clock.totals()
    assert totals["load"] == {"cpu_s": 0.003, "labels": 15}
    assert totals["render"] == {"cpu_s": 0.0, "labels": 0}
    before = clock.cpu_ns()
    sum(range(100_000))
    assert clock.cpu_ns() > before
