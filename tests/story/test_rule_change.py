"""A shop gives its fruit another look: a template, a rule, and the shelf follows."""

import asyncio
from pathlib import Path

from api.demo.shop import Demo
from tests.shelf import controller_on, places_for, until, until_settled

STORE = "/api/v1/stores/demo"

OWN = """\
name: our-fruit
title: Fruit with its origin
sample: {name: Banane, price: "1.49", currency: EUR, origin: Ekvador}
worst_case: {name: Banane mini u mreži, price: "129.99", currency: EUR, origin: Ekvador}
variants:
  - elements:
      - {type: text, value: "{name}", box: [4, 2, "95%", "30%"], min_size: 12, fit: ellipsis}
      - {type: text, value: "{origin}", box: [4, "30%", "95%", "15%"], min_size: 12, fit: shrink}
      - {type: price, box: [4, "46%", "95%", "52%"]}
"""


async def test_a_rule_change_repaints_exactly_the_labels_concerned(tmp_path: Path) -> None:
    goods = [
        {"sku": str(n), "name": f"Artikl {n}", "price": f"{n + 1}.29"}
        | ({"category": "Voće", "origin": "Ekvador"} if n % 3 == 0 else {"category": "Pića"})
        for n in range(9)
    ]
    fruit = {f"l-{n:05d}" for n in range(0, 9, 3)}
    async with controller_on(tmp_path / "data") as (_, client):
        places = places_for([g["sku"] for g in goods], "bwry-296x128", ["aisle-1", "aisle-2"])
        demo = await asyncio.to_thread(
            lambda: Demo(client, places, paint_s=0.02, seed=1, goods=goods)
        )
        async with demo.shop:
            await asyncio.to_thread(demo.pair)
            await until_settled(demo)
            before = {name: label.shown_rev for name, label in demo.shop.labels.items()}
            client.put(f"{STORE}/templates/our-fruit", {"text": OWN})
            rules = {"rules": [{"match": {"category": "Voće"}, "template": "our-fruit"}]}
            tried = client.post(f"{STORE}/template-rules/preview", rules)
            assert tried["changed"]["labels"] == len(fruit)
            client.put(f"{STORE}/template-rules", rules, seen="*")

            def repainted() -> set[str]:
                return {n for n, glass in demo.shop.labels.items() if glass.shown_rev > before[n]}

            await until(lambda: repainted() == fruit, 30, "the fruit's new picture")
            await until_settled(demo)
            assert repainted() == fruit
            assert await asyncio.to_thread(demo.mismatches) == []
            told = client.get(f"/api/v1/labels/{min(fruit)}")
            assert told["template"] == "our-fruit@1"
