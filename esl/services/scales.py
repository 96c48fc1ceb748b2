"""Scales: weigh what sources say of prices, one change after another, against what holds by then.

::

    said ──▶ late? ────────────▶ superseded   stored, and nothing else
        ──▶ what holds already? ▶ unchanged
        ──▶ its price owned? ───▶ superseded  a source of higher priority says this price
        ──▶ guards ─────────────▶ rejected, quarantined
        ──▶ accepted            it holds; the next change is weighed against it

Nothing is read or written here but through what the scales were made with, so that a batch of
10,000 changes costs a handful of statements.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from esl.domain.errors import NumberUsed
from esl.domain.guards import (
    PASSED,
    PASSED_BIG,
    Guards,
    Judgement,
    Reason,
    Verdict,
    breaks_bulk,
    doubts_of,
    is_big,
)
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import Decision, Keep, Says
from esl.store.price_intake import HeldPrice, SaidBy, SaidPrice, SourcePosition

Judge = Callable[[], Judgement]
Raw = tuple[int, int | Keep | None, int | Keep | None, str | Keep | None]
"""Price, old price, unit price and badge as they were sent."""

AHEAD_MOST: Final = timedelta(minutes=10)
"""How far the clock of a source may be ahead of ours, and its times still order what it says."""

NEW: Final = PASSED
"""A first price is compared with nothing."""

_YIELDS: Final = (Reason.YIELDS,)
_OVERTAKEN: Final = (Reason.OVERTAKEN,)
_BULK: Final = (Reason.BULK,)


class KnownProduct(Protocol):
    """What scales ask of a product."""

    @property
    def category(self) -> str | None:
        """What limits may differ by."""

    @property
    def owners(self) -> str | None:
        """JSON: which source said which field."""


@dataclass(slots=True)
class Breaker:
    """Counts big changes of a source, or of all unregistered ones; trips when they are too many.

    It stays so.
    """

    before: int  # within the last minutes, of other batches
    tripped: bool = False
    counted: int = 0


@dataclass(slots=True)
class Scales:
    """Weighs changes of one store.

    ``known`` are the products there are, ``held`` their prices. ``said`` is what sources said
    under the number in ``positions``, where a change has the same. ``counted_as`` names the
    breaker that counts a source, ``breaker_of`` makes it, ``products`` counts the store's products
    up to a number; the two are asked once it matters. ``yields`` says whether a source yields to
    the owner of a product's price.
    """

    known: Mapping[Sku, KnownProduct]
    held: dict[Sku, HeldPrice]
    positions: dict[SaidBy, SourcePosition]
    said: dict[SaidBy, SaidPrice]
    guards_of: Callable[[SourceId], Guards]
    counted_as: Callable[[SourceId], SourceId]
    breaker_of: Callable[[SourceId], Breaker]
    products: Callable[[int], int]
    today: str
    latest: datetime  # a time of a source that lies behind it says nothing of an order
    yields: Callable[[SourceId, Sku], bool] | None = None
    moved: dict[SaidBy, SourcePosition] = field(default_factory=dict)
    changed: dict[Sku, None] = field(default_factory=dict)  # in the order they were accepted
    spoken: dict[Sku, SourceId] = field(default_factory=dict)  # whose word was accepted last
    breakers: dict[SourceId, Breaker] = field(default_factory=dict)
    overtaken: Container[Sku] = ()  # of which somebody said a price after what is weighed was sent
    held_back: set[SaidBy] = field(default_factory=set)  # whose last word waits for a person
    is_guarded: bool = True  # False: a person has approved what is weighed
    is_batch: bool = True  # False: what is weighed came by itself; a breaker holds back no rest

    def weigh(
        self,
        *,
        sku: Sku,
        source: SourceId,
        seq: int | None,
        time: datetime | None,
        new: Says,
        raw: Raw | None,
        path: str,
        judge: Judge | None = None,
    ) -> tuple[Decision, tuple[Reason, ...]]:
        """Decide on one change, and let it hold if it is accepted.

        ``judge`` asks the guards; None asks the plain ones for a price without promotion.
        """
        old = self.held.get(sku)
        same = old is not None and old.says == new
        is_ordered = seq is not None or time is not None
        key = source, sku
        if (
            is_ordered
            and key in self.positions
            and self._came_late(key, seq, time, same=same, raw=raw, path=path)
        ):
            return Decision.SUPERSEDED, ()
        decision, reasons = self._decide(sku, source, old, new, raw, judge, same=same)
        if is_ordered:
            self.note_position(key, seq, time)
            if seq is not None:
                self.said[key] = SaidPrice._make(new[:4])
        if decision is Decision.ACCEPTED:
            again = old is not None and old.changed_on == self.today
            changes = 0 if old is None else old.changes_that_day + 1 if again else 1
            self.held[sku] = HeldPrice(new, self.today, changes)
            self.changed[sku] = None
            self.spoken[sku] = source
        return decision, reasons

    def ask(self, sku: Sku, source: SourceId, judge: Judge) -> tuple[Decision, tuple[Reason, ...]]:
        """Ask the guards about a price that is to hold later."""
        guards = self.guards_of(source)
        if not self.is_guarded or not guards.on:
            return Decision.ACCEPTED, ()
        return self._decision_by(judge(), guards, source, is_first=sku not in self.held)

    def ask_plain(
        self, sku: Sku, source: SourceId, new: Says
    ) -> tuple[Decision, tuple[Reason, ...]]:
        """Ask the guards as `ask` does, about a price without a promotion."""
        guards, old = self.guards_of(source), self.held.get(sku)
        return self.ask(sku, source, lambda: self._judge(sku, old, new, guards, (*new[:4],)))

    def _decide(
        self,
        sku: Sku,
        source: SourceId,
        old: HeldPrice | None,
        new: Says,
        raw: Raw | None,
        judge: Judge | None,
        *,
        same: bool,
    ) -> tuple[Decision, tuple[Reason, ...]]:
        if same:
            return Decision.UNCHANGED, ()
        if self.yields is not None and self.yields(source, sku):
            return Decision.SUPERSEDED, _YIELDS
        if sku in self.overtaken:
            return Decision.SUPERSEDED, _OVERTAKEN
        if not self.is_guarded:
            return Decision.ACCEPTED, ()
        guards = self.guards_of(source)
        if not guards.on:
            return Decision.ACCEPTED, ()
        said = judge() if judge is not None else self._judge(sku, old, new, guards, raw)
        return self._decision_by(said, guards, source, is_first=old is None)

    def _decision_by(
        self, said: Judgement, guards: Guards, source: SourceId, *, is_first: bool
    ) -> tuple[Decision, tuple[Reason, ...]]:
        if said.verdict is Verdict.REJECT:
            return Decision.REJECTED, said.reasons
        if said.verdict is Verdict.QUARANTINE:
            return Decision.QUARANTINED, said.reasons
        if not is_first and self._is_held_back(source, guards, big=said.big):
            return Decision.QUARANTINED, _BULK
        return Decision.ACCEPTED, ()

    def _judge(
        self, sku: Sku, old: HeldPrice | None, new: Says, guards: Guards, raw: Raw | None
    ) -> Judgement:
        """Ask the guards about a plain price: the hot part of `esl.domain.guards.judge`.

        A sender that names what holds now as the old price announces a promotion.
        """
        limits = guards.limits
        if guards.categories:
            limits = guards.for_category(self.known[sku].category)
        price = new.price_minor
        if price > limits.highest_minor:
            return Judgement(verdict=Verdict.REJECT, reasons=(Reason.TOO_HIGH,))
        if price < limits.lowest_minor:
            return Judgement(verdict=Verdict.REJECT, reasons=(Reason.TOO_LOW,))
        if old is None:
            return NEW
        was = old.says.price_minor
        if price == was:
            return PASSED
        regular = regular_of(old.says)
        announced = raw is not None and raw[1] is not None and raw[1] in (was, regular)
        reasons = doubts_of(
            price, was, regular, self.changes_today(old), limits, is_promotion=announced
        )
        big = price != regular and is_big(price, was, limits)
        if reasons:
            return Judgement(verdict=Verdict.QUARANTINE, reasons=reasons, big=big)
        return PASSED_BIG if big else PASSED

    def changes_today(self, old: HeldPrice) -> int:
        """Say how often a product's price has changed today, by now."""
        return old.changes_that_day if old.changed_on == self.today else 0

    def _is_held_back(self, source: SourceId, guards: Guards, *, big: bool) -> bool:
        """Count a change at the circuit breaker; say whether it is held back."""
        name = self.counted_as(source)
        breaker = self.breakers.get(name)
        if breaker is not None and breaker.tripped and self.is_batch:
            return True
        if not big or guards.limits.bulk_permille is None:
            return False
        if breaker is None:
            breaker = self.breakers[name] = self.breaker_of(name)
            if breaker.tripped:
                return True
        count = breaker.before + breaker.counted + 1
        if count > guards.limits.bulk_least:
            enough = count * 1000 // max(1, guards.limits.bulk_permille) + 1
            if breaks_bulk(count, self.products(enough), guards.limits):
                breaker.tripped = True
                return True
        breaker.counted += 1
        return False

    def _came_late(
        self,
        key: SaidBy,
        seq: int | None,
        time: datetime | None,
        *,
        same: bool,
        raw: Raw | None,
        path: str,
    ) -> bool:
        """Say whether the source said something newer of this product before.

        A source with sequence numbers is ordered by them alone; one that sends only times, by
        times; one that sends neither, by the order in which its changes are committed.
        """
        before = self.positions.get(key)
        if before is None:
            return False
        if seq is not None and before.last_seq is not None:
            if seq == before.last_seq:
                if same:
                    return False
                if self._repeats(key, raw):
                    # Sent again. It is late if another source has spoken since, and not if it
                    # was held back the first time, and is to be held back again.
                    return key not in self.held_back
                raise NumberUsed.at(
                    f"{path}/source_seq",
                    "used before with another price",
                    fix="Give every change of a product a higher sequence number.",
                )
            return seq < before.last_seq
        if time is not None and before.last_time is not None:
            return time < before.last_time
        return False

    def _repeats(self, key: SaidBy, raw: Raw | None) -> bool:
        """Say whether a change says what its source said before under the same number."""
        before = self.said.get(key)
        if before is None or raw is None:
            return False
        price, was, unit, badge = raw
        return before == (
            price,
            before.was_minor if isinstance(was, Keep) else was,
            before.unit_price_minor if isinstance(unit, Keep) else unit,
            before.badge if isinstance(badge, Keep) else badge,
        )

    def note_position(self, key: SaidBy, seq: int | None, time: datetime | None) -> None:
        """Note how far a source has come with a product.

        A clock that is far ahead is no measure: once it is right, its source must be heard.
        """
        if time is not None and time > self.latest:
            time = self.latest - AHEAD_MOST
        before = self.positions.get(key)
        if before is not None:
            seq = before.last_seq if seq is None else seq
            time = before.last_time if time is None else time
        self.positions[key] = self.moved[key] = SourcePosition(seq, time)


def regular_of(says: Says) -> int | None:
    """Return the price that comes back when the promotion on the shelf ends; None without one."""
    regular = says.regular_minor if says.regular_minor is not None else says.was_minor
    return regular if regular is not None and regular > says.price_minor else None
