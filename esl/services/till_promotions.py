"""The promotions that tills own, while a batch of entries is weighed; written once at its end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.entry import Entry, is_nameless
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Keep
from esl.services.entry_checks import held_promotion
from esl.store import promotions
from esl.store.promotions import HeldPromotion


class TillPromotions:
    """Those of some products of one store, as one source's entries change them."""

    def __init__(
        self, tx: Connection, store_id: StoreId, skus: Sequence[Sku], source: SourceId
    ) -> None:
        self._tx = tx
        self._store_id = store_id
        self._source = source
        self._known = promotions.promotions_of(tx, store_id, skus)
        self._listed: dict[Sku, set[tuple[SourceId, str]]] = {}  # by a complete list, so far
        self._kept: dict[tuple[Sku, SourceId, str], HeldPromotion] = {}
        self._ended: dict[tuple[Sku, SourceId, str], HeldPromotion] = {}

    def of(self, sku: Sku) -> list[HeldPromotion]:
        """Return those of a product, as they are by now."""
        return self._known.get(sku, [])

    def after(
        self, entry: Entry, known: list[HeldPromotion], now: datetime, *, full: bool
    ) -> list[HeldPromotion]:
        """Return those of a product once an entry is taken; those that ended are gone."""
        if not known and isinstance(entry.promotion, Keep) and not entry.more_promotions:
            return known  # as it is with most rows of a list
        source = self._source
        kept = [p for p in known if p.valid_to is None or p.valid_to > now]
        stated = [
            held_promotion(entry.sku, source, one)
            for one in entry.stated_promotions
            if one.valid_to is None or one.valid_to > now
        ]
        listed = self._listed.setdefault(entry.sku, set()) if full else set()
        if full or (not stated and not isinstance(entry.promotion, Keep)):
            keys = {p.key for p in stated}
            kept = [p for p in kept if p.source != source or (p.key in listed - keys)]
            listed |= keys
        else:
            # Promotions without an id are one word: those stated now replace those from before.
            nameless = any(is_nameless(p.promotion_id) for p in stated)
            keys = {p.key for p in stated}
            kept = [
                p
                for p in kept
                if p.key not in keys
                and not (nameless and p.source == source and is_nameless(p.promotion_id))
            ]
        return sorted([*kept, *stated], key=lambda p: p.key)

    def keep(self, known: list[HeldPromotion], then: list[HeldPromotion]) -> None:
        """Note what is to be written of a product's promotions."""
        if then == known:
            return
        for promotion in known:
            if promotion not in then:
                key = promotion.sku, *promotion.key
                self._ended[key] = promotion
                self._kept.pop(key, None)
        for promotion in then:
            if promotion not in known:
                key = promotion.sku, *promotion.key
                self._kept[key] = promotion
        if then:
            self._known[then[0].sku] = then
        elif known:
            self._known.pop(known[0].sku, None)

    def write(self, now: datetime, *, batch_id: int | None) -> None:
        """Write what was noted."""
        ended = [p for key, p in self._ended.items() if key not in self._kept]
        promotions.forget_promotions(self._tx, self._store_id, ended)
        promotions.put_promotions(
            self._tx, self._store_id, self._kept.values(), now, batch_id=batch_id
        )
