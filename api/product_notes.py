"""What an answer says of a product that labels do not show: where it lies, its tax, its plans."""

from typing import Any

from sqlalchemy import Connection

from api.schemas import money
from esl.domain.entry import StatedPromotion
from esl.domain.ids import Sku
from esl.domain.instants import instant_or_none, instant_text
from esl.domain.place import Store
from esl.domain.pricing import Keep
from esl.store import journal, listed, schedule, words
from esl.store.product_pages import Since, prices_since
from esl.store.schedule import Planned


def product_notes(tx: Connection, store: Store, sku: Sku) -> dict[str, Any]:
    """Return its ``gtins``, ``location``, ``tax``, ``anchor_price``, ``planned`` and ``labels``.

    ``anchor_price`` is the legal reference price that a source stated. ``planned`` are prices
    that hold from a later moment, or hold until one. ``since`` and ``source`` are of its price.
    """
    found = listed.listed_products(tx, store.store_id, [sku]).get(sku)
    if found is None:
        return {}
    further = listed.further_gtins(tx, store.store_id, [sku]).get(sku, ())
    planned = schedule.planned_prices(tx, store.store_id, [sku])
    return {
        "gtins": [*([found.gtin] if found.gtin is not None else []), *further],
        "location": found.location,
        "tax": None if found.tax_permille is None else _percent(found.tax_permille),
        "anchor_price": money(found.anchor_minor, store.currency),
        "planned": [_planned_view(one, store) for one in planned],
        "labels": journal.labels_of(tx, store.store_id, [sku]).get(sku, []),
    } | since_view(prices_since(tx, store.store_id, [sku]).get(sku))


def _planned_view(planned: Planned, store: Store) -> dict[str, Any]:
    entry = words.entry_from(
        planned.said, store_id=store.store_id, sku=planned.sku, currency=store.currency
    )
    promotion = entry.promotion
    price = entry.price_minor
    return {
        "source": planned.source,
        "price": None if isinstance(price, Keep) else money(price, store.currency),
        "promotion_price": (
            money(promotion.price_minor, store.currency)
            if isinstance(promotion, StatedPromotion)
            else None
        ),
        "valid_from": instant_or_none(planned.valid_from),
        "valid_to": instant_or_none(entry.valid_to),
        "holds": planned.holds,
    }


def _percent(permille: int) -> str:
    whole, rest = divmod(permille, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def since_view(since: Since | None) -> dict[str, Any]:
    """Since when a price holds, and who said it; nothing where that is not known."""
    if since is None:
        return {}
    return {"since": instant_text(since.at), "source": since.source}
