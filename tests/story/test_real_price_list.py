"""A real supermarket's price list, through the API to simulated glass."""

import asyncio
import csv
from decimal import Decimal

from api.demo.shop import Demo
from esl.domain.gtin import is_gtin
from tests.shelf import controller_on, places_for, until_settled

LABELS = 300


def _goods(path) -> list[dict[str, str]]:
    goods: dict[str, dict[str, str]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            price = row["MALOPRODAJNA CIJENA"]
            name = " ".join(row["NAZIV PROIZVODA"].split())
            if not price or not name:
                continue
            item = {"sku": row["ŠIFRA PROIZVODA"].strip(), "name": name, "price": price}
            if row["MARKA PROIZVODA"].strip():
                item["brand"] = row["MARKA PROIZVODA"].strip()
            if is_gtin(row["BARKOD"].strip()):
                item["gtin"] = row["BARKOD"].strip()
            if Decimal(row["CIJENA ZA JEDINICU MJERE"] or 0) > 0:  # two rows say 0
                item["unit_price"] = row["CIJENA ZA JEDINICU MJERE"]
            goods[item["sku"]] = item
    return list(goods.values())


async def test_each_of_300_products_of_a_real_list_shows_its_own_price(tmp_path, price_list):
    goods = _goods(price_list("konzum-vrsar-2026-01.csv"))
    assert len(goods) > 2000
    step = len(goods) // LABELS
    skus = [item["sku"] for item in goods[: step * LABELS : step]]
    assert len(set(skus)) == LABELS
    places = places_for(skus, "bwry-296x128", ["aisle-1", "aisle-2"])
    async with controller_on(tmp_path / "data") as (_, client):
        demo = await asyncio.to_thread(
            lambda: Demo(client, places, paint_s=0.0, seed=1, goods=goods)
        )
        async with demo.shop:
            await asyncio.to_thread(demo.pair)

            await until_settled(demo)

            assert await asyncio.to_thread(demo.mismatches) == []
            prices = {item["sku"]: item["price"] for item in goods}
            faces = await asyncio.to_thread(
                lambda: [client.get(f"/api/v1/labels/{p.label_id}")["face"] for p in places]
            )
            shown = [Decimal(face["price"]) for face in faces]
            assert shown == [Decimal(prices[sku]) for sku in skus]
            digests = {label.shown_digest for label in demo.shop.labels.values()}
            assert len(digests) == LABELS
