"""One label as a promotion will show it, to be drawn before anything is told to the shelf."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.face import Face
from esl.domain.ids import LabelId, PanelId, StoreId, TemplateName
from esl.domain.promotion.promotion import Promotion
from esl.domain.promotion.window import runs
from esl.domain.template_rule import RuleBook, choose_template
from esl.services.promotions.ahead import faces_at
from esl.services.promotions.reaching import Live, live_of
from esl.store import places, promoted, promotion_rows, templates, zones


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureLabel:
    """What a label will say, and the template it will be drawn with."""

    store_id: StoreId
    panel_id: PanelId
    template: TemplateName
    face: Face


def face_of(
    tx: Connection, promotion: Promotion, label_id: LabelId, now: datetime
) -> FutureLabel | None:
    """Say what a label will show when a promotion first runs; None where it is none of its."""
    hanging = promoted.hanging(tx, [label_id]).get(label_id)
    if hanging is None:
        return None
    groups = zones.stores_of_groups(tx, promotion.where.groups)
    inside = frozenset(name for name, held in groups.items() if hanging.store_id in held)
    if not promotion.where.takes(hanging.store_id, inside):
        return None
    store = places.store_named(tx, hanging.store_id)
    products = promoted.products_of(tx, store.store_id, promoted.skus_of_label(tx, label_id))
    if not any(promotion.selection.takes(product) for product in products.values()):
        return None
    first = next(runs(promotion.window, ZoneInfo(store.timezone), now), None)
    at = now if first is None or first.begins is None else max(now, first.begins)
    live = [
        live_of(one)
        for one in promotion_rows.live_in(tx, store.store_id)
        if one.promotion_id != promotion.promotion_id
    ]
    own: dict[LabelId, str] = {}
    faces = faces_at(tx, store, [*live, Live(promotion)], at, [label_id], own)
    face = faces.get(label_id)
    if face is None:
        return None
    rules = RuleBook(templates.rules_of(tx, [store.store_id])[store.store_id])
    name = own.get(label_id) or choose_template(rules, face, hanging.panel_id).template
    return FutureLabel(
        store_id=store.store_id,
        panel_id=hanging.panel_id,
        template=TemplateName(name),
        face=face,
    )
