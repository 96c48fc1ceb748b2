"""Products and labels for benchmarks of the whole road: invented, by seed."""

from random import Random

from api.bench.naive import NaiveLabel
from api.bench.products import invent_products
from api.bench.rendering import make_naive_label


def make_names(skus: list[str], seed: int = 1) -> list[dict[str, str]]:
    """Make one product for each SKU, in the API's form, with a promotion price."""
    random = Random(seed)
    made: list[dict[str, str]] = []
    for sku, product in zip(skus, invent_products(len(skus), seed), strict=True):
        price = random.randint(29, 4999)
        made.append(
            {
                "sku": sku,
                "name": product.name,
                "gtin": product.gtin,
                "net_content": product.net_content,
                "price": f"{price // 100}.{price % 100:02d}",
                "was": f"{price // 100 + 61}.{price % 100:02d}",
                "badge": random.choice(["AKTION", "SUPERPREIS", "NUR DIESE WOCHE"]),
            }
        )
    return made


def naive_labels(count: int, seed: int = 1) -> list[NaiveLabel]:
    """The same kind of labels, for the straightforward road."""
    return [
        make_naive_label(product, number)
        for number, product in enumerate(invent_products(count, seed))
    ]
