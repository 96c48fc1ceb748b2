"""Scans made into pairings: two codes in either order, of which one is a label's.

two texts ─▶ what each may be ─▶ the one way in which both are something ─▶ paired
none, or more than one ─▶ refused, in words
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.place import Pairing
from esl.domain.scan import Scan, read_scan
from esl.services.pairing import pair_labels
from esl.services.placing import standing_place
from esl.store import labels as label_rows
from esl.store import shelf_places
from esl.store.pairing_events import newest_of
from esl.store.products import products_by_sku
from esl.store.short_links import link_coded
from esl.store.tables import product_gtins, products


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a scanned text stands for in a store: nothing, one thing, or several."""

    text: str
    label: LabelId | None = None
    skus: tuple[Sku, ...] = ()
    place: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether the store knows nothing of it."""
        return self.label is None and not self.skus and self.place is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedPair:
    """A pairing that two scans made, and its step in the label's history."""

    label: LabelId
    sku: Sku
    name: str
    step: int
    touched: tuple[LabelId, ...]


def look_up(tx: Connection, store_id: StoreId, text: str) -> Meant:
    """Say what a scanned or typed text stands for in a store.

    A picture's own address names its label and its product: then it is the label that was
    scanned. Where digits are a label's id and a GTIN, they are the GTIN.

    Raises:
        InvalidInput: There is nothing in the text, or too much.
    """
    scan = read_scan(text)
    skus = _skus_of(tx, store_id, scan)
    label = None
    if scan.label is not None and not (scan.gtins and skus):
        found = label_rows.labels_by_id(tx, [LabelId(scan.label)])
        held = found.get(LabelId(scan.label))
        label = held.label_id if held is not None and held.store_id == store_id else None
    if label is not None and "://" in scan.text:
        skus = ()
    place = None
    if scan.shelf_code is not None and label is None and not skus:
        place = shelf_places.codes_of(tx, store_id, [scan.shelf_code]).get(scan.shelf_code)
    return Meant(text=scan.text, label=label, skus=skus, place=place)


def pair_scanned(
    tx: Connection, store_id: StoreId, texts: Sequence[str], now: datetime, *, actor: str
) -> ScannedPair:
    """Pair what two scans stand for, in either order; the shelf where one stands goes with it.

    Raises:
        InvalidInput: One is unknown, or both are labels, or both products, or it is not sure.
    """
    first, second = (look_up(tx, store_id, text) for text in texts)
    for place, one in enumerate((first, second)):
        if one.is_nothing:
            raise InvalidInput.at(f"/scans/{place}", _unknown(one), fix=_UNKNOWN_FIX)
    ways = [
        (label.label, product.skus)
        for label, product in ((first, second), (second, first))
        if label.label is not None and product.skus
    ]
    if not ways:
        raise InvalidInput.at("/scans", _no_pair(first, second), fix=_PAIR_FIX)
    if len(ways) > 1:
        words = "each may be the label and each the product"
        raise InvalidInput.at("/scans", words, fix="Scan the product's bar code instead.")
    label_id, skus = ways[0]
    if len(skus) > 1:
        words = f"several products have this code: {', '.join(skus[:5])}"
        raise InvalidInput.at("/scans", words, fix="Type the SKU of the one that is meant.")
    pairing = Pairing(label_id=label_id, sku=skus[0])
    standing = standing_place(tx, store_id, actor, now)
    touched = pair_labels(tx, store_id, [pairing], now, single=True, actor=actor, standing=standing)
    product = products_by_sku(tx, store_id, [skus[0]])[skus[0]]
    return ScannedPair(
        label=label_id,
        sku=skus[0],
        name=product.name,
        step=newest_of(tx, [label_id])[label_id],
        touched=touched,
    )


_UNKNOWN_FIX = "Register the label or send the product first; or scan another code of it."
_PAIR_FIX = "Scan one label and one product, in either order."


def _unknown(one: Meant) -> str:
    return f"the store knows neither a label nor a product by {one.text[:60]!r}"


def _no_pair(first: Meant, second: Meant) -> str:
    if first.label is not None and second.label is not None:
        return "both are labels"
    if first.skus and second.skus:
        return "both are products"
    return "a shelf's code pairs nothing; it says where you stand"


def _skus_of(tx: Connection, store_id: StoreId, scan: Scan) -> tuple[Sku, ...]:
    if scan.gtins:
        found = _skus_of_gtins(tx, store_id, scan.gtins)
        if found:
            return found
    if scan.sku is not None and products_by_sku(tx, store_id, [Sku(scan.sku)]):
        return (Sku(scan.sku),)
    if scan.short_code is not None:
        link = link_coded(tx, scan.short_code)
        if link is not None and link.store_id == store_id:
            return (link.sku,)
    return ()


def _skus_of_gtins(tx: Connection, store_id: StoreId, gtins: Sequence[str]) -> tuple[Sku, ...]:
    main = select(products.c.sku).where(products.c.store_id == store_id, products.c.gtin.in_(gtins))
    more = select(product_gtins.c.sku).where(
        product_gtins.c.store_id == store_id, product_gtins.c.gtin.in_(gtins)
    )
    found = {*tx.execute(main).scalars(), *tx.execute(more).scalars()}
    return tuple(Sku(sku) for sku in sorted(found))
