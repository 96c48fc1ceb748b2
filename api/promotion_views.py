"""Promotions as the API answers them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from api.schemas import face_view
from esl.domain.ids import LabelId, StoreId
from esl.domain.instants import instant_or_none, instant_text
from esl.domain.label import SlotState
from esl.domain.money import format_minor
from esl.domain.promotion.life import State, actions_of
from esl.domain.promotion.window import Run
from esl.domain.zone import level_of
from esl.services.promotions.explaining import Explained
from esl.services.promotions.preview import StorePreview
from esl.services.promotions.progress import Progress
from esl.services.promotions.rivals import Rival
from esl.store.promoted import HeldEvent
from esl.store.promotion_rows import StoredPromotion


def promotion_head(stored: StoredPromotion) -> dict[str, Any]:
    """Say what a promotion is and how far it has come, in a few fields."""
    definition: Mapping[str, Any] = msgspec.json.decode(stored.definition)
    return {
        "id": stored.promotion_id,
        "name": definition["name"],
        "version": stored.version,
        "state": stored.state,
        "created_by": stored.created_by,
        "created_at": instant_text(stored.created_at),
        "changed_at": instant_text(stored.changed_at),
        "ended_at": instant_or_none(stored.ended_at),
    }


def promotion_whole(
    stored: StoredPromotion, stores: list[StoreId], next_at: datetime | None
) -> dict[str, Any]:
    """Return everything that is kept of a promotion, and what can be done with it now."""
    return promotion_head(stored) | {
        "saved_by": stored.saved_by,
        "saved_at": instant_text(stored.saved_at),
        "stores": list(stores),
        "next_at": instant_or_none(next_at),
        "reached": stored.reached,
        "actions": [action.value for action in actions_of(State(stored.state))],
        "promotion": msgspec.json.decode(stored.definition),
    }


def preview_view(found: list[StorePreview]) -> dict[str, Any]:
    """Say what a promotion would do, in all and in each store."""
    return {
        "products": sum(one.products for one in found),
        "labels": sum(one.labels for one in found),
        "refreshes": sum(one.refreshes for one in found),
        "done_after_s": round(max((one.done_after_s for one in found), default=0.0), 1),
        "stores": [_store_view(one) for one in found],
    }


def _store_view(one: StorePreview) -> dict[str, Any]:
    return {
        "store": one.store.store_id,
        "first_run": _run_view(one.first),
        "products": one.products,
        "without_price": one.products - one.priced,
        "labels": one.labels,
        "labels_at_first": one.at_first,
        "labels_with_a_spare_slot": one.staged,
        "looked_at": one.looked_at,
        "changes": one.changes,
        "rivals": [_rival_view(rival) for rival in one.rivals],
        "troubles": [
            {"code": t.code, "products": t.products, "examples": list(t.examples)}
            for t in one.troubles
        ],
        "refreshes": one.refreshes,
        "battery_mah_a_label": round(one.battery_mah, 3),
        "air_s_of_the_busiest_gateway": round(one.air_s, 1),
        "done_after_s": round(one.done_after_s, 1),
        "faces": [
            {
                "label": example.label_id,
                "panel": example.panel_id,
                "template": example.template,
                "drawn_by": example.drawn_by,
                "face": face_view(example.face),
            }
            for example in one.examples
        ],
    }


def _run_view(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {"begins": instant_or_none(run.begins), "ends": instant_or_none(run.ends)}


def _rival_view(rival: Rival) -> dict[str, Any]:
    return {
        "id": rival.promotion_id,
        "name": rival.name,
        "state": rival.state,
        "priority": rival.priority,
        "first_together": instant_text(rival.first_at),
        "products": rival.products,
        "looked_at": rival.looked_at,
        "this_one_wins": rival.wins,
        "the_other_wins": rival.loses,
        "both_hold": rival.both,
        "examples": list(rival.examples),
    }


def progress_view(progress: Progress) -> dict[str, Any]:
    """Say how far a promotion has come on the shelf."""
    return {
        "id": progress.stored.promotion_id,
        "state": progress.stored.state,
        "next_at": instant_or_none(progress.next_at),
        "turned_at": instant_or_none(progress.turned_at),
        "done_at": instant_or_none(progress.done_at),
        "labels": progress.labels,
        "counts": progress.counts,
        "later": progress.later,
        "gateways": {gateway: dict(counts) for gateway, counts in progress.by_gateway.items()},
        "pictures": {s.name.lower(): progress.pictures.get(s, 0) for s in SlotState},
        "stragglers": [
            {"label": one.label_id, "gateway": one.gateway_id, "reason": one.reason}
            for one in progress.stragglers
        ],
        "stragglers_in_all": progress.stragglers_in_all,
    }


def explained_view(
    label_id: LabelId, at: datetime, currency: str, found: list[Explained]
) -> dict[str, Any]:
    """Say why a label shows what it shows."""
    return {
        "label": label_id,
        "at": instant_text(at),
        "products": [
            {
                "sku": one.sku,
                "price": _money(one.price_minor, currency),
                "currency": currency,
                "words": list(one.words),
                "base": _base_view(one.base, currency),
                "applied": [dict(each) for each in one.applied],
                "lost": [dict(each) for each in one.lost],
                "law": one.law,
                "waits_for": one.waits,
            }
            for one in found
        ],
    }


def _base_view(base: HeldEvent | None, currency: str) -> dict[str, Any] | None:
    if base is None:
        return None
    return {
        "price": _money(base.says.price_minor if base.says is not None else None, currency),
        "event": base.event_id,
        "since": instant_text(base.at),
        "source": base.source,
        "level": level_of(base.source),
        "actor": base.actor,
    }


def _money(minor: int | None, currency: str) -> str | None:
    return None if minor is None else format_minor(minor, currency)
