"""Products to draw in benchmarks: those of real price lists, or invented ones of real lengths.

Several countries make retailers publish their price lists (in Croatia a CSV a shop and day, with
the columns NAZIV PROIZVODA and BARKOD). Such lists are not part of this project: they are read
where somebody has put them, in a folder named on the command line or beside the project.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from esl.domain.errors import InvalidInput
from esl.domain.gtin import check_digit, is_gtin

LISTS_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricelists"
"""Where price lists lie beside a checkout of the project."""

_GTIN_DIGITS = 13
_SIZE_IF_NONE = "500 g"
_NAME_COLUMN, _GTIN_COLUMN, _SIZE_COLUMN = "naziv", "barkod", "neto"

_WORDS = """
Bio Frische Alpen Heumilch Rahm Käse Süßrahm Butter Vollkorn Dinkel Toast Hafer Müsli Schoko
Nuss Apfel Birne Saft naturtrüb Mineral Wasser Medium Classic Tomaten Rispen Gurken Paprika
rot Kartoffeln festkochend Hähnchen Brust Filet Lachs geräuchert Spaghetti Basmati Espresso
Bohnen gemahlen Kamille Honig Blüten Zahnpasta sensitive Zitrone Öl nativ extra
""".split()
_SIZES = ("500 g", "1 kg", "250 ml", "1 l", "200 g", "750 ml", "125 g")


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchProduct:
    """What of a product decides how much there is to draw."""

    name: str
    gtin: str
    net_content: str


def find_products(count: int, lists: Path | None) -> tuple[list[BenchProduct], bool]:
    """Find distinct products, and say whether they are real ones.

    They are taken from the CSV price lists in a folder; without one from those beside the
    project, and without these they are invented.

    Raises:
        InvalidInput: The folder named has fewer products than asked for.
    """
    folder = LISTS_BESIDE if lists is None else lists
    real = list(islice(read_price_lists(folder), count))
    if len(real) == count:
        return real, True
    if lists is not None:
        raise InvalidInput.at(
            "--price-lists",
            f"its CSV files name {len(real)} products with a GTIN, and {count} are needed",
            fix="Name a folder with more or longer price lists, or ask for fewer --labels.",
        )
    return invent_products(count), False


def read_price_lists(folder: Path) -> Iterator[BenchProduct]:
    """Read every product with a valid 13-digit GTIN once, list by list in order of file names."""
    seen: set[str] = set()
    for path in sorted(folder.glob("*.csv")):
        for product in _read_list(path):
            if product.gtin not in seen:
                seen.add(product.gtin)
                yield product


def _read_list(path: Path) -> Iterator[BenchProduct]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1250", "replace")
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    rows = csv.reader(lines, delimiter=delimiter)
    head = next(rows, [])
    name, gtin, size = (_find_column(head, c) for c in (_NAME_COLUMN, _GTIN_COLUMN, _SIZE_COLUMN))
    if name is None or gtin is None:
        return
    for row in rows:
        if len(row) <= max(name, gtin):
            continue
        code, called = row[gtin].strip(), " ".join(row[name].split())
        if called and len(code) == _GTIN_DIGITS and is_gtin(code):
            content = row[size].strip() if size is not None and len(row) > size else ""
            yield BenchProduct(name=called, gtin=code, net_content=content or _SIZE_IF_NONE)


def _find_column(head: Iterable[str], word: str) -> int | None:
    return next((i for i, title in enumerate(head) if word in title.lower()), None)


def invent_products(count: int, seed: int = 1) -> list[BenchProduct]:
    """Invent products by seed: three to six words, a GTIN of the range kept for examples."""
    random = Random(seed)  # noqa: S311 a seed, so that every run draws the same
    products = []
    for number in range(count):
        body = f"952{number * 7919 % 10**9:09d}"
        products.append(
            BenchProduct(
                name=" ".join(random.choice(_WORDS) for _ in range(random.randint(3, 6))),
                gtin=f"{body}{check_digit(body)}",
                net_content=random.choice(_SIZES),
            )
        )
    return products
