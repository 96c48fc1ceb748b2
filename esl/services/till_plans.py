"""The prices that tills send with a begin or an end, while a batch of words is weighed.

A price *waits* for the moment from which it holds, or *holds* until a moment; beneath those that
hold lies the *base*, which is seen again after them. What the same source says again of the same
begin takes the place of it; a word that names no begin, of what it said so before. Which of
them is seen `esl.domain.layers` says. Written once, at the end of the batch.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.layers import SILENT, Layer, Word, layers_at, over, says_at, word_of
from esl.domain.pricing import KEEP, Keep, Says
from esl.domain.source import PRICE_FIELD
from esl.store import schedule, words
from esl.store.desk import Desk, owners_from
from esl.store.schedule import EVER, NOBODY, Planned, ScheduleState

_NEW: Final = 1 << 60
"""Numbers of words that are still to be written: above all that are."""

PLANS_MOST: Final = 200
"""How many prices of a product may wait or hold until a moment; each word looks at all of them."""

HOLDING: Final = ScheduleState.HOLDING

_LOWEST: Final = -1
"""The rank of who is not known."""


def layer_of(row: Planned, desk: Desk) -> Layer:
    """Make a layer of a row; ranks matter only where sources differ in them."""
    rank = 0
    if desk.has_ranks:
        rank = _LOWEST if row.source == NOBODY else desk.priority_of(row.source)
    word = words.word_from(row.said)
    return Layer(row.schedule_id, row.source, rank, row.since, row.valid_to, word)


def base_of(sku: Sku, source: SourceId, word: Word, since: datetime, now: datetime) -> Planned:
    """Make the row of what lies beneath prices that end."""
    said = words.text_of_word(word)
    return Planned(0, sku, source, since, None, said, ScheduleState.BASE, now, "", None, since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What an entry or a price change says of a price from now on."""

    source: SourceId
    word: Word
    said: str  # the word and its moments, as it is kept
    begins: datetime | None  # as it names it; in the past
    ends: datetime | None  # None: it has no end
    is_beneath: bool = False  # the same list says another price until a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a word would make of a product; `TillPlans.keep` keeps it."""

    sku: Sku
    rows: tuple[Planned, ...]
    says: Says | None  # seen then, promotions apart
    is_new: bool
    is_too_many: bool


def said_until_a_moment(entries: Iterable[Entry], now: datetime) -> set[Sku]:
    """Name the products of which a list says a price that holds now, until a moment."""
    return {
        entry.sku
        for entry in entries
        if entry.valid_to is not None
        and entry.valid_to > now
        and (entry.valid_from is None or entry.valid_from <= now)
    }


def entry_over(entry: Entry, seen: Says | None) -> Entry:
    """Let an entry say the price that is seen, as a whole."""
    price, was, unit, badge = (KEEP, None, None, None) if seen is None else seen[:4]
    return replace(entry, price_minor=price, was_minor=was, unit_price_minor=unit, badge=badge)


def _count_plans(rows: Iterable[Planned]) -> int:
    return sum(1 for row in rows if row.state is not ScheduleState.BASE)


class TillPlans:
    """Those of some products of one store, as words change them."""

    def __init__(
        self,
        tx: Connection,
        store_id: StoreId,
        skus: Sequence[Sku],
        now: datetime,
        desk: Desk,
        *,
        beneath: Collection[Sku] = (),
    ) -> None:
        """Load them; of the products ``beneath`` the same list says prices until a moment."""
        self._beneath = beneath
        self._tx = tx
        self._store_id = store_id
        self._now = now
        self._desk = desk
        self._rows: dict[Sku, tuple[Planned, ...]] = {}
        self._stored: dict[Sku, tuple[Planned, ...]] = {}
        self._next = _NEW
        if not schedule.has_plans(tx, store_id):
            return
        found: dict[Sku, list[Planned]] = {}
        for row in schedule.live_prices(tx, store_id, skus):
            found.setdefault(row.sku, []).append(row)
        self._rows = {sku: tuple(rows) for sku, rows in found.items()}
        self._stored = dict(self._rows)

    def is_layered(self, sku: Sku) -> bool:
        """Say whether a price of a product holds until a moment."""
        return bool(self._rows) and any(row.holds for row in self._rows.get(sku, ()))

    def ranks_above(self, sku: Sku, source: SourceId, at: datetime) -> set[bool]:
        """Of the words of higher priority on a layered product at a moment: has each no end?"""
        if not self._desk.has_ranks:
            return set()
        rank = self._desk.priority_of(source)
        live = layers_at(self._layers(self._rows.get(sku, ())), at)
        return {layer.until is None for layer in live if layer.rank > rank}

    def yields_by(
        self, by_owner: Callable[[SourceId, Sku], bool] | None
    ) -> Callable[[SourceId, Sku], bool] | None:
        """Let owners decide who yields, but of layered products: there the layers do."""
        if by_owner is None or not self._rows:
            return by_owner
        return lambda source, sku: not self.is_layered(sku) and by_owner(source, sku)

    def waiting(self, sku: Sku, source: SourceId, begins: datetime) -> list[Planned]:
        """Return what a source has said for a moment to come."""
        return [
            row
            for row in self._rows.get(sku, ())
            if row.source == source and row.valid_from == begins and not row.holds
        ]

    def has_room(self, sku: Sku, *, instead_of: Collection[Planned]) -> bool:
        """Say whether another price for later can be kept, or one in place of others."""
        rows = self._rows.get(sku, ())
        return bool(instead_of) or len(rows) < PLANS_MOST or _count_plans(rows) < PLANS_MOST

    def plan(
        self,
        sku: Sku,
        source: SourceId,
        said: str,
        *,
        begins: datetime,
        ends: datetime | None,
        instead_of: Collection[Planned] = (),
    ) -> None:
        """Keep a price for later."""
        kept = [row for row in self._rows.get(sku, ()) if row not in instead_of]
        row = self._row(sku, source, said, begins, ends, ScheduleState.WAITING)
        self._rows[sku] = (*kept, row)

    def draft_entry(
        self, entry: Entry, source: SourceId, *, held: Says | None, owners: str | None
    ) -> Draft | None:
        """Say what an entry would make of its product, as `draft`; None where nothing ends."""
        if entry.valid_to is None and not self.is_layered(entry.sku):
            return None
        word = Word(entry.price_minor, entry.was_minor, entry.unit_price_minor, entry.badge)
        ends = entry.valid_to if word != SILENT else None  # else it ends a promotion alone
        if ends is None and not self.is_layered(entry.sku):
            return None
        spoken = Spoken(
            source=source,
            word=word,
            said=words.text_of_plan(words.text_of_entry(entry), entry.currency),
            begins=entry.valid_from,
            ends=ends,
            is_beneath=ends is None and entry.sku in self._beneath,
        )
        owner = owners_from(owners).get(PRICE_FIELD)
        return self.draft(entry.sku, spoken, held=held, owner=owner)

    def draft(self, sku: Sku, spoken: Spoken, *, held: Says | None, owner: str | None) -> Draft:
        """Say what a word would make of a product that is layered, or of which it has an end.

        ``held`` is what holds by ``owner``; None where it is no regular price.
        """
        before = self._rows.get(sku, ())
        rows = list(before)
        if not self.is_layered(sku) and held is not None:
            since = SourceId(owner) if owner is not None else NOBODY
            rows.append(self._numbered(base_of(sku, since, word_of(held), EVER, self._now)))
        was = says_at(self._layers(rows), self._now)
        if spoken.ends is not None:
            after = self._with_end(sku, spoken, rows)
        elif spoken.word != SILENT:
            after = self._without_end(sku, spoken, rows)
        else:
            after = rows
        says = says_at(self._layers(after), self._now)
        if after != rows and self._says_nothing_new(spoken, rows, after, is_same=says == was):
            after = list(before)
        plans = _count_plans(after)
        return Draft(
            sku=sku,
            rows=tuple(after),
            says=says,
            is_new=tuple(after) != before,
            is_too_many=plans > PLANS_MOST and plans > _count_plans(before),
        )

    def keep(self, draft: Draft) -> None:
        """Keep what a word makes of a product; without a price that ends there is no base."""
        ends = any(row.state is HOLDING for row in draft.rows)
        rows = draft.rows if ends else [r for r in draft.rows if not r.holds]
        self._rows[draft.sku] = tuple(rows)

    def write(self, *, actor: str, batch_id: int | None) -> None:
        """Write what was noted."""
        new: list[Planned] = []
        ended: list[int] = []
        for sku, rows in self._rows.items():
            stored = self._stored.get(sku, ())
            if rows is not stored:
                new += [row for row in rows if row.schedule_id >= _NEW]
                kept = {row.schedule_id for row in rows}
                ended += [row.schedule_id for row in stored if row.schedule_id not in kept]
        if ended:
            moved = [(number, ScheduleState.REPLACED) for number in ended]
            schedule.move_planned(self._tx, moved, replaced_by=batch_id)
        if new:
            new.sort(key=lambda row: row.schedule_id)
            schedule.plan_prices(
                self._tx, self._store_id, new, self._now, actor=actor, batch_id=batch_id
            )

    def _with_end(self, sku: Sku, spoken: Spoken, rows: list[Planned]) -> list[Planned]:
        begins = spoken.begins if spoken.begins is not None else self._now
        same = [row for row in rows if self._is_of_begin(row, spoken)]
        said = words.said_over(same[0].said, spoken.said) if same else spoken.said
        row = self._row(sku, spoken.source, said, begins, spoken.ends, HOLDING)
        if same and self._is_on_top(spoken.source, rows):
            row = row._replace(counts_from=same[0].since)  # in its place among the source's own
        return [*(other for other in rows if other not in same), row]

    @staticmethod
    def _is_of_begin(row: Planned, spoken: Spoken) -> bool:
        """Say whether a price holds that the source said of the same begin, or of none."""
        if row.state is not HOLDING or row.source != spoken.source:
            return False
        if spoken.begins is None:
            return not words.has_begin(row.said)
        return words.has_begin(row.said) and row.valid_from == spoken.begins

    def _is_on_top(self, source: SourceId, rows: Iterable[Planned]) -> bool:
        """Say whether a price of a source is seen that ends."""
        seen = layers_at(self._layers(rows), self._now)
        return bool(seen) and seen[-1].source == source and seen[-1].until is not None

    def _without_end(self, sku: Sku, spoken: Spoken, rows: list[Planned]) -> list[Planned]:
        """Lay a new base; it stands for those beneath it, and so says all that they say.

        What is said without a price belongs to the price that is seen, and ends with it.
        """
        if isinstance(spoken.word.price_minor, Keep):
            return self._on_top(spoken, rows)
        desk, source = self._desk, spoken.source
        rank = desk.priority_of(source) if desk.has_ranks else 0
        beneath: list[Layer] = []
        kept: list[Planned] = []
        for row in rows:
            layer = layer_of(row, desk)
            if row.state is ScheduleState.BASE and (row.source == source or layer.rank <= rank):
                beneath.append(layer)
            elif not (self._is_as_of_now(row, source) and not spoken.is_beneath):
                kept.append(row)
        base = over(says_at(beneath, self._now), spoken.word)
        word = spoken.word if base is None else word_of(base)
        since = EVER if spoken.is_beneath else self._now
        return [*kept, self._numbered(base_of(sku, source, word, since, self._now))]

    def _on_top(self, spoken: Spoken, rows: list[Planned]) -> list[Planned]:
        seen = layers_at(self._layers(rows), self._now)
        if not seen:
            return rows
        [top] = [row for row in rows if row.schedule_id == seen[-1].number]
        said = words.said_over(top.said, words.text_of_word(spoken.word))
        if said == top.said:
            return rows
        more = self._numbered(top._replace(said=said, counts_from=top.since))
        return [*(row for row in rows if row is not top), more]

    def _is_as_of_now(self, row: Planned, source: SourceId) -> bool:
        return row.state is HOLDING and row.source == source and not words.has_begin(row.said)

    def _says_nothing_new(
        self, spoken: Spoken, rows: list[Planned], after: list[Planned], *, is_same: bool
    ) -> bool:
        """Say whether a source repeats what it has said, and it is seen as it was."""
        mine = [row for row in rows if row.source == spoken.source]
        if spoken.ends is not None:
            is_said = any(row.state is HOLDING and row.said == after[-1].said for row in mine)
            return is_said and self._is_on_top(spoken.source, rows)
        if not is_same or isinstance(spoken.word.price_minor, Keep):
            return False
        bases = [row for row in rows if row.state is ScheduleState.BASE]
        if len(bases) != 1 or bases[0] not in mine or bases[0].said != after[-1].said:
            return False
        if spoken.is_beneath:
            return True
        seen = layers_at(self._layers(rows), self._now)
        return bool(seen) and seen[-1].number == bases[0].schedule_id

    def _layers(self, rows: Iterable[Planned]) -> list[Layer]:
        return [layer_of(row, self._desk) for row in rows]

    def _row(
        self,
        sku: Sku,
        source: SourceId,
        said: str,
        begins: datetime,
        ends: datetime | None,
        state: ScheduleState,
    ) -> Planned:
        row = Planned(0, sku, source, begins, ends, said, state, self._now, "", None)
        return self._numbered(row)

    def _numbered(self, row: Planned) -> Planned:
        self._next += 1
        return row._replace(schedule_id=self._next)
