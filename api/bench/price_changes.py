"""Products of a shop with their prices, and how prices change.

A price is a tenth less a cent (1.29, 12.49), as most in the published lists are. Of the changes a
third are by one tenth or two, a third by up to 7 % and a third by up to 30 %; the unit price, which
the controller works out, changes with each.
"""

import re
from collections.abc import Sequence
from random import Random

from api.bench.products import BenchProduct

_WRITTEN = re.compile(r"(\d+(?:[.,]\d+)?) ?(kg|g|ml|l)\b")
_USUAL = ("500 g", "1 kg", "250 ml", "1 l", "200 g")
_STEPS = (-20, -10, 10, 20)
_NEAR, _FAR = 0.07, 0.3
_LEAST, _MOST = 0.79, 29.99


class ShopPrices:
    """The products of a bench, in the API's form, and one round of price changes after another."""

    def __init__(self, products: Sequence[BenchProduct], seed: int = 1) -> None:
        self._random = Random(seed)  # noqa: S311  a shop by chance
        self._products = products
        self._minor = [
            _ending_in_nine(100 * _LEAST * (_MOST / _LEAST) ** self._random.random())
            for _ in products
        ]

    @property
    def skus(self) -> list[str]:
        """The article numbers, in order."""
        return [f"{number:06d}" for number in range(len(self._products))]

    def products(self) -> list[dict[str, str]]:
        """Return every product with its first price."""
        return [
            {
                "sku": sku,
                "name": product.name,
                "gtin": product.gtin,
                "net_content": _content(product.net_content, number),
                "price": _decimal(minor),
            }
            for number, (sku, product, minor) in enumerate(
                zip(self.skus, self._products, self._minor, strict=True)
            )
        ]

    def change_all(self) -> list[dict[str, str]]:
        """Give every product another price; return the changes."""
        return [self.change_one(number) for number in range(len(self._products))]

    def change_one(self, number: int) -> dict[str, str]:
        """Give one product another price; return the change."""
        self._minor[number] = self._changed(self._minor[number])
        return {"sku": f"{number:06d}", "price": _decimal(self._minor[number])}

    def _changed(self, minor: int) -> int:
        kind = self._random.randrange(3)
        changed = minor
        while changed == minor:
            if kind == 0:
                changed = max(minor + self._random.choice(_STEPS), 9)
            else:
                share = (_NEAR, _FAR)[kind - 1]
                changed = _ending_in_nine(minor * (1 + self._random.uniform(-share, share)))
                kind = 0  # 7 % of a low price is no change
        return changed


def _content(written: str, number: int) -> str:
    """Read a content as lists write it ("0,500 KG"); where there is none take a usual one."""
    found = _WRITTEN.search(written.lower())
    if found is None or not float(found[1].replace(",", ".")):
        return _USUAL[number % len(_USUAL)]
    amount = f"{float(found[1].replace(',', '.')):.3f}".rstrip("0").rstrip(".")
    return f"{amount} {found[2]}"


def _ending_in_nine(minor: float) -> int:
    return max(round(minor / 10) * 10 - 1, 9)


def _decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
