"""What people do with promotions: plan, change, schedule, cancel, end, take back.

What concerns prices is not done here: the promotion's next moment is set to now, and whoever looks
first turns it within a second, as every other edge. So a change for four hundred stores is
accepted at once.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from esl.domain.errors import AlreadyExists, Conflict, EditConflict, FieldProblem, InvalidInput
from esl.domain.ids import LabelId, StoreId
from esl.domain.law.profile import Spoilage
from esl.domain.place import Store
from esl.domain.promotion.check import check_promotion
from esl.domain.promotion.life import Action, State, move
from esl.domain.promotion.promotion import Promotion
from esl.domain.promotion.window import next_edge, run_at
from esl.intake.promotion_json import promotion_view
from esl.services.promotions.books import profile_of, promotion_of, selected_skus
from esl.services.promotions.edges import cancel_edge, ids_of, restage, set_state
from esl.services.promotions.turning import not_before_turned
from esl.services.till_channels import require_till_channel
from esl.store import audit, places, promotion_rows, staged, templates, zones
from esl.store import flips as flip_rows
from esl.store.promotion_rows import StoredPromotion

Gallery = Collection[str]
"""Names of the templates that every store has."""


def create(
    tx: Connection, promotion: Promotion, now: datetime, *, actor: str, gallery: Gallery
) -> StoredPromotion:
    """Write a promotion down as a draft.

    Raises:
        InvalidInput: It cannot mean anything in its stores.
        AlreadyExists: Its id is taken.
    """
    if promotion_rows.is_taken(tx, promotion.promotion_id):
        raise AlreadyExists(
            f"the promotion {promotion.promotion_id!r} is there already;"
            " change it, or choose another id"
        )
    stores = check(tx, promotion, gallery)
    promotion_rows.add_promotion(tx, promotion.promotion_id, now, by=actor)
    return _save(tx, promotion, stores, now, actor=actor, action="create")


def revise(
    tx: Connection,
    promotion: Promotion,
    now: datetime,
    *,
    actor: str,
    gallery: Gallery,
    version: int | None = None,
) -> tuple[StoredPromotion, tuple[LabelId, ...]]:
    """Replace what a promotion is; it is a draft again. Return it, and labels to show anew.

    Raises:
        UnknownPromotion: There is none.
        EditConflict: It has another ``version`` by now.
        InvalidInput: It cannot mean anything in its stores.
        Conflict: It has begun, or is over.
    """
    stored = promotion_rows.promotion_named(tx, promotion.promotion_id, lock=True)
    _check_version(stored, version)
    before = [
        places.lock_store(tx, one) for one in promotion_rows.stores_of(tx, stored.promotion_id)
    ]
    if _has_come(tx, stored, before, now):
        move(State.ACTIVE, Action.REVISE)  # refused: it has begun, though nobody has turned it
    stores = check(tx, promotion, gallery)
    touched = _leave(tx, stored, now)
    set_state(tx, stored, Action.REVISE, now, actor=actor)
    _forget_moments(tx, stored)
    saved = _save(tx, promotion, stores, now, actor=actor, action="revise")
    return saved, touched


def schedule(
    tx: Connection, promotion_id: str, now: datetime, *, actor: str, version: int | None = None
) -> StoredPromotion:
    """Let a draft begin and end by itself; one whose time has come begins within a second.

    Raises:
        UnknownPromotion: There is none.
        EditConflict: It has another ``version`` by now.
        Conflict: It is no draft, its time is over in all of its stores, or a store's tills would
            never hear of its prices; or goods about to spoil lack the mark that the law wants.
    """
    stored = promotion_rows.promotion_named(tx, promotion_id, lock=True)
    _check_version(stored, version)
    set_state(tx, stored, Action.SCHEDULE, now, actor=actor)
    promotion = promotion_of(stored)
    if promotion.where.groups or not promotion.where.stores:
        # Also the stores that came since it was saved, or came into its groups.
        here = check(tx, promotion, gallery=None)
        promotion_rows.put_stores(tx, promotion_id, [store.store_id for store in here])
    store_ids = promotion_rows.stores_of(tx, promotion_id)
    require_till_channel(tx, store_ids, promotion_id=promotion_id)
    stores = [places.lock_store(tx, one) for one in store_ids]
    _require_mark(promotion, stores)
    is_to_come = False
    for store in stores:
        zone = ZoneInfo(store.timezone)
        following = next_edge(promotion.window, zone, now)
        after = following.at if following is not None else None
        if run_at(promotion.window, zone, now) is not None:
            after = now
        promotion_rows.set_next(tx, promotion_id, store.store_id, after)
        is_to_come = is_to_come or after is not None
    if not is_to_come:
        raise Conflict("its time is over: change its window, and schedule it then")
    _restage(tx, promotion, stores, now)
    return promotion_rows.promotion_named(tx, promotion_id)


def _require_mark(promotion: Promotion, stores: Sequence[Store]) -> None:
    """Refuse goods about to spoil without a mark, where the law frees them for the mark alone."""
    if not promotion.is_markdown or promotion.badge is not None or promotion.template is not None:
        return
    for store in stores:
        profile = profile_of(store)
        rule = profile.prior_price
        if rule.spoilage is Spoilage.EXEMPT and rule.spoilage_mark_required:
            raise Conflict(
                f"the law of store {store.store_id!r} ({profile.name}) wants goods that are reduced"
                " because they are about to spoil to be marked as such: give the promotion a badge"
                " or a template that says so"
            )


def stop(
    tx: Connection,
    promotion_id: str,
    action: Action,
    now: datetime,
    *,
    actor: str,
    reason: str | None = None,
) -> tuple[StoredPromotion, tuple[LabelId, ...]]:
    """Cancel, end or take back a promotion; return it, and labels to show anew at once.

    What it changed is turned within a second. One that begins in this very moment is cancelled
    safely: it never began, or it is taken back.

    Raises:
        UnknownPromotion: There is none.
        Conflict: This cannot be done in its state.
    """
    stored = promotion_rows.promotion_named(tx, promotion_id, lock=True)
    touched = _leave(tx, stored, now)
    set_state(tx, stored, action, now, actor=actor, reason=reason)
    promotion = promotion_of(stored)
    stores = [places.lock_store(tx, one) for one in promotion_rows.stores_of(tx, promotion_id)]
    began = State(stored.state) is State.ACTIVE or _has_come(tx, stored, stores, now)
    for store in stores:
        promotion_rows.set_next(tx, promotion_id, store.store_id, now if began else None)
    if not began:
        _restage(tx, promotion, stores, now)
    return promotion_rows.promotion_named(tx, promotion_id), touched


def advance(tx: Connection, promotion_id: str, now: datetime, *, actor: str) -> StoredPromotion:
    """Let the next step of a roll-out be reached; past the last one every label is.

    Raises:
        UnknownPromotion: There is none.
        Conflict: It does not run, or is rolled out already.
    """
    stored = promotion_rows.promotion_named(tx, promotion_id, lock=True)
    steps = len(promotion_of(stored).rollout)
    if State(stored.state) is not State.ACTIVE:
        raise Conflict("it does not run: only what runs is rolled out further")
    if stored.reached >= steps:
        raise Conflict("all of its labels are reached already")
    promotion_rows.set_reached(tx, promotion_id, stored.reached + 1, now)
    for store_id in promotion_rows.stores_of(tx, promotion_id):
        promotion_rows.set_next(tx, promotion_id, store_id, now)
    audit.note(
        tx,
        now,
        actor=actor,
        action="promotion_advance",
        subject=promotion_id,
        detail={"step": stored.reached + 1, "of": steps},
    )
    return promotion_rows.promotion_named(tx, promotion_id)


def check(tx: Connection, promotion: Promotion, gallery: Gallery | None) -> list[Store]:
    """Check a promotion against its stores; return them. Without a gallery no template is asked.

    Raises:
        InvalidInput: A store, its template or a group is not known, or it would never run.
    """
    groups = zones.stores_of_groups(tx, promotion.where.groups)
    unknown = sorted(promotion.where.groups - groups.keys())
    if unknown:
        raise InvalidInput(
            [
                FieldProblem(
                    path="/where/groups",
                    detail=f"no group {one!r}",
                    fix="Add it first: PUT /api/v1/groups/GROUP.",
                )
                for one in unknown[:20]
            ]
        )
    known = {store.store_id: store for store in places.all_stores(tx)}
    missing = sorted(promotion.where.stores - known.keys())
    if missing:
        raise InvalidInput(
            [
                FieldProblem(path="/where/stores", detail=f"no store {one!r}", fix=None)
                for one in missing[:20]
            ]
        )
    grouped = frozenset[StoreId]().union(*groups.values())
    anywhere = not promotion.where.stores and not promotion.where.groups
    named = promotion.where.stores | grouped
    stores = [store for key, store in known.items() if anywhere or key in named]
    if not stores and not anywhere:
        raise InvalidInput.at(
            "/where/groups", "no store is in these groups", fix="Put stores into them first."
        )
    if not stores:
        raise InvalidInput.at("/where", "there is no store yet", fix="Add a store first.")
    check_promotion(promotion, tuple({ZoneInfo(store.timezone) for store in stores}))
    wrong = [s.store_id for s in stores if promotion.currency not in (None, s.currency)]
    if wrong:
        raise InvalidInput.at(
            "/currency",
            f"not the currency of {', '.join(wrong[:5])}",
            fix="Make a promotion for the stores of each currency.",
        )
    if gallery is not None:
        _check_template(tx, promotion, stores, gallery)
    return stores


def _check_template(
    tx: Connection, promotion: Promotion, stores: Sequence[Store], gallery: Gallery
) -> None:
    if promotion.template is None or promotion.template in gallery:
        return
    ids = {store.store_id for store in stores}
    in_use: Mapping[tuple[StoreId, str], object] = {
        (store_id, str(name)): saved
        for (store_id, name), saved in templates.templates_in_use(tx, ids).items()
    }
    without = sorted(one for one in ids if (one, promotion.template) not in in_use)
    if without:
        raise InvalidInput.at(
            "/template",
            f"{', '.join(without[:5])}: no template of this name",
            fix="Save the template there first, or take one of the gallery.",
        )


def _save(
    tx: Connection,
    promotion: Promotion,
    stores: Sequence[Store],
    now: datetime,
    *,
    actor: str,
    action: str,
) -> StoredPromotion:
    definition = msgspec.json.encode(promotion_view(promotion)).decode()
    digest = hashlib.sha256(definition.encode()).hexdigest()
    name = promotion.promotion_id
    version = promotion_rows.put_version(tx, name, definition, digest, now, by=actor)
    promotion_rows.put_stores(tx, name, [store.store_id for store in stores])
    audit.note(
        tx,
        now,
        actor=actor,
        action=f"promotion_{action}",
        subject=name,
        store_id=stores[0].store_id if len(stores) == 1 else None,
        detail={"version": version, "digest": digest},
    )
    return promotion_rows.promotion_named(tx, name)


def _has_come(
    tx: Connection, stored: StoredPromotion, stores: Sequence[Store], now: datetime
) -> bool:
    """Say whether its moment has come and nobody has turned it: a till's price since may say it."""
    following = promotion_rows.next_moment(tx, stored.promotion_id)
    return following is not None and any(
        following <= not_before_turned(tx, store, now) for store in stores
    )


def _check_version(stored: StoredPromotion, version: int | None) -> None:
    if version is not None and version != stored.version:
        raise EditConflict(
            f"the promotion {stored.promotion_id!r} is at version {stored.version},"
            f" not {version}: read it again",
            present=f'"{stored.version}"',
        )


def _leave(tx: Connection, stored: StoredPromotion, now: datetime) -> tuple[LabelId, ...]:
    """Free the slots that were filled for a promotion; others of the same moments are replanned."""
    touched: list[LabelId] = []
    for flip in flip_rows.planned_edges(tx):
        if stored.promotion_id in ids_of(flip):
            touched += cancel_edge(tx, flip, now)
    return tuple(touched)


def _forget_moments(tx: Connection, stored: StoredPromotion) -> None:
    for store_id in promotion_rows.stores_of(tx, stored.promotion_id):
        promotion_rows.set_next(tx, stored.promotion_id, store_id, None)


def _restage(tx: Connection, promotion: Promotion, stores: Sequence[Store], now: datetime) -> None:
    """Let what waits in slots for other moments be drawn with this promotion, or without it."""
    if not staged.any_staged(tx):
        return
    for store in stores:
        restage(tx, store, selected_skus(tx, store, [promotion]), now)
