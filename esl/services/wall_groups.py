"""Labels as groups: by the aisle they hang in, the gateway that has them, the product they show.

aisle     as one walks; labels without a place last
gateway   by its id; labels that no gateway has last
product   products on several labels first, each a group; then all that are on one alone
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, and_, select

from esl.domain.ids import LabelId, StoreId
from esl.domain.shelf_place import read_place
from esl.services.finding import fold
from esl.services.placing import labels_in_order
from esl.store.shelf_places import places_of_store
from esl.store.tables import labels, pairings, products


class GroupBy(StrEnum):
    """What makes labels a group."""

    AISLE = "aisle"
    GATEWAY = "gateway"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group: its aisle, gateway or product; None for labels without one, or alone."""

    key: str | None
    name: str | None
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Labels in the order of their groups; ``begins`` names the group that begins at a label."""

    order: list[LabelId]
    begins: dict[LabelId, Group]


def group_labels(
    tx: Connection, store_id: StoreId, by: GroupBy, wanted: Collection[LabelId] | None
) -> Grouped:
    """Put a store's labels into groups; ``wanted`` None: all of them. A query or two."""
    match by:
        case GroupBy.AISLE:
            keyed = _by_aisle(tx, store_id)
        case GroupBy.GATEWAY:
            keyed = _by_gateway(tx, store_id)
        case GroupBy.PRODUCT:
            keyed = _by_product(tx, store_id)
    if wanted is not None:
        here = frozenset(wanted)
        keyed = [one for one in keyed if one[0] in here]
    counts = Counter(key for _, key, _ in keyed)
    if by is GroupBy.PRODUCT:
        keyed = _several_first(keyed, counts)
        counts = Counter(key for _, key, _ in keyed)
    begins: dict[LabelId, Group] = {}
    last: object = object()
    for label_id, key, name in keyed:
        if key != last:
            begins[label_id] = Group(key=key, name=name, labels=counts[key])
            last = key
    return Grouped(order=[label_id for label_id, _, _ in keyed], begins=begins)


_Keyed = list[tuple[LabelId, str | None, str | None]]


def _by_aisle(tx: Connection, store_id: StoreId) -> _Keyed:
    places = places_of_store(tx, store_id)
    keyed: _Keyed = []
    for label_id in labels_in_order(tx, store_id, area=None, by_walk=True):
        place = places.get(label_id)
        aisle = read_place(place).aisle if place else None
        keyed.append((label_id, aisle, aisle))
    left = select(labels.c.label_id).where(
        labels.c.store_id == store_id, labels.c.retired_at.is_not(None)
    )
    gone = tx.execute(left.order_by(labels.c.label_id)).scalars()
    return keyed + [(LabelId(label_id), None, None) for label_id in gone]


def _by_gateway(tx: Connection, store_id: StoreId) -> _Keyed:
    query = select(labels.c.label_id, labels.c.gateway_id).where(labels.c.store_id == store_id)
    found = [(LabelId(row.label_id), row.gateway_id) for row in tx.execute(query)]
    found.sort(key=lambda one: (one[1] is None, one[1] or "", one[0]))
    return [(label_id, gateway, gateway) for label_id, gateway in found]


def _by_product(tx: Connection, store_id: StoreId) -> _Keyed:
    first = and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0)
    of_product = and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku)
    query = (
        select(labels.c.label_id, pairings.c.sku, products.c.name)
        .outerjoin(pairings, first)
        .outerjoin(products, of_product)
        .where(labels.c.store_id == store_id)
    )
    found = [(LabelId(row.label_id), row.sku, row.name) for row in tx.execute(query)]
    found.sort(key=lambda one: (one[1] is None, fold(one[2] or ""), one[1] or "", one[0]))
    return found


def _several_first(keyed: _Keyed, counts: "Counter[str | None]") -> _Keyed:
    several = [one for one in keyed if one[1] is not None and counts[one[1]] > 1]
    alone = [one for one in keyed if one[1] is None or counts[one[1]] == 1]
    return several + [(label_id, None, None) for label_id, _, _ in alone]
