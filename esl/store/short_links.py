"""Short links: settings, codes, targets and visits; rows in and out."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, select, update

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.short_link import PATH, LinkSetting, make_code
from esl.store.columns import AnyRow
from esl.store.shelf_tables import link_settings, link_visits, short_links
from esl.store.tables import pairings, products
from esl.store.upsert import in_batches, insert_if_new, insert_or_update

ATTEMPTS = 8
"""At 40 bits, a second attempt is made once in a thousand shops; an eighth never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLink:
    """A code and what is known of its product; without ``name`` it was taken out."""

    code: str
    store_id: StoreId
    sku: Sku
    target: str | None
    name: str | None
    gtin: str | None
    own_link: str | None


def setting_of(tx: Connection, store_id: StoreId) -> LinkSetting | None:
    """Return a store's setting; None: it has none."""
    row = tx.execute(
        select(link_settings).where(link_settings.c.store_id == store_id)
    ).one_or_none()
    if row is None:
        return None
    return LinkSetting(
        base=row.base,
        hosts=tuple(json.loads(row.hosts)),
        rule=row.rule,
        in_faces=row.prefix is not None,
    )


def put_setting(tx: Connection, store_id: StoreId, setting: LinkSetting) -> None:
    """Keep a store's setting."""
    row = {
        "store_id": store_id,
        "base": setting.base,
        "hosts": json.dumps(setting.hosts),
        "rule": setting.rule,
        "prefix": setting.base + PATH if setting.in_faces else None,
    }
    insert_or_update(tx, link_settings, [row])


def give_codes(tx: Connection, store_id: StoreId, skus: Iterable[Sku] | None = None) -> int:
    """Give codes to products that have none: to these, or to all that labels speak for.

    Nothing where the store has no setting. Returns how many were given.
    """
    if (
        tx.execute(
            select(link_settings.c.store_id).where(link_settings.c.store_id == store_id)
        ).first()
        is None
    ):
        return 0
    if skus is None:
        paired = select(pairings.c.sku).where(pairings.c.store_id == store_id).distinct()
        skus = [Sku(sku) for sku in tx.execute(paired).scalars()]
    wanted = sorted(set(skus))
    given = 0
    for attempt in range(ATTEMPTS):
        lacking = _without_code(tx, store_id, wanted)
        if not lacking:
            break
        rows: dict[str, dict[str, Any]] = {}
        for sku in lacking:
            code = make_code(store_id, sku, attempt)
            rows.setdefault(code, {"code": code, "store_id": store_id, "sku": sku, "target": None})
        for batch in in_batches(list(rows.values())):
            insert_if_new(tx, short_links, batch)
        left = _without_code(tx, store_id, lacking)
        given += len(lacking) - len(left)
        wanted = left
    return given


def _without_code(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[Sku]:
    known: set[str] = set()
    for batch in in_batches(skus):
        query = select(short_links.c.sku).where(
            short_links.c.store_id == store_id, short_links.c.sku.in_(batch)
        )
        known.update(tx.execute(query).scalars())
    return [sku for sku in skus if sku not in known]


def link_of(tx: Connection, store_id: StoreId, sku: Sku) -> ShortLink | None:
    """Return a product's short link; None: it has none."""
    query = _links().where(short_links.c.store_id == store_id, short_links.c.sku == sku)
    row = tx.execute(query).one_or_none()
    return _link_from(row) if row is not None else None


def is_product(tx: Connection, store_id: StoreId, sku: Sku) -> bool:
    """Say whether a store has a product of this SKU."""
    query = select(products.c.sku).where(products.c.store_id == store_id, products.c.sku == sku)
    return tx.execute(query).first() is not None


def link_coded(tx: Connection, code: str) -> ShortLink | None:
    """Look a code up; None: there is none."""
    row = tx.execute(_links().where(short_links.c.code == code)).one_or_none()
    return _link_from(row) if row is not None else None


def links_coded(tx: Connection, codes: Collection[str]) -> list[ShortLink]:
    """Look codes up; unknown ones are left out."""
    found: list[ShortLink] = []
    for batch in in_batches(sorted(codes)):
        found += map(_link_from, tx.execute(_links().where(short_links.c.code.in_(batch))))
    return found


def links_of_store(
    tx: Connection, store_id: StoreId, *, after: str = "", limit: int = 1000
) -> list[ShortLink]:
    """List a store's short links by SKU."""
    query = (
        _links()
        .where(short_links.c.store_id == store_id, short_links.c.sku > after)
        .order_by(short_links.c.sku)
        .limit(limit)
    )
    return [_link_from(row) for row in tx.execute(query)]


def all_links(tx: Connection, store_id: StoreId) -> Iterator[ShortLink]:
    """Give all of a store's short links by code, as an export lists them."""
    query = _links().where(short_links.c.store_id == store_id).order_by(short_links.c.code)
    for row in tx.execute(query.execution_options(yield_per=1000)):
        yield _link_from(row)


def set_target(tx: Connection, store_id: StoreId, sku: Sku, target: str | None) -> None:
    """Let a product's short link lead elsewhere; None: by the store's rule."""
    tx.execute(
        update(short_links)
        .where(short_links.c.store_id == store_id, short_links.c.sku == sku)
        .values(target=target)
    )


def labels_of_links(tx: Connection, store_id: StoreId) -> list[LabelId]:
    """List the labels of a store that speak for a product, by id."""
    query = (
        select(pairings.c.label_id)
        .where(pairings.c.store_id == store_id, pairings.c.position == 0)
        .order_by(pairings.c.label_id)
    )
    return [LabelId(label_id) for label_id in tx.execute(query).scalars()]


def count_visits(tx: Connection, visits: Mapping[tuple[str, date], int]) -> None:
    """Add visits of codes on days."""
    rows = [{"code": code, "day": day, "visits": 0} for (code, day) in sorted(visits)]
    insert_if_new(tx, link_visits, rows)
    for (code, day), count in sorted(visits.items()):
        tx.execute(
            update(link_visits)
            .where(link_visits.c.code == code, link_visits.c.day == day)
            .values(visits=link_visits.c.visits + count)
        )


def visits_of(tx: Connection, code: str, *, since: date) -> list[tuple[date, int]]:
    """Return how often a code was followed, day by day."""
    query = (
        select(link_visits.c.day, link_visits.c.visits)
        .where(link_visits.c.code == code, link_visits.c.day >= since)
        .order_by(link_visits.c.day)
    )
    return [(row.day, int(row.visits)) for row in tx.execute(query)]


def forget_visits(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget visits from before a moment."""
    old = (
        select(link_visits.c.code, link_visits.c.day)
        .where(link_visits.c.day < before.date())
        .order_by(link_visits.c.day, link_visits.c.code)
        .limit(most)
    )
    rows = tx.execute(old).all()
    for row in rows:
        tx.execute(
            delete(link_visits).where(link_visits.c.code == row.code, link_visits.c.day == row.day)
        )
    return len(rows)


def _links() -> Select[Any]:
    return select(short_links, products.c.name, products.c.gtin, products.c.link).select_from(
        short_links.outerjoin(
            products,
            and_(
                products.c.store_id == short_links.c.store_id,
                products.c.sku == short_links.c.sku,
            ),
        )
    )


def _link_from(row: AnyRow) -> ShortLink:
    return ShortLink(
        code=row.code,
        store_id=StoreId(row.store_id),
        sku=Sku(row.sku),
        target=row.target,
        name=row.name,
        gtin=row.gtin,
        own_link=row.link,
    )
