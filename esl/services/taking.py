"""The work behind `esl.services.listening`: one batch of entries of one source for one store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.entry import Entry, StatedPromotion
from esl.domain.errors import InvalidInput
from esl.domain.guards import Held, Judgement, Reason, Said
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision, Keep, Says
from esl.domain.source import PRICE_FIELD
from esl.domain.till_offer import is_promotion_alone, says_by_till
from esl.services.entry_checks import (
    check_entry,
    content_of,
    given,
    judge_all,
    promotion_as_price,
    says_price,
)
from esl.services.merging import NotTaken, merge
from esl.services.price_books import Closed, open_books, positions_of
from esl.services.scales import regular_of
from esl.services.till_plans import TillPlans
from esl.services.till_promotions import TillPromotions
from esl.store import listed, missing, price_intake, products, words
from esl.store.desk import owners_from, owners_with
from esl.store.listed import SHOWN, Listed
from esl.store.promotions import HeldPromotion
from esl.store.quarantine import NewHeld


@dataclass(frozen=True, slots=True)
class TakenEntry:
    """What became of an entry; ``changed`` says that its labels want something new."""

    sku: Sku
    decision: Decision
    reasons: tuple[Reason, ...] = ()
    detail: str | None = None
    changed: bool = False


class Taker:
    """Takes entries; made once a batch."""

    def __init__(
        self,
        tx: Connection,
        store_id: StoreId,
        source: SourceId,
        entries: Sequence[Entry],
        now: datetime,
        *,
        tripped: bool = False,
        is_approved: bool = False,
    ) -> None:
        skus = sorted({entry.sku for entry in entries})
        products.lock_new_products(tx, store_id, skus)
        self.books = open_books(tx, store_id, skus, now, tripped=tripped)
        self.books.refuse_disabled([source])
        self._tx = tx
        self._store_id = store_id
        self._source = source
        self._entries = entries
        self._now = now
        scales = self.books.scales
        self._scales = scales
        if is_approved:
            scales.is_guarded, scales.yields = False, None
        ordered = {
            (source, e.sku)
            for e in entries
            if e.source_seq is not None or e.source_time is not None
        }
        scales.positions = positions_of(tx, store_id, ordered)
        again = {
            (source, e.sku): e.source_seq
            for e in entries
            if e.source_seq is not None
            and (at := scales.positions.get((source, e.sku))) is not None
            and at.last_seq == e.source_seq
        }
        scales.said = price_intake.prices_numbered(tx, store_id, again) if again else {}
        self._products = listed.listed_products(tx, store_id, skus)
        self._gtins = listed.further_gtins(tx, store_id, skus)
        self._promotions = TillPromotions(tx, store_id, skus, source)
        self._plans = TillPlans(tx, store_id, skus, source, now)
        self._today = now.astimezone(ZoneInfo(self.books.store.timezone)).date().isoformat()
        # What is to be written once all entries were weighed.
        self._to_put: dict[Sku, Listed] = {}
        self._gtins_to_put: dict[Sku, tuple[str, ...]] = {}
        self._shown: dict[Sku, None] = {}

    def take(
        self, *, actor: str, batch_id: int | None, full: bool = False
    ) -> tuple[list[TakenEntry], Closed]:
        """Weigh all entries, then write what became of them."""
        taken = [self._take(entry, full=full) for entry in self._entries]
        tx, store_id, now = self._tx, self._store_id, self._now
        closed = self.books.close(
            actor=actor,
            batch_id=batch_id,
            also_touched=self._shown,
            always_takes_rev=bool(self._to_put),
            before_prices=self._write_products,
        )
        listed.put_further_gtins(tx, store_id, self._gtins_to_put)
        self._promotions.write(now, batch_id=batch_id)
        self._plans.write(actor=actor, batch_id=batch_id, rev=closed.rev)
        if missing.any_missing(tx, store_id):
            missing.forget_missing(tx, store_id, sorted({entry.sku for entry in self._entries}))
        return taken, closed

    def _write_products(self, rev: int) -> None:
        listed.put_listed(self._tx, self._store_id, self._to_put.items(), rev)

    # -- one entry -------------------------------------------------------------------------------

    def _take(self, entry: Entry, *, full: bool) -> TakenEntry:
        try:
            return self._take_whole(entry, full=full)
        except NotTaken as exc:
            return TakenEntry(entry.sku, Decision.REJECTED, (), str(exc))
        except InvalidInput as exc:
            return TakenEntry(entry.sku, Decision.REJECTED, (), exc.problems[0].detail)

    def _take_whole(self, entry: Entry, *, full: bool) -> TakenEntry:
        sku, currency = entry.sku, self.books.store.currency
        if entry.currency != currency:
            words_ = f"currency: the store's is {currency}"
            return TakenEntry(sku, Decision.REJECTED, (Reason.CURRENCY,), words_)
        if self._is_late(entry):
            return self._superseded(entry)
        check_entry(entry)
        held = self._products.get(sku)
        product, further = merge(entry, held, self._source, self.books.desk, self._today)
        told = self._take_price(entry, product, full=full)
        if told.decision is Decision.REJECTED:
            return told
        if says_price(entry) and told.decision in (Decision.ACCEPTED, Decision.UNCHANGED):
            product = self._owned(product, told.decision)
        changed = self._keep_product(sku, held, product, further)
        if told.decision in (Decision.UNCHANGED, Decision.SUPERSEDED) and changed:
            return TakenEntry(
                sku, Decision.ACCEPTED, told.reasons, changed=told.changed or sku in self._shown
            )
        return told

    def _is_late(self, entry: Entry) -> bool:
        """Say whether the source said something newer of this product, price or not."""
        before = self._scales.positions.get((self._source, entry.sku))
        if before is None:
            return False
        seq, time = entry.source_seq, entry.source_time
        if seq is not None and before.last_seq is not None:
            return seq < before.last_seq
        return time is not None and before.last_time is not None and time < before.last_time

    def _superseded(self, entry: Entry) -> TakenEntry:
        """Store what came late, where it says a price; nothing else of it counts."""
        price = entry.price_minor
        if not isinstance(price, Keep):
            self.books.note(
                sku=entry.sku,
                source=self._source,
                seq=entry.source_seq,
                time=entry.source_time,
                decision=Decision.SUPERSEDED,
                reasons=(),
                says=Says(price, None, None, None),
            )
        return TakenEntry(entry.sku, Decision.SUPERSEDED)

    def _keep_product(
        self, sku: Sku, held: Listed | None, product: Listed, further: tuple[str, ...] | None
    ) -> bool:
        """Note what is to be written of a product; say whether it changed."""
        changed = False
        if product is not held:
            self._products[sku] = self._to_put[sku] = product
            changed = held is None or product[:-1] != held[:-1]
            if held is not None and product[:SHOWN] != held[:SHOWN]:
                self._shown[sku] = None
        if further is not None and further != self._gtins.get(sku, ()):
            self._gtins[sku] = self._gtins_to_put[sku] = further
            changed = True
        return changed

    # -- its price -------------------------------------------------------------------------------

    def _take_price(self, entry: Entry, product: Listed, *, full: bool) -> TakenEntry:
        sku, source, now = entry.sku, self._source, self._now
        known = self._promotions.of(sku)
        if not says_price(entry) and not (full and known):
            if entry.source_seq is not None or entry.source_time is not None:
                self._scales.note_position((source, sku), entry.source_seq, entry.source_time)
            return TakenEntry(sku, Decision.UNCHANGED)
        if entry.valid_to is not None and entry.valid_to <= now:
            raise NotTaken("valid_to: has passed")
        if self._yields(product):
            return TakenEntry(sku, Decision.SUPERSEDED, (Reason.YIELDS,))
        if entry.valid_from is not None and entry.valid_from > now:
            return self._plan(entry, product)
        return self._hold_now(entry, product, known, full=full)

    def _owned(self, product: Listed, decision: Decision) -> Listed:
        """Note that the source says the price now: where it changed it, or nobody else did."""
        owner = owners_from(product.owners).get(PRICE_FIELD)
        if owner == self._source or (owner is not None and decision is Decision.UNCHANGED):
            return product
        return product._replace(owners=owners_with(product.owners, self._source, (PRICE_FIELD,)))

    def _yields(self, product: Listed) -> bool:
        if not self._scales.is_guarded:
            return False  # a person has approved it, or its moment has come
        owner = owners_from(product.owners).get(PRICE_FIELD)
        return self.books.desk.owner_above(owner, self._source, PRICE_FIELD)

    def _hold_now(
        self, entry: Entry, product: Listed, known: list[HeldPromotion], *, full: bool
    ) -> TakenEntry:
        sku, source, now = entry.sku, self._source, self._now
        held = self._scales.held.get(sku)
        old = held.says if held is not None else None
        then = self._promotions.after(entry, known, now, full=full)
        new = says_by_till(entry, old, then, content_of(product), now, before=known)
        if new is None:
            self._promotions.keep(known, then)
            return TakenEntry(sku, Decision.ACCEPTED if then != known else Decision.UNCHANGED)
        is_alone = old is not None and is_promotion_alone(old, known)
        judges = partial(self._judge, entry, product, old, is_alone=is_alone)
        if new == old and then != known:
            # What is shown stays; what was stated may be wrong all the same, and show later.
            doubted, reasons = self._scales.ask(sku, source, judges)
            if doubted is not Decision.ACCEPTED:
                if doubted is Decision.QUARANTINED:
                    self._hold_back(entry, old, new, reasons)
                return TakenEntry(sku, doubted, reasons)
        decision, reasons = self._scales.weigh(
            sku=sku,
            source=source,
            seq=entry.source_seq,
            time=entry.source_time,
            new=new,
            raw=(new.price_minor, new.was_minor, new.unit_price_minor, new.badge),
            path=entry.path,
            judge=judges,
        )
        if decision is not Decision.UNCHANGED or entry.source_seq is not None:
            self.books.note(
                sku=sku,
                source=source,
                seq=entry.source_seq,
                time=entry.source_time,
                decision=decision,
                reasons=reasons,
                says=new,
            )
        else:
            self.books.end_waiting(sku)
        if decision is Decision.QUARANTINED:
            self._hold_back(entry, old, new, reasons)
        if decision not in (Decision.ACCEPTED, Decision.UNCHANGED):
            return TakenEntry(sku, decision, reasons)
        self._promotions.keep(known, then)
        planned = self._plans.hold_until(entry, old, is_accepted=decision is Decision.ACCEPTED)
        if decision is Decision.UNCHANGED and (then != known or planned):
            return TakenEntry(sku, Decision.ACCEPTED)
        return TakenEntry(sku, decision, reasons, changed=decision is Decision.ACCEPTED)

    def _judge(
        self, entry: Entry, product: Listed, old: Says | None, *, is_alone: bool = False
    ) -> Judgement:
        """Ask the guards about a price and the promotion that comes with it.

        ``is_alone`` says that what holds is a promotion's price without a regular one: another
        promotion without one is held against it as a price is against the one before.
        """
        held = self._scales.held.get(entry.sku)
        limits = self.books.desk.guards_of(self._source).for_category(product.category)
        promotion = entry.promotion if isinstance(entry.promotion, StatedPromotion) else None
        said = Said(
            currency=entry.currency,
            store_currency=self.books.store.currency,
            regular_minor=None if isinstance(entry.price_minor, Keep) else entry.price_minor,
            promotion_minor=promotion.price_minor if promotion is not None else None,
            promotion_quantity=promotion.quantity if promotion is not None else 1,
            unit_price_minor=given(entry.unit_price_minor),
            content=content_of(product),
            lowest_30d_minor=given(entry.lowest_30d_minor),
        )
        if old is None or held is None:
            return judge_all(said, None, limits, entry.more_promotions)
        if is_alone:
            said = promotion_as_price(said, promotion)
        # The regular price is held against the regular one, whatever promotion runs.
        base = old.regular_minor if old.regular_minor is not None else old.price_minor
        before = Held(
            price_minor=base,
            regular_minor=regular_of(old),
            changes_today=self._scales.changes_today(held),
        )
        return judge_all(said, before, limits, entry.more_promotions)

    def _hold_back(
        self, entry: Entry, old: Says | None, new: Says, reasons: tuple[Reason, ...]
    ) -> None:
        self.books.hold_back(
            NewHeld(
                sku=entry.sku,
                source=self._source,
                said=words.text_of_entry(entry),
                price_minor=new.price_minor,
                held_minor=old.price_minor if old is not None else None,
                reasons=" ".join(reasons),
            )
        )

    # -- later -----------------------------------------------------------------------------------

    def _plan(self, entry: Entry, product: Listed) -> TakenEntry:
        """Keep a price for the moment from which it holds; the guards look at it now."""
        sku, begins = entry.sku, entry.valid_from
        if begins is None:
            raise AssertionError("only a price for later is planned")
        if isinstance(entry.price_minor, Keep) and not isinstance(entry.promotion, StatedPromotion):
            raise NotTaken("valid_from: sent without a price")
        said = words.text_of_entry(entry)
        mine = self._plans.waiting(sku, begins)
        if any(p.said == said for p in mine):
            return TakenEntry(sku, Decision.UNCHANGED)
        held = self._scales.held.get(sku)
        old = held.says if held is not None else None
        decision, reasons = self._scales.ask(
            sku, self._source, partial(self._judge, entry, product, old)
        )
        if decision is not Decision.ACCEPTED:
            if decision is Decision.QUARANTINED:
                price = entry.price_minor
                shown = price if isinstance(price, int) else 0
                self._hold_back(entry, old, Says(shown, None, None, None), reasons)
            return TakenEntry(sku, decision, reasons)
        self._plans.plan(entry, begins, mine)
        if entry.source_seq is not None or entry.source_time is not None:
            self._scales.note_position((self._source, sku), entry.source_seq, entry.source_time)
        return TakenEntry(sku, Decision.ACCEPTED)
