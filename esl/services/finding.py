"""Find labels and products as people look for them: by words, by how they do, by their place."""

import unicodedata
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId, Sku, StoreId
from esl.domain.label import Phase
from esl.services.placing import labels_in_order
from esl.store.product_pages import (
    BETWEEN_FIELDS,
    BETWEEN_LINES,
    Which,
    Word,
    findable_after,
    first_by_sku,
)
from esl.store.wall_counts import WallEntry, entries_of, ids_in, places_in, skus_of_code

CODE_LEAST: Final = 6
"""Digits from which on a word may be a part of a GTIN; other GTINs than the first are asked for."""


def find_labels(
    tx: Connection,
    store_id: StoreId,
    *,
    online: AbstractSet[GatewayId],
    phases: Collection[Phase] = (),
    search: str = "",
    area: str | None = None,
    by_walk: bool = False,
) -> list[LabelId]:
    """List labels by id, or as one walks past them; no phases are all, no search is any.

    A few queries, whatever the number of labels.
    """
    wanted_phases = frozenset(phases) or frozenset(Phase)
    hangs = by_walk or area is not None
    if not search.strip():
        if not hangs:
            return ids_in(tx, store_id, online, wanted_phases)
        among = places_in(tx, store_id, online, wanted_phases) if phases else None
        return labels_in_order(tx, store_id, area=area, by_walk=by_walk, among=among)
    wanted = _Search(tx, store_id, search)
    entries = entries_of(tx, store_id, online, phases=wanted_phases if phases else None)
    found = [entry.label_id for entry in entries if wanted.finds(entry)]
    if not hangs:
        return found
    here = frozenset(found)
    hanging = labels_in_order(tx, store_id, area=area, by_walk=by_walk)
    return [label_id for label_id in hanging if label_id in here]


def find_products(
    tx: Connection, store_id: StoreId, which: Which, search: str, *, after: str, limit: int
) -> list[Sku]:
    """List products by SKU behind one: each word of ``search`` is in SKU, name or a GTIN.

    Reads no further than the page needs. A word that nothing has is looked for in all of them by
    the database: 100,000 products take about 20 ms, and three times that beyond ASCII.
    """
    wanted = _Search(tx, store_id, search)
    found: list[Sku] = []
    for piece in findable_after(tx, store_id, which, wanted.words, after=after):
        for line in wanted.likely(piece):
            sku = Sku(line.partition(BETWEEN_FIELDS)[0])
            if wanted.fits(line, sku):
                found.append(sku)
        if len(found) >= limit:
            break
    return first_by_sku(tx, store_id, found, limit=limit)


class _Search:
    """What somebody looks for: each word is in id, SKU, name or a GTIN."""

    def __init__(self, tx: Connection, store_id: StoreId, search: str) -> None:
        self.words = [
            Word(word, skus_of_code(tx, store_id, word) if _is_code(word) else frozenset())
            for word in fold(search).split()
        ]

    def finds(self, entry: WallEntry) -> bool:
        text = f"{entry.label_id} {entry.sku or ''} {entry.name or ''} {entry.gtin or ''}"
        return self.fits(text, entry.sku)

    def likely(self, piece: str) -> list[str]:
        """Return the lines of a piece that may fit; none of those left out does."""
        quick = _quickly(piece) if all(word.isascii() for word, _ in self.words) else fold(piece)
        if not all(coded or word in quick for word, coded in self.words):
            return []
        lines = zip(quick.split(BETWEEN_LINES), piece.split(BETWEEN_LINES), strict=True)
        return [
            line
            for folded, line in lines
            if all(coded or word in folded for word, coded in self.words)
        ]

    def fits(self, text: str, sku: Sku | None) -> bool:
        """Say whether each word is in a text, or part of one of the product's other GTINs."""
        folded = fold(text)
        return all(word in folded or sku in coded for word, coded in self.words)


def _is_code(word: str) -> bool:
    return len(word) >= CODE_LEAST and word.isascii() and word.isdigit()


def fold(text: str) -> str:
    """Make texts alike that people take for the same: ``Čaj`` is ``caj``, ``STRASSE`` ``Straße``.

    Databases differ in this, and SQLite knows only ASCII; so searching is done here.
    """
    if text.isascii():  # most texts, and a third of the time
        return text.lower()
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parted if not unicodedata.combining(c))


def _quickly(text: str) -> str:
    """Fold a long text for words of ASCII: of its letters beyond, only what of them is ASCII."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
