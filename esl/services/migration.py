"""Take over what another system knew of a shop's labels: expected, paired, placed.

Rows are judged by themselves against what we know, and then written together. What we heard
ourselves counts more than what another system remembers: a gateway is taken only for a label
that has none. The same rows again change nothing, so a file that was cut off is simply sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId, PanelId, StoreId
from esl.domain.migration import Done, PairingRow, RowDecision, RowOutcome
from esl.domain.panel import Panels
from esl.domain.place import NewLabel, Pairing
from esl.services.pairing import pair_labels, register_labels
from esl.services.placing import hang_labels
from esl.store import audit, migration, places
from esl.store.migration import KnownLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of rows, in their order, and the labels that want something new."""

    outcomes: tuple[RowOutcome, ...]
    labels: tuple[LabelId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How rows are taken: whether labels may be paired anew, and the model of unnamed panels."""

    moves: bool = False
    panel_id: PanelId | None = None


def take_pairings(
    tx: Connection,
    store_id: StoreId,
    rows: Sequence[PairingRow],
    now: datetime,
    *,
    panels: Panels,
    wishes: Wishes,
    actor: str,
    dry_run: bool = False,
) -> Moved:
    """Register and pair the labels of rows; with ``dry_run`` only say what would become of them.

    Raises:
        UnknownStore: There is no such store.
    """
    if dry_run:
        places.store_named(tx, store_id)
    else:
        places.lock_store(tx, store_id)
    judge = _Judge(tx, store_id, rows, panels, wishes)
    outcomes = tuple(judge.take(row) for row in rows)
    if dry_run:
        return Moved(outcomes=outcomes, labels=())
    if judge.new:
        register_labels(tx, store_id, list(judge.new.values()), now, panels=panels)
    pairs = list(judge.paired.values())
    touched: tuple[LabelId, ...] = ()
    if pairs:
        touched = pair_labels(tx, store_id, pairs, now, single=False, actor=actor)
    hung = hang_labels(tx, store_id, dict(judge.placed), now, actor=actor)
    taken = sum(1 for one in outcomes if one.decision is RowDecision.TAKEN)
    if taken:
        audit.note(
            tx,
            now,
            actor=actor,
            action="pairings_migrated",
            subject=f"store/{store_id}",
            store_id=store_id,
            detail={"registered": len(judge.new), "paired": len(pairs), "rows": taken},
        )
    return Moved(outcomes=outcomes, labels=tuple(dict.fromkeys((*judge.new, *touched, *hung))))


class _Judge:
    """Weighs rows one after the other, each against what the ones before it make."""

    def __init__(
        self,
        tx: Connection,
        store_id: StoreId,
        rows: Sequence[PairingRow],
        panels: Panels,
        wishes: Wishes,
    ) -> None:
        self._store_id = store_id
        self._panels = panels
        self._wishes = wishes
        self._known = migration.known_labels(tx, {row.label_id for row in rows})
        self._skus = migration.known_skus(tx, store_id, (sku for r in rows for sku in r.skus))
        named = {row.gateway_id for row in rows if row.gateway_id is not None}
        self._gateways = {
            gateway
            for gateway, of in places.stores_of_gateways(tx, named).items()
            if of == store_id
        }
        self.new: dict[LabelId, NewLabel] = {}
        self.paired: dict[LabelId, Pairing] = {}
        self.placed: dict[LabelId, str] = {}

    def take(self, row: PairingRow) -> RowOutcome:
        """Say what becomes of a row, and note what is to be written of it."""
        known = self._known.get(row.label_id)
        wrong = self._refusal(row, known)
        if wrong is not None:
            field, reason, fix = wrong
            return RowOutcome(
                row=row.row,
                label=row.label_id,
                decision=RowDecision.REJECTED,
                sku=row.sku,
                more=row.more,
                before=known.skus if known is not None and field == "sku" else (),
                field=field,
                reason=reason,
                fix=fix,
            )
        done: list[Done] = []
        before = known.skus if known is not None else ()
        known = self._expect(row, known, done)
        if row.sku is not None and row.skus != known.skus:
            done.append(Done.MOVED if known.skus else Done.PAIRED)
            self.paired[row.label_id] = Pairing(label_id=row.label_id, sku=row.sku, more=row.more)
            known = replace(known, skus=row.skus)
        if row.place is not None and row.place != known.place:
            done.append(Done.PLACED)
            self.placed[row.label_id] = row.place
            known = replace(known, place=row.place)
        self._known[row.label_id] = known
        return RowOutcome(
            row=row.row,
            label=row.label_id,
            decision=RowDecision.TAKEN if done else RowDecision.UNCHANGED,
            done=tuple(done),
            sku=row.sku,
            more=row.more,
            before=before if Done.MOVED in done else (),
        )

    def _expect(self, row: PairingRow, known: KnownLabel | None, done: list[Done]) -> KnownLabel:
        """Register the label of a row where it is not, and route it where it has no gateway."""
        gateway = row.gateway_id
        if known is not None and not known.is_retired:
            if gateway is None or known.gateway_id is not None:
                return known
            done.append(Done.ROUTED)
        else:
            done.append(Done.REGISTERED)
        panel = known.panel_id if known is not None else row.panel_id or self._wishes.panel_id
        if panel is None:
            raise AssertionError("a label without a panel was refused")
        self.new[row.label_id] = NewLabel(
            label_id=row.label_id, store_id=self._store_id, panel_id=panel, gateway_id=gateway
        )
        return KnownLabel(
            store_id=self._store_id,
            panel_id=panel,
            gateway_id=gateway,
            place=known.place if known is not None else None,
            skus=known.skus if known is not None else (),
            is_retired=False,
        )

    def _refusal(self, row: PairingRow, known: KnownLabel | None) -> tuple[str, str, str] | None:
        """Return field, reason and fix where a row cannot be taken."""
        return (
            self._refuse_label(row, known)
            or self._refuse_gateway(row.gateway_id)
            or self._refuse_sku(row, known)
        )

    def _refuse_label(
        self, row: PairingRow, known: KnownLabel | None
    ) -> tuple[str, str, str] | None:
        panel = row.panel_id
        is_foreign = known is not None and known.store_id != self._store_id
        if is_foreign and (panel or self._wishes.panel_id) is not None:
            # Who may not know of the other store learns no more than by registering it.
            reason = "is registered to another store or panel model"
            return "label", reason, "If it is yours, retire it there first."
        if known is not None and not is_foreign:
            if panel in (None, known.panel_id):
                return None
            return (
                "panel",
                f"the label is a {known.panel_id}, and the row says {panel}",
                "Correct the row, or retire the label and register it anew.",
            )
        panel = panel or self._wishes.panel_id
        if panel is None:
            return (
                "panel",
                "the label is new, and no row or option says which model it is",
                "Add a column panel, or name one model for all with --panel.",
            )
        if panel not in self._panels:
            near = " or ".join(self._panels.near(panel))
            hint = f"Perhaps {near}? " if near else ""
            return "panel", f"no panel model is named {panel}", f"{hint}All of them: esl panels."
        return None

    def _refuse_gateway(self, gateway: GatewayId | None) -> tuple[str, str, str] | None:
        if gateway is None or gateway in self._gateways:
            return None
        return (
            "gateway",
            f"the store has no gateway {gateway}",
            "Enrol it first, or leave it out: labels are heard anyway.",
        )

    def _refuse_sku(self, row: PairingRow, known: KnownLabel | None) -> tuple[str, str, str] | None:
        if row.sku is None:
            return None
        unknown = [sku for sku in row.skus if sku not in self._skus]
        if unknown:
            return (
                "sku",
                f"the store has no product {unknown[0]!r}"
                if row.more
                else "the store has no product with this SKU",
                "Bring the products first: esl migrate products.",
            )
        if known is None or known.skus in ((), row.skus) or self._wishes.moves:
            return None
        return (
            "sku",
            f"the label is paired with {', '.join(map(repr, known.skus))} here",
            "If the row is right, take it with --move.",
        )
