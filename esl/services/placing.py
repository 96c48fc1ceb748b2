"""Say where labels hang: rows of a planogram, and the place where somebody stands who pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, StoreId
from esl.domain.label import Lane
from esl.domain.migration import RowDecision
from esl.domain.planogram import PlaceDone, PlaceOutcome, PlaceRow
from esl.domain.shelf_place import hangs_in, walk_order
from esl.services.pairing_steps import Steps
from esl.services.promotions.reaching import reach
from esl.store import labels, migration, offers, places, shelf_places
from esl.store.revisions import take_revision

STANDS_FOR = timedelta(hours=8)
"""How long somebody stands at a place: a shift. Tomorrow's pairings are not hung there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesTaken:
    """What became of rows, in their order; ``labels`` show something else by it."""

    outcomes: tuple[PlaceOutcome, ...]
    labels: tuple[LabelId, ...]


def take_places(
    tx: Connection,
    store_id: StoreId,
    rows: Sequence[PlaceRow],
    now: datetime,
    *,
    actor: str,
    dry_run: bool = False,
) -> PlacesTaken:
    """Hang labels where rows say; with ``dry_run`` only say what would become of them.

    A row that cannot be taken is refused by itself. The same rows again change nothing. A
    promotion that is for some places, or comes to them by and by, follows.

    Raises:
        UnknownStore: There is no such store.
    """
    if dry_run:
        places.store_named(tx, store_id)
    else:
        places.lock_store(tx, store_id)
    judge = _Judge(tx, store_id, rows)
    outcomes = tuple(judge.take(row) for row in rows)
    if dry_run:
        return PlacesTaken(outcomes=outcomes, labels=())
    shelf_places.put_codes(tx, store_id, judge.codes)
    touched = hang_labels(tx, store_id, judge.placed, now, actor=actor)
    return PlacesTaken(outcomes=outcomes, labels=touched)


def hang_labels(
    tx: Connection,
    store_id: StoreId,
    placed: dict[LabelId, str | None],
    now: datetime,
    *,
    actor: str,
) -> tuple[LabelId, ...]:
    """Note where labels hang; return those that show something else by it.

    Raises:
        UnknownLabel: The store has no such label.
    """
    if not placed:
        return ()
    store = places.lock_store(tx, store_id)
    skus = shelf_places.skus_of_labels(tx, placed)
    labels.lock_labels(tx, store_id, sorted(placed))
    steps = Steps(tx, store_id, placed, actor=actor)
    migration.put_places(tx, placed)
    touched = sorted(reach(tx, store, skus, offers.offers_of(tx, store_id, skus), now))
    steps.write(now, rev=0)
    if touched:
        labels.lock_labels(tx, store_id, touched)
        labels.want(tx, touched, take_revision(tx), now, lane=Lane.NORMAL)
    return tuple(touched)


def place_scanned(tx: Connection, store_id: StoreId, code: str) -> str:
    """Return the place of a scanned shelf code.

    Raises:
        InvalidInput: The store does not know it.
    """
    found = shelf_places.codes_of(tx, store_id, [code])
    if code not in found:
        raise InvalidInput.at(
            "/code",
            "no shelf of this store has this code",
            fix="Bring shelf codes with the planogram (column code), or send the place itself.",
        )
    return found[code]


def standing_place(tx: Connection, store_id: StoreId, actor: str, now: datetime) -> str | None:
    """Return the place where somebody stands who pairs; None: nowhere."""
    found = shelf_places.stands_at(tx, store_id, actor, since=now - STANDS_FOR)
    return found[0] if found is not None else None


def labels_in_order(
    tx: Connection,
    store_id: StoreId,
    *,
    area: str | None,
    by_walk: bool,
    among: Mapping[LabelId, str | None] | None = None,
) -> list[LabelId]:
    """List a store's labels, or those of an area, by id or as one walks past them.

    ``among`` are some of them with their places, None all. Labels of which nobody said where they
    hang come last.
    """

    def everywhere() -> dict[LabelId, str | None]:
        return _within(shelf_places.places_of_store(tx, store_id), area)

    held = everywhere() if among is None else _within(among, area)
    if not by_walk:
        return sorted(held)
    walk = shelf_places.walk_of(tx, store_id)
    # In serpentines the way through an aisle depends on how many are before it.
    known = everywhere() if walk.is_serpentine and among is not None else held
    order = walk_order([place for place in known.values() if place], walk)
    last = len(order)
    by_id = sorted(held)  # and stays so within a place: two sorts are faster than one by pairs
    return sorted(by_id, key=lambda label_id: order.get(held[label_id] or "", last))


def _within(held: Mapping[LabelId, str | None], area: str | None) -> dict[LabelId, str | None]:
    if area is None:
        return dict(held)
    return {label_id: place for label_id, place in held.items() if hangs_in(place, area)}


class _Judge:
    """Weighs rows one after the other, each against what the ones before it make."""

    def __init__(self, tx: Connection, store_id: StoreId, rows: Sequence[PlaceRow]) -> None:
        named = {row.sku for row in rows if row.sku is not None and row.label_id is None}
        self._of_sku = shelf_places.labels_of_skus(tx, store_id, named)
        wanted = {row.label_id for row in rows if row.label_id is not None}
        wanted.update(label for found in self._of_sku.values() for label in found)
        self._hang = shelf_places.places_of_labels(tx, store_id, wanted)
        self._codes = shelf_places.codes_of(
            tx, store_id, {row.code for row in rows if row.code is not None}
        )
        self._said: dict[LabelId, PlaceRow] = {}
        self.placed: dict[LabelId, str | None] = {}
        self.codes: dict[str, str] = {}

    def take(self, row: PlaceRow) -> PlaceOutcome:
        """Say what becomes of a row, and note what is to be written of it."""
        label_id, wrong = self._label_of(row)
        if wrong is not None:
            field, reason, fix = wrong
            return PlaceOutcome(
                row=row.row,
                decision=RowDecision.REJECTED,
                place=row.place,
                label=row.label_id or "",
                field=field,
                reason=reason,
                fix=fix,
            )
        done: list[PlaceDone] = []
        before = self._hang.get(label_id) if label_id is not None else None
        if label_id is not None:
            self._said[label_id] = row
            if before != row.place:
                done.append(PlaceDone.MOVED if before is not None else PlaceDone.PLACED)
                self.placed[label_id] = self._hang[label_id] = row.place
        if row.code is not None and self._codes.get(row.code) != row.place:
            done.append(PlaceDone.CODE)
            self.codes[row.code] = self._codes[row.code] = row.place
        return PlaceOutcome(
            row=row.row,
            decision=RowDecision.TAKEN if done else RowDecision.UNCHANGED,
            place=row.place,
            label=label_id or "",
            before=before if PlaceDone.MOVED in done else None,
            done=tuple(done),
        )

    def _label_of(self, row: PlaceRow) -> tuple[LabelId | None, tuple[str, str, str] | None]:
        label_id = row.label_id
        if label_id is None and row.sku is not None:
            found = [one for one in self._of_sku.get(row.sku, ()) if one in self._hang]
            if len(found) != 1:
                return None, _not_one(found)
            label_id = found[0]
        if label_id is None:
            return None, None
        if label_id not in self._hang:
            reason = "the store has no such label"
            return None, ("label", reason, "Register it first, or correct the row.")
        before = self._said.get(label_id)
        if before is not None and before.place != row.place:
            return None, (
                "place",
                f"row {before.row} says that the same label hangs at {before.place}",
                "Keep the row that is right.",
            )
        return label_id, None


def _not_one(found: Sequence[LabelId]) -> tuple[str, str, str]:
    if not found:
        return "sku", "no label speaks for this product", "Pair a label with it first."
    named = ", ".join(found[:3]) + (" …" if len(found) > 3 else "")  # noqa: PLR2004  of many, three
    return (
        "sku",
        f"{len(found)} labels speak for this product: {named}",
        "Name the label, one row each.",
    )
