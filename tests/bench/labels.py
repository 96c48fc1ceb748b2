"""Products and labels for benchmarks: invented names of real lengths, by seed."""

from random import Random

from esl.domain.gtin import check_digit
from tests.bench.naive import NaiveLabel

_WORDS = """
Bio Frische Alpen Heumilch Rahm Käse Süßrahm Butter Vollkorn Dinkel Toast Hafer Müsli Schoko
Nuss Apfel Birne Saft naturtrüb Mineral Wasser Medium Classic Tomaten Rispen Gurken Paprika
rot Kartoffeln festkochend Hähnchen Brust Filet Lachs geräuchert Spaghetti Basmati Espresso
Bohnen gemahlen Kamille Honig Blüten Zahnpasta sensitive Zitrone Öl nativ extra
""".split()
_SIZES = ["500 g", "1 kg", "250 ml", "1 l", "200 g", "750 ml", "125 g"]


def make_names(skus: list[str], seed: int = 1) -> list[dict[str, str]]:
    """Make one product for each SKU, in the API's form, with a promotion price."""
    random = Random(seed)
    made: list[dict[str, str]] = []
    for number, sku in enumerate(skus):
        body = f"952{number * 7919 % 10**9:09d}"
        price = random.randint(29, 4999)
        made.append(
            {
                "sku": sku,
                "name": " ".join(random.choice(_WORDS) for _ in range(random.randint(3, 6))),
                "gtin": f"{body}{check_digit(body)}",
                "net_content": random.choice(_SIZES),
                "price": f"{price // 100}.{price % 100:02d}",
                "was": f"{price // 100 + 61}.{price % 100:02d}",
                "badge": random.choice(["AKTION", "SUPERPREIS", "NUR DIESE WOCHE"]),
            }
        )
    return made


def naive_labels(count: int, seed: int = 1) -> list[NaiveLabel]:
    """The same kind of labels, for the straightforward road."""
    random = Random(seed)
    labels: list[NaiveLabel] = []
    for number, item in enumerate(make_names([f"{n:06d}" for n in range(count)], seed)):
        price = random.randint(29, 4999)
        labels.append(
            NaiveLabel(
                label_id=f"l{number}",
                sku=item["sku"],
                name=item["name"],
                price_minor=price,
                was_minor=price + 100,
                unit_price=f"1 kg = {price * 2 / 100:.2f} €",
                badge=item["badge"],
                gtin=item["gtin"],
                link=f"https://id.gs1.org/01/0{item['gtin']}",
            )
        )
    return labels
