"""Scans made into pairings: two codes in either order, of which one is a label's.

two texts ─▶ what each may be ─▶ the one way in which both are something ─▶ paired
none, or more than one ─▶ refused, in words
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

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
from esl.store.short_links import links_coded
from esl.store.tables import product_gtins, products
from esl.store.upsert import in_batches


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


def look_up(tx: Connection, store_id: StoreId, texts: Sequence[str]) -> list[Meant]:
    """Say what scanned or typed texts stand for in a store, each in its place.

    A picture's own address names its label and its product: then it is the label that was
    scanned. Where digits are a label's id and a GTIN, they are the GTIN.

    Raises:
        InvalidInput: There is nothing in a text, or too much; at its number.
    """
    scans = [read_scan(text, path=f"/{number}") for number, text in enumerate(texts)]
    known = _Known.read(tx, store_id, scans)
    return [known.meant_by(scan) for scan in scans]


def pair_scanned(
    tx: Connection, store_id: StoreId, texts: Sequence[str], now: datetime, *, actor: str
) -> ScannedPair:
    """Pair what two scans stand for, in either order; the shelf where one stands goes with it.

    Raises:
        InvalidInput: One is unknown, or both are labels, or both products, or it is not sure.
    """
    first, second = look_up(tx, store_id, texts)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the books have of some texts: a query for each kind, however many there are."""

    labels: Collection[LabelId]
    skus: Collection[Sku]
    skus_of_gtin: Mapping[str, tuple[Sku, ...]]
    sku_of_link: Mapping[str, Sku]
    places: Mapping[str, str]

    @classmethod
    def read(cls, tx: Connection, store_id: StoreId, scans: Sequence[Scan]) -> Self:
        """Read all that the texts may stand for."""
        labels = [LabelId(scan.label) for scan in scans if scan.label is not None]
        held = label_rows.labels_by_id(tx, labels)
        skus = {Sku(scan.sku) for scan in scans if scan.sku is not None}
        links = links_coded(tx, {s.short_code for s in scans if s.short_code is not None})
        return cls(
            labels={name for name, label in held.items() if label.store_id == store_id},
            skus=products_by_sku(tx, store_id, skus).keys(),
            skus_of_gtin=_skus_of_gtins(tx, store_id, {g for scan in scans for g in scan.gtins}),
            sku_of_link={one.code: one.sku for one in links if one.store_id == store_id},
            places=shelf_places.codes_of(
                tx, store_id, {s.shelf_code for s in scans if s.shelf_code is not None}
            ),
        )

    def meant_by(self, scan: Scan) -> Meant:
        """Say what one of them stands for."""
        skus = self._skus_of(scan)
        label = None
        if scan.label is not None and not (scan.gtins and skus):
            label = LabelId(scan.label) if scan.label in self.labels else None
        if label is not None and "://" in scan.text:
            skus = ()
        place = None
        if scan.shelf_code is not None and label is None and not skus:
            place = self.places.get(scan.shelf_code)
        return Meant(text=scan.text, label=label, skus=skus, place=place)

    def _skus_of(self, scan: Scan) -> tuple[Sku, ...]:
        of_gtins = {sku for gtin in scan.gtins for sku in self.skus_of_gtin.get(gtin, ())}
        if of_gtins:
            return tuple(sorted(of_gtins))
        if scan.sku is not None and scan.sku in self.skus:
            return (Sku(scan.sku),)
        linked = self.sku_of_link.get(scan.short_code) if scan.short_code is not None else None
        return (linked,) if linked is not None else ()


def _skus_of_gtins(
    tx: Connection, store_id: StoreId, gtins: Collection[str]
) -> dict[str, tuple[Sku, ...]]:
    found: dict[str, tuple[Sku, ...]] = {}
    for table in (products, product_gtins):
        for batch in in_batches(sorted(gtins)):
            query = select(table.c.gtin, table.c.sku).where(
                table.c.store_id == store_id, table.c.gtin.in_(batch)
            )
            for row in tx.execute(query):
                found[row.gtin] = (*found.get(row.gtin, ()), Sku(row.sku))
    return found
