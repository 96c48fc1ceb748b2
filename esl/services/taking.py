"""The work behind `esl.services.listening`: one batch of entries of one source for one store."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.entry import Entry, StatedPromotion
from esl.domain.errors import InvalidInput
from esl.domain.guards import Held, Judgement, Limits, Reason, Said
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.plain_guards import judge_plain
from esl.domain.pricing import KEEP, Decision, Keep, Says
from esl.domain.source import PRICE_FIELD
from esl.domain.till_offer import is_promotion_alone, says_by_till
from esl.services.entry_checks import (
    came_late,
    check_entry,
    check_room,
    content_of,
    given,
    held_entry,
    judge_all,
    price_meant,
    promotion_as_price,
    says_price,
)
from esl.services.merging import Merger, NotTaken
from esl.services.price_books import Closed, open_books, positions_of
from esl.services.scales import regular_of
from esl.services.stock_bands import StockMoves
from esl.services.till_plans import TillPlans, entry_over, said_until_a_moment
from esl.services.till_promotions import TillPromotions
from esl.services.turning import settle_overdue
from esl.store import listed, missing, price_intake, products, words
from esl.store.desk import owners_from, owners_with
from esl.store.listed import Listed
from esl.store.promotions import HeldPromotion

_PRICE: Final = (PRICE_FIELD,)


class TakenEntry(NamedTuple):
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
        settle_overdue(tx, store_id, skus, now)
        self._products: dict[Sku, Listed] = {}
        self.books = open_books(tx, store_id, skus, now, tripped=tripped, lock=self._lock)
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
        self._gtins = listed.further_gtins(tx, store_id, skus)
        self._stock = StockMoves(tx, store_id, skus)
        self._promotions = TillPromotions(tx, store_id, skus, source)
        beneath = said_until_a_moment(entries, now)
        self._plans = TillPlans(tx, store_id, skus, now, self.books.desk, beneath=beneath)
        scales.yields = self._plans.yields_by(scales.yields)
        today = now.astimezone(ZoneInfo(self.books.store.timezone)).date().isoformat()
        self._merger = Merger(source, self.books.desk, today)
        self._guards = self.books.desk.guards_of(source)
        self._has_ranks = self.books.desk.has_ranks
        self._to_put: dict[Sku, Listed] = {}
        self._gtins_to_put: dict[Sku, tuple[str, ...]] = {}
        self._shown: dict[Sku, None] = {}

    def _lock(self, tx: Connection, store_id: StoreId, skus: list[Sku]) -> dict[Sku, Listed]:
        """Lock the products' rows; what is known of them as a whole is kept for `take`."""
        known = listed.lock_listed(tx, store_id, skus)
        self._products = dict(known)
        return known

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
        self._stock.write()
        self._promotions.write(now, batch_id=batch_id)
        self._plans.write(actor=actor, batch_id=batch_id)
        if missing.any_missing(tx, store_id):
            missing.forget_missing(tx, store_id, sorted({entry.sku for entry in self._entries}))
        return taken, closed

    def _write_products(self, rev: int) -> None:
        listed.put_listed(self._tx, self._store_id, self._to_put.items(), rev)

    # -- one entry -------------------------------------------------------------------------------

    def _take(self, entry: Entry, *, full: bool) -> TakenEntry:
        try:
            return self._take_whole(entry, full=full)
        except (NotTaken, InvalidInput) as exc:
            detail = exc.problems[0].detail if isinstance(exc, InvalidInput) else str(exc)
            return TakenEntry(entry.sku, Decision.REJECTED, (), detail)

    def _take_whole(self, entry: Entry, *, full: bool) -> TakenEntry:
        sku, currency = entry.sku, self.books.store.currency
        if entry.currency != currency:
            words_ = f"currency: the store's is {currency}"
            return TakenEntry(sku, Decision.REJECTED, (Reason.CURRENCY,), words_)
        if came_late(entry, self._scales.positions.get((self._source, sku))):
            return self._superseded(entry)
        check_entry(entry)
        held = self._products.get(sku)
        product, further = self._merger.merge(entry, held)
        told = self._take_price(entry, product, full=full)
        if told.decision is Decision.REJECTED:
            return told
        taken = says_price(entry) and told.decision in (Decision.ACCEPTED, Decision.UNCHANGED)
        if taken and not self._is_for_later(entry):
            product = self._owned(product, told.decision)
        changed = self._keep_product(sku, held, product, further)
        if told.decision in (Decision.UNCHANGED, Decision.SUPERSEDED) and changed:
            return TakenEntry(
                sku, Decision.ACCEPTED, told.reasons, changed=told.changed or sku in self._shown
            )
        return told

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
            if held is not None and self._stock.differs(sku, held, product):
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
        if self._yields(entry, product):
            return TakenEntry(sku, Decision.SUPERSEDED, (Reason.YIELDS,))
        if self._is_for_later(entry):
            return self._plan(entry, product)
        return self._hold_now(entry, product, known, full=full)

    def _owned(self, product: Listed, decision: Decision) -> Listed:
        """Note that the source says the price now: where it changed it, or nobody else did."""
        owner = owners_from(product.owners).get(PRICE_FIELD)
        same, desk = decision is Decision.UNCHANGED and bool(owner), self.books.desk
        if owner == self._source or (same and not desk.goes_beyond(self._source, owner)):
            return product
        return Listed._make((*product[:-1], owners_with(product[-1], self._source, _PRICE)))

    def _is_for_later(self, entry: Entry) -> bool:
        return entry.valid_from is not None and entry.valid_from > self._now

    def _yields(self, entry: Entry, product: Listed) -> bool:
        """Say whether a source of higher priority says the price; keep what may hold after it."""
        if not self._has_ranks or not self._scales.is_guarded:
            return False  # or a person has approved it, or its moment has come
        sku, source = entry.sku, self._source
        if not self._plans.is_layered(sku):
            owner = owners_from(product.owners).get(PRICE_FIELD)
            return self.books.desk.owner_above(owner, source, PRICE_FIELD)
        above = self._plans.ranks_above(sku, source, max(self._now, entry.valid_from or self._now))
        if True in above or not above or self._is_for_later(entry):
            return True in above
        old = held.says if (held := self._scales.held.get(sku)) is not None else None
        doubted, _ = self._scales.ask(sku, source, partial(self._judge, entry, product, old))
        draft = self._plans.draft_entry(entry, source, held=old, owners=product.owners)
        if draft is not None and not draft.is_too_many and doubted is Decision.ACCEPTED:
            self._plans.keep(draft)
        return True

    def _hold_now(
        self, entry: Entry, product: Listed, known: list[HeldPromotion], *, full: bool
    ) -> TakenEntry:
        sku, source, now = entry.sku, self._source, self._now
        held = self._scales.held.get(sku)
        old = held.says if held is not None else None
        then = self._promotions.after(entry, known, now, full=full)
        content = content_of(product) if then else None  # asked of promotions alone
        is_alone = bool(known) and old is not None and is_promotion_alone(old, known)
        regular = old if not is_alone else None
        draft = self._plans.draft_entry(entry, source, held=regular, owners=product.owners)
        if draft is None:
            new = says_by_till(entry, old, then, content, now, before=known)
        else:
            new = says_by_till(entry_over(entry, draft.says), None, then, content, now)
        check_room(is_there=draft is None or not draft.is_too_many)
        is_planned = draft is not None and draft.is_new
        if new is None:
            self._promotions.keep(known, then)
            return TakenEntry(sku, Decision.ACCEPTED if then != known else Decision.UNCHANGED)
        judges = partial(self._judge, entry, product, old, is_alone=is_alone)
        if new == old and (then != known or is_planned):
            # What is shown stays; what was stated may be wrong all the same, and show later.
            doubted, reasons = self._scales.ask(sku, source, judges)
            if doubted is not Decision.ACCEPTED:
                if doubted is Decision.QUARANTINED:
                    self._doubt(entry, old, new, reasons)
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
            self.books.doubts.end(sku)
        if decision is Decision.QUARANTINED:
            self.books.doubts.hold(held_entry(entry, self._source, old, new, reasons))
        if decision not in (Decision.ACCEPTED, Decision.UNCHANGED):
            return TakenEntry(sku, decision, reasons)
        self._promotions.keep(known, then)
        if draft is not None:
            self._plans.keep(draft)
        if decision is Decision.UNCHANGED and (then != known or is_planned):
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
        limits = self._guards.for_category(product.category)
        stated = entry.stated_promotions or entry.more_promotions
        if entry.price_minor is not KEEP and not stated:
            return self._judge_plain(entry, entry.price_minor, product, old, limits)
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

    def _judge_plain(
        self, entry: Entry, price_minor: int, product: Listed, old: Says | None, limits: Limits
    ) -> Judgement:
        """Do what `_judge` does for a price without a promotion: most rows of a list."""
        held, sku, unit = None, entry.sku, given(entry.unit_price_minor)
        if old is not None and sku in self._scales.held:
            base = old.regular_minor if old.regular_minor is not None else old.price_minor
            held = base, regular_of(old), self._scales.changes_today(self._scales.held[sku])
        content = content_of(product) if unit is not None else None
        return judge_plain(price_minor, unit, given(entry.lowest_30d_minor), content, held, limits)

    def _doubt(
        self, entry: Entry, old: Says | None, new: Says, reasons: tuple[Reason, ...]
    ) -> None:
        """Hold back what would not be shown now, and write down who said it."""
        sku, seq, time = entry.sku, entry.source_seq, entry.source_time
        self.books.doubts.hold(held_entry(entry, self._source, old, new, reasons))
        self.books.note_doubt(sku, self._source, seq, time, reasons, new)

    # -- later -----------------------------------------------------------------------------------

    def _plan(self, entry: Entry, product: Listed) -> TakenEntry:
        """Keep a price for the moment from which it holds; the guards look at it now."""
        sku, begins = entry.sku, entry.valid_from
        if begins is None:
            raise AssertionError("only a price for later is planned")
        if isinstance(entry.price_minor, Keep) and not isinstance(entry.promotion, StatedPromotion):
            raise NotTaken("valid_from: sent without a price")
        said = words.text_of_plan(words.text_of_entry(entry), entry.currency)
        mine = self._plans.waiting(sku, self._source, begins)
        doubts = self.books.doubts
        if any(p.said == said for p in mine):
            doubts.end(sku, begins)
            return TakenEntry(sku, Decision.UNCHANGED)
        check_room(is_there=self._plans.has_room(sku, instead_of=mine))
        held = self._scales.held.get(sku)
        old = held.says if held is not None else None
        decision, reasons = self._scales.ask(
            sku, self._source, partial(self._judge, entry, product, old)
        )
        if decision is Decision.REJECTED:
            return TakenEntry(sku, decision, reasons)
        if decision is Decision.QUARANTINED:
            self._doubt(entry, old, Says(price_meant(entry), None, None, None), reasons)
        else:
            doubts.end(sku, begins)
            self._plans.plan(
                sku, self._source, said, begins=begins, ends=entry.valid_to, instead_of=mine
            )
        if entry.source_seq is not None or entry.source_time is not None:
            self._scales.note_position((self._source, sku), entry.source_seq, entry.source_time)
        return TakenEntry(sku, decision, reasons)
