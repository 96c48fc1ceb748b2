"""What a promotion would do, before it is saved: counts, rivals, the law, and what it costs.

::

    products, labels ──── counted in every store
    rivals ────────────── other promotions of the same products at a same time: who wins
    troubles ──────────── what the law does not let a label claim
    radio, batteries ──── refreshes and seconds on the air; when the last label is done

Nothing is written. Counts are exact. What the law says of each product's own past is bounded, and
the answer says how many were asked; pictures are of a few labels of each panel.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.face import Face
from esl.domain.ids import LabelId, PanelId, Sku
from esl.domain.panel import Panels
from esl.domain.place import Store
from esl.domain.promotion.offer import Offer
from esl.domain.promotion.promotion import Promotion
from esl.domain.promotion.window import Run, runs
from esl.domain.template_rule import RuleBook, choose_template
from esl.services.promotions.ahead import faces_at
from esl.services.promotions.books import book_with, promotion_of, selected_skus
from esl.services.promotions.offering import offers_at
from esl.services.promotions.reaching import Live, live_of
from esl.services.promotions.rivals import Contest, Rival, find_rivals
from esl.services.till_channels import missing_till_channels
from esl.store import price_intake, promoted, promotion_rows, templates

LOOKED_AT_MOST: Final = 3_000
"""Products of a store whose past is asked for what the law lets labels claim."""

EXAMPLES_MOST: Final = 5

PUT_S: Final = 3.9
"""Seconds on the air of a whole picture of 296 × 128 (docs/simulator.md, airtime)."""

SHOW_S: Final = 0.4
"""Seconds on the air of a timed show: it is told with the next beacon (docs/simulator.md)."""

REFRESH_MA: Final = 20.0
"""Current while a display refreshes (battery model of the field notes, commercial 2)."""

BATTERY_MAH: Final = 620.0
"""A CR2450 (the same)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What labels may not claim, or what holds nothing: for how many products, and some."""

    code: str
    products: int
    examples: tuple[Sku, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A label as it will be."""

    label_id: LabelId
    panel_id: PanelId
    template: str | None  # of the promotion; None: as the rules choose
    drawn_by: str  # the template that draws it, by the promotion's word or the rules'
    face: Face


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePreview:
    """What it would do in one store."""

    store: Store
    first: Run | None  # its first run from now on
    products: int  # that it selects
    priced: int  # of them with a price
    labels: int  # in its areas
    at_first: int  # of them in the first step of its roll-out
    staged: int  # of them with a spare slot
    looked_at: int  # whose past was asked for what the law lets them claim
    changes: int  # of those with a price: something of theirs changes
    rivals: tuple[Rival, ...]
    troubles: tuple[Trouble, ...]
    refreshes: int  # of all labels, for its first run: at its begin and at its end
    battery_mah: float  # of the label that spends most for it, by the model of the field notes
    air_s: float  # the busiest gateway's, ahead of the moment and at it
    done_after_s: float  # after its moment; an estimate
    examples: tuple[Example, ...]


def preview(
    tx: Connection,
    promotion: Promotion,
    stores: Sequence[Store],
    now: datetime,
    *,
    panels: Panels,
    chosen: Iterable[PanelId] = (),
) -> list[StorePreview]:
    """Say what a promotion would do in its stores if it were scheduled now.

    ``chosen`` are the panels that examples are wanted of; without any, of all there are.
    """
    wanted = frozenset(chosen)
    return [_in_store(tx, promotion, store, now, panels, wanted) for store in stores]


def _in_store(
    tx: Connection,
    promotion: Promotion,
    store: Store,
    now: datetime,
    panels: Panels,
    chosen: frozenset[PanelId],
) -> StorePreview:
    zone = ZoneInfo(store.timezone)
    first = next(runs(promotion.window, zone, now), None)
    at = now if first is None or first.begins is None else max(now, first.begins)
    skus = selected_skus(tx, store, [promotion])
    priced = promoted.priced(tx, store.store_id, skus)
    paired = promoted.labels_of(tx, store.store_id, skus)
    all_labels = sorted({label for found in paired.values() for label in found})
    others = [
        one
        for one in promotion_rows.live_in(tx, store.store_id)
        if one.promotion_id != promotion.promotion_id
    ]
    live = [promotion_of(one) for one in others]
    # Those on a shelf first: theirs are the labels that say it.
    looked_at = sorted(priced, key=lambda sku: (sku not in paired, sku))[:LOOKED_AT_MOST]
    held = price_intake.held_prices(tx, store.store_id, priced)
    bases = {sku: one.says for sku, one in held.items()}
    contest = Contest(tx, store, [*live, promotion], bases)
    winners = contest.winners_at(at) if first is not None else {}
    mine = [sku for sku, ids in winners.items() if promotion.promotion_id in ids]
    asked = {sku: bases[sku] for sku in looked_at if sku in bases}
    book = book_with(store, [*live, promotion])
    found = offers_at(tx, store, asked, book, at) if first is not None else {}
    this = Live(promotion)
    hanging = {
        label_id: one
        for label_id, one in promoted.hanging(tx, all_labels).items()
        if this.hangs_in_areas(one.place)
    }
    slots = {one: (p.slots if (p := panels.get(h.panel_id)) else 1) for one, h in hanging.items()}
    ahead, at_once = _air(hanging, slots)
    turns = 1 if first is None or first.ends is None else 2
    return StorePreview(
        store=store,
        first=first,
        products=len(skus),
        priced=len(priced),
        labels=len(hanging),
        at_first=sum(this.reaches(label_id, one.place) for label_id, one in hanging.items()),
        staged=sum(count > 1 for count in slots.values()),
        looked_at=len(asked),
        changes=len(mine),
        rivals=find_rivals(
            tx, promotion, others, now, contest, skus=frozenset(skus), priced=frozenset(bases)
        ),
        troubles=(
            *_troubles(found, mine, sorted(bases) if first is not None else ()),
            *_troubles_of_its_own(tx, promotion, store, len(priced)),
        ),
        refreshes=len(hanging) * turns,
        battery_mah=turns * _slowest_refresh(hanging, panels) * REFRESH_MA / 3600.0,
        air_s=ahead + at_once,
        done_after_s=at_once + _slowest_refresh(hanging, panels),
        examples=_examples(tx, store, [*map(live_of, others), this], at, hanging, chosen),
    )


# -- the law -------------------------------------------------------------------------------------


def _troubles(
    found: Mapping[Sku, Offer], mine: Iterable[Sku], priced: Iterable[Sku]
) -> tuple[Trouble, ...]:
    by_code: dict[str, list[Sku]] = {}
    ours = set(mine)
    for sku, offer in sorted(found.items()):
        if offer.trouble is not None and sku in ours:
            by_code.setdefault(offer.trouble.value, []).append(sku)
    nothing = [sku for sku in priced if sku not in ours]
    if nothing:
        by_code["changes_nothing"] = nothing
    return tuple(
        Trouble(code=code, products=len(skus), examples=tuple(skus[:EXAMPLES_MOST]))
        for code, skus in sorted(by_code.items())
    )


def _troubles_of_its_own(
    tx: Connection, promotion: Promotion, store: Store, products: int
) -> Iterator[Trouble]:
    """Name what is wrong with it as a whole in a store."""
    if missing_till_channels(tx, [store.store_id]):
        yield Trouble(code="no_till_channel", products=products, examples=())
    if promotion.is_markdown and promotion.badge is None:
        yield Trouble(code="markdown_without_badge", products=products, examples=())


# -- what it costs -------------------------------------------------------------------------------


def _air(
    hanging: Mapping[LabelId, promoted.Hanging], slots: Mapping[LabelId, int]
) -> tuple[float, float]:
    """Return the busiest gateway's seconds on the air: ahead of the moment, and at it."""
    ahead: Counter[str] = Counter()
    at_once: Counter[str] = Counter()
    for label_id, one in hanging.items():
        gateway = one.gateway_id or ""
        can_wait = slots[label_id] > 1 and one.keeps_time
        (ahead if can_wait else at_once)[gateway] += 1
    shows = max((count * SHOW_S for count in ahead.values()), default=0.0)
    return (
        max((count * PUT_S for count in ahead.values()), default=0.0),
        max((count * PUT_S for count in at_once.values()), default=0.0) + min(shows, 1.0),
    )


def _slowest_refresh(hanging: Mapping[LabelId, promoted.Hanging], panels: Panels) -> float:
    found = {panels.get(one.panel_id) for one in hanging.values()}
    return max((panel.refresh_s for panel in found if panel is not None), default=0.0)


# -- examples ------------------------------------------------------------------------------------


def _examples(
    tx: Connection,
    store: Store,
    live: Sequence[Live],
    at: datetime,
    hanging: Mapping[LabelId, promoted.Hanging],
    chosen: frozenset[PanelId],
) -> tuple[Example, ...]:
    """Take a label of each panel, as it will be."""
    by_panel: dict[PanelId, list[LabelId]] = {}
    for label_id, one in sorted(hanging.items()):
        if not chosen or one.panel_id in chosen:
            by_panel.setdefault(one.panel_id, []).append(label_id)
    some = [label for labels in by_panel.values() for label in labels[:EXAMPLES_MOST]]
    if not some:
        return ()
    own: dict[LabelId, str] = {}
    faces = faces_at(tx, store, live, at, some, own)
    rules = RuleBook(templates.rules_of(tx, [store.store_id])[store.store_id])
    found: list[Example] = []
    for panel_id, labels in sorted(by_panel.items()):
        shown = [label for label in labels[:EXAMPLES_MOST] if label in faces]
        found += [
            Example(
                label_id=label,
                panel_id=panel_id,
                template=own.get(label),
                drawn_by=own.get(label) or choose_template(rules, faces[label], panel_id).template,
                face=faces[label],
            )
            for label in shown[:EXAMPLES_MOST]
        ]
    return tuple(found)
