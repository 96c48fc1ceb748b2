"""What must hold of prices with a begin and an end, computed the slow way; and how to say them.

The oracle keeps every word and searches all of them at each moment. It shares nothing with
`esl.domain.layers` but the rules in docs/intake.md.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.guards import Guards
from esl.domain.ids import Sku, SourceId
from esl.domain.source import Source, unregistered
from esl.services import guarding, sources
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.services.schedule import apply_due
from esl.store import price_intake
from tests.builders import NOON, STORE, a_change, build_shelf

RANKS: Final = {"high": 90, "one": 50, "other": 50, "low": 10}
SKU: Final = Sku("sku-0")
FIRST: Final = 100
HOUR: Final = timedelta(hours=1)
LAST: Final = 13


@dataclass(frozen=True)
class Said:
    """One word: who says which price at which hour, from and until which."""

    hour: int
    source: str
    price: int
    begin: int | None
    end: int | None
    is_entry: bool


@dataclass(frozen=True)
class Kept:
    """A word as the oracle keeps it."""

    said: Said
    since: int
    number: int

    def lives(self, hour: int) -> bool:
        """Say whether it holds at an hour."""
        return self.since <= hour and (self.said.end is None or hour < self.said.end)


@dataclass
class Oracle:
    """All words."""

    kept: list[Kept] = field(default_factory=list)
    count: int = 0

    def top(self, hour: int) -> Kept | None:
        """Return the word that is seen."""
        best: Kept | None = None
        for word in self.kept:
            if word.lives(hour) and (best is None or _above(word, best)):
                best = word
        return best

    def price(self, hour: int) -> int:
        """Return the price that must hold."""
        top = self.top(hour)
        return FIRST if top is None else top.said.price

    def hear(self, said: Said) -> None:
        """Take a word at its hour."""
        now, self.count = said.hour, self.count + 1
        if said.end is not None and said.end <= now:
            return
        new = Kept(said, now if said.begin is None else max(now, said.begin), self.count)
        mine = [word for word in self.kept if word.said.source == said.source]
        same = [word for word in mine if _is_same_begin(word, said, now)]
        if new.since <= now and said.end is not None:
            top = self.top(now)
            is_mine = top is not None and top.said.source == said.source
            if same and is_mine and top is not None and top.said.end is not None:
                new = replace(new, since=same[0].since)
                if _means(same[0].said) == _means(said):
                    return
        elif new.since <= now:
            same = [w for w in mine if w.said.end is not None and w.said.begin is None]
        elif same and _means(same[0].said) == _means(said):
            return
        self.kept = [word for word in self.kept if word not in same] + [new]


def _above(one: Kept, other: Kept) -> bool:
    if RANKS[one.said.source] != RANKS[other.said.source]:
        return RANKS[one.said.source] > RANKS[other.said.source]
    if one.since != other.since:
        return one.since > other.since
    return one.number > other.number


def _is_same_begin(word: Kept, said: Said, now: int) -> bool:
    if said.begin is not None and said.begin > now:
        return word.said.begin == said.begin
    return word.said.end is not None and word.lives(now) and word.said.begin == said.begin


def _means(said: Said) -> tuple[int, int | None, bool]:
    return said.price, said.end, said.is_entry


def histories(most: int) -> st.SearchStrategy[tuple[list[Said], list[int]]]:
    """Words in the order of their hours, and the hours at which somebody looks."""
    hours = st.integers(0, LAST - 1)
    words = st.builds(
        Said,
        hour=hours,
        source=st.sampled_from(sorted(RANKS)),
        price=st.sampled_from([70, 80, 90, 110, 120]),
        begin=st.none() | hours,
        end=st.none() | st.integers(1, LAST - 1),
        is_entry=st.booleans(),
    ).filter(lambda w: w.begin is None or w.end is None or w.begin < w.end)
    said = st.lists(words, min_size=1, max_size=most).map(
        lambda found: sorted(found, key=lambda word: word.hour)
    )
    return st.tuples(said, st.lists(hours, max_size=5, unique=True))


def prepare(tx: Connection) -> None:
    """Set up a shop with one price, and sources of three ranks."""
    build_shelf(tx, labels_count=1, price_minor=FIRST)
    guarding.put_guards(tx, STORE, Guards(on=False), NOON, actor="t", reason="prices by lot")
    for name, rank in RANKS.items():
        source = Source(source_id=SourceId(name), name=name, priority=rank)
        sources.put_source(tx, source, NOON, actor="t")


def price_now(tx: Connection) -> int:
    """Return the price that holds."""
    return price_intake.held_prices(tx, STORE, [SKU])[SKU].says.price_minor


def say(tx: Connection, said: Said) -> None:
    """Send a word through its door."""
    now = NOON + said.hour * HOUR
    begins = None if said.begin is None else NOON + said.begin * HOUR
    ends = None if said.end is None else NOON + said.end * HOUR
    source = SourceId(said.source)
    if said.is_entry:
        entry = Entry(
            store_id=STORE,
            sku=SKU,
            currency="EUR",
            price_minor=said.price,
            valid_from=begins,
            valid_to=ends,
        )
        take_entries(tx, unregistered(source, STORE), [entry], now, actor="t", batch_id=None)
        return
    change = replace(a_change(SKU, said.price), source=source, valid_from=begins, valid_to=ends)
    apply_price_changes(tx, STORE, [change], now, actor="t")


def replay(tx: Connection, said: list[Said], looks: list[int]) -> None:
    """Say the words at their hours and look at some; compare with the oracle each time."""
    oracle = Oracle()
    for hour in range(LAST + 1):
        if hour in looks or hour == LAST:
            turn(tx, hour)
            assert price_now(tx) == oracle.price(hour), f"at {hour}"
        for word in said:
            if word.hour == hour:
                say(tx, word)
                oracle.hear(word)
                assert price_now(tx) == oracle.price(hour), f"after {word}"


def turn(tx: Connection, hour: int) -> None:
    """Let the moments come that have come by an hour."""
    while True:
        if not apply_due(tx, NOON + hour * HOUR).applied:
            return
