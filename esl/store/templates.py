"""Templates by store, name and version, and the rules that choose them: rows in and out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from esl.domain.errors import UnknownTemplate
from esl.domain.face import OfferKind
from esl.domain.ids import StoreId, TemplateName
from esl.domain.template import NewTemplate, SavedTemplate, TemplateRef, TemplateSource
from esl.domain.template_rule import StockIs, TemplateRule
from esl.store.columns import AnyRow
from esl.store.pictures import pictures_named
from esl.store.tables import template_rules, templates
from esl.store.upsert import in_batches

_HEAD = (
    templates.c.store_id,
    templates.c.name,
    templates.c.version,
    templates.c.title,
    templates.c.digest,
    templates.c.pictures,
    templates.c.saved_by,
    templates.c.saved_at,
    templates.c.text.is_(None).label("is_deleted"),
)


_STORES: Final[BindParameter[Any]] = bindparam("stores", expanding=True)
_newest = (
    select(templates.c.store_id, templates.c.name, func.max(templates.c.version).label("top"))
    .where(templates.c.store_id.in_(_STORES))
    .group_by(templates.c.store_id, templates.c.name)
    .subquery()
)
_IN_USE = (
    select(*_HEAD)
    .join(
        _newest,
        and_(
            templates.c.store_id == _newest.c.store_id,
            templates.c.name == _newest.c.name,
            templates.c.version == _newest.c.top,
        ),
    )
    .where(templates.c.text.is_not(None))
    .order_by(templates.c.name)
)
_RULES = (
    select(template_rules)
    .where(template_rules.c.store_id.in_(_STORES))
    .order_by(template_rules.c.store_id, template_rules.c.position)
)
"""Of `templates_in_use` and `rules_of`, which every batch of labels asks: made once."""


def templates_in_use(
    tx: Connection, store_ids: Iterable[StoreId]
) -> dict[tuple[StoreId, TemplateName], SavedTemplate]:
    """Load the version in use of every template of these stores, without the texts."""
    found: dict[tuple[StoreId, TemplateName], SavedTemplate] = {}
    for batch in in_batches(sorted(set(store_ids))):
        for row in tx.execute(_IN_USE, {"stores": batch}):
            saved = _saved(row)
            found[saved.store_id, saved.name] = saved
    return found


def versions_of(tx: Connection, store_id: StoreId, name: str) -> list[SavedTemplate]:
    """List a template's versions, the newest first, deletions too; empty if it never was."""
    query = (
        select(*_HEAD)
        .where(templates.c.store_id == store_id, templates.c.name == name)
        .order_by(templates.c.version.desc())
    )
    return [_saved(row) for row in tx.execute(query)]


def text_of(tx: Connection, store_id: StoreId, name: str, version: int) -> str:
    """Load a version's text.

    Raises:
        UnknownTemplate: There is no such version, or it marks a deletion.
    """
    query = select(templates.c.text).where(
        templates.c.store_id == store_id, templates.c.name == name, templates.c.version == version
    )
    text: str | None = tx.execute(query).scalar_one_or_none()
    if text is None:
        raise UnknownTemplate(f"store {store_id!r} has no template {name!r} version {version}")
    return text


def template_sources(
    tx: Connection, refs: Iterable[TemplateRef]
) -> dict[TemplateRef, TemplateSource]:
    """Load what these templates of stores are made of; for those not yet known to the process."""
    found: dict[TemplateRef, TemplateSource] = {}
    heads = templates_in_use(tx, {ref.store_id for ref in refs})
    for ref in refs:
        head = heads.get((ref.store_id, ref.name))
        if head is not None and head.ref == ref:
            found[ref] = TemplateSource(
                text=text_of(tx, ref.store_id, ref.name, head.version),
                pictures=pictures_named(tx, ref.store_id, head.pictures),
            )
    return found


def add_version(
    tx: Connection,
    store_id: StoreId,
    new: NewTemplate,
    version: int,
    now: datetime,
    *,
    saved_by: str,
) -> None:
    """Store the next version of a template."""
    tx.execute(
        insert(templates).values(
            store_id=store_id,
            name=new.name,
            version=version,
            title=new.title,
            text=new.text,
            digest=new.digest,
            pictures=" ".join(sorted(new.pictures)),
            saved_by=saved_by,
            saved_at=now,
        )
    )


def add_deletion(tx: Connection, last: SavedTemplate, now: datetime, *, saved_by: str) -> None:
    """Mark a template as deleted by a version without a text: its numbers are not used again."""
    tx.execute(
        insert(templates).values(
            store_id=last.store_id,
            name=last.name,
            version=last.version + 1,
            title=last.title,
            text=None,
            digest="",
            pictures="",
            saved_by=saved_by,
            saved_at=now,
        )
    )


def set_digest(tx: Connection, saved: SavedTemplate, digest: str) -> None:
    """Note what a template means now that a picture of it is another."""
    tx.execute(
        update(templates)
        .where(
            templates.c.store_id == saved.store_id,
            templates.c.name == saved.name,
            templates.c.version == saved.version,
        )
        .values(digest=digest)
    )


def rules_of(
    tx: Connection, store_ids: Iterable[StoreId]
) -> dict[StoreId, tuple[TemplateRule, ...]]:
    """Load the rules of these stores, in their order."""
    wanted = sorted(set(store_ids))
    found: dict[StoreId, list[TemplateRule]] = {store_id: [] for store_id in wanted}
    for batch in in_batches(wanted):
        for row in tx.execute(_RULES, {"stores": batch}):
            found[StoreId(row.store_id)].append(_rule(row))
    return {store_id: tuple(rules) for store_id, rules in found.items()}


def put_rules(tx: Connection, store_id: StoreId, rules: Sequence[TemplateRule]) -> None:
    """Replace a store's rules."""
    tx.execute(delete(template_rules).where(template_rules.c.store_id == store_id))
    for batch in in_batches(list(enumerate(rules))):
        tx.execute(
            insert(template_rules),
            [
                {
                    "store_id": store_id,
                    "position": position,
                    "template": rule.template,
                    "category": rule.category,
                    "brand": rule.brand,
                    "panel": rule.panel,
                    "kind": rule.kind.value if rule.kind is not None else None,
                    "stock": rule.stock.value if rule.stock is not None else None,
                    "stock_most": rule.stock_most,
                    "weighed": rule.weighed,
                    "products": rule.products,
                    "note": rule.note,
                }
                for position, rule in batch
            ],
        )


def _rule(row: AnyRow) -> TemplateRule:
    return TemplateRule(
        template=TemplateName(row.template),
        category=row.category,
        brand=row.brand,
        panel=row.panel,
        kind=OfferKind(row.kind) if row.kind is not None else None,
        stock=StockIs(row.stock) if row.stock is not None else None,
        stock_most=row.stock_most,
        weighed=row.weighed,
        products=row.products,
        note=row.note,
    )


def _saved(row: AnyRow) -> SavedTemplate:
    return SavedTemplate(
        store_id=StoreId(row.store_id),
        name=TemplateName(row.name),
        version=row.version,
        title=row.title,
        digest=row.digest,
        pictures=tuple(row.pictures.split()),
        saved_by=row.saved_by,
        saved_at=row.saved_at,
        is_deleted=bool(row.is_deleted),
    )
