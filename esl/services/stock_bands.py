"""Which products' labels change with their stock: `esl.domain.stock`, for one batch of products."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from esl.domain.ids import Sku, StoreId
from esl.domain.stock import Bands, bands_of
from esl.store import shown_stock, templates
from esl.store.listed import SHOWN, Listed

_STOCK = Listed._fields.index("stock")


class StockMoves:
    """What a batch says of stock; the store's rules are read with the first change."""

    def __init__(self, tx: Connection, store_id: StoreId, skus: Collection[Sku]) -> None:
        self._tx = tx
        self._store_id = store_id
        self._skus = skus
        self._is_read = False
        self._bands: Bands | None = None
        self._shown: dict[Sku, int | None] = {}
        self._moved: dict[Sku, int | None] = {}

    def shows(self, sku: Sku, before: int | None, after: int | None) -> bool:
        """Note a stock; say whether labels look otherwise by it."""
        if before == after:
            return False
        if not self._is_read:
            self._read()
        if self._bands is None:
            return True
        shown = self._shown.get(sku, before)
        self._shown[sku] = self._moved[sku] = self._bands.shown_after(shown, after)
        return not self._bands.are_same(shown, self._shown[sku])

    def differs(self, sku: Sku, before: Listed, after: Listed) -> bool:
        """Say whether labels of a product look otherwise by what is known of it now."""
        by_stock = self.shows(sku, before.stock, after.stock)
        return by_stock or _beside_stock(before) != _beside_stock(after)

    def write(self) -> None:
        """Keep what labels go by from now on."""
        shown_stock.put_shown_stock(self._tx, self._store_id, self._moved.items())

    def _read(self) -> None:
        self._is_read = True
        rules = templates.rules_of(self._tx, [self._store_id])[self._store_id]
        is_printed = shown_stock.prints_stock(self._tx, self._store_id)
        self._bands = bands_of(rules, is_printed=is_printed)
        if self._bands is not None:
            self._shown = shown_stock.shown_stock(self._tx, self._store_id, sorted(set(self._skus)))


def _beside_stock(product: Listed) -> Sequence[object]:
    # Tags are on no label, but promotions select by them.
    return (*product[:_STOCK], *product[_STOCK + 1 : SHOWN], product.tags)
