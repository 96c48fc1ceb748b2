"""The lowest price of the thirty days before, and how we know it; or that nobody can say.

::

    observed   from what held here, day by day: we knew the price when the thirty days began
    history    the days before we knew it are from another system, without a gap
    stated     neither: a source's own word, not older than thirty days
    None       nothing is claimed

The thirty days end where the reduction that runs began (Directive 98/6/EC, Art. 6a); with none,
they end now. A member's price is nobody else's, and is left out. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from esl.domain.entry import DatedPrice, PastKind

DAYS = timedelta(days=30)
_DAY = timedelta(days=1)  # the past is told by days: of the one we came, hours are missing


class Basis(StrEnum):
    """How a lowest price is known."""

    OBSERVED = "observed"
    HISTORY = "history"
    STATED = "stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A price as it came to hold here; ``price_minor`` None: it was withdrawn."""

    at: datetime
    price_minor: int | None
    is_reduced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A price of the past, told by another system, as instants. ``until`` None: nobody said."""

    begins: datetime
    until: datetime | None
    dated: DatedPrice
    source: str
    batch_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A source's own word for it, and the day on which it said so."""

    price_minor: int
    source: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowest:
    """The lowest price within ``begins`` to ``ends``, and whose words it rests on."""

    price_minor: int
    basis: Basis
    begins: datetime
    ends: datetime
    sources: tuple[str, ...] = ()
    batches: tuple[int, ...] = ()
    stated_on: date | None = None


def lowest_of_30_days(
    held: Sequence[Held],
    told: Sequence[Told],
    stated: Stated | None,
    now: datetime,
    *,
    today: date,
) -> Lowest | None:
    """Find the lowest price; ``held`` and ``told`` are in the order of their moments."""
    ends = _reduced_since(held) or now
    begins = ends - DAYS
    own = _within(held, begins, ends)
    first = held[0].at if held else ends
    if first <= begins and own:
        return Lowest(price_minor=min(own), basis=Basis.OBSERVED, begins=begins, ends=ends)
    until = min(first, ends)
    past = _known(told, begins, until)
    if past:
        prices = [*own, *(one.dated.price_minor for one in past)]
        return Lowest(
            price_minor=min(prices),
            basis=Basis.HISTORY,
            begins=begins,
            ends=ends,
            sources=tuple(sorted({one.source for one in past})),
            batches=tuple(sorted({one.batch_id for one in past if one.batch_id is not None})),
        )
    if stated is not None and today - stated.day <= DAYS:
        return Lowest(
            price_minor=stated.price_minor,
            basis=Basis.STATED,
            begins=begins,
            ends=ends,
            sources=(stated.source,),
            stated_on=stated.day,
        )
    return None


def _reduced_since(held: Sequence[Held]) -> datetime | None:
    """Return when the reduction began that still runs."""
    since: datetime | None = None
    for one in reversed(held):
        if not one.is_reduced:
            break
        since = one.at
    return since


def _within(held: Sequence[Held], begins: datetime, ends: datetime) -> list[int]:
    """Return the prices that held at any moment from ``begins`` until before ``ends``."""
    found: list[int] = []
    for place, one in enumerate(held):
        next_at = held[place + 1].at if place + 1 < len(held) else None
        if one.price_minor is None or one.at >= ends:
            continue
        if next_at is None or next_at > begins:
            found.append(one.price_minor)
    return found


def _known(told: Sequence[Told], begins: datetime, until: datetime) -> list[Told]:
    """Return the prices told of a time without a gap; nothing where there is one."""
    open_to_all = [one for one in told if one.dated.kind is not PastKind.MEMBER]
    ranges = [
        (one.begins, min(_end_of(one, open_to_all, until), until), one) for one in open_to_all
    ]
    counted = [r for r in ranges if r[0] < r[1] and r[1] > begins and r[0] < until]
    reached = begins
    for start, end, _ in sorted(counted, key=lambda r: r[0]):
        if start > reached:
            return []
        reached = max(reached, end)
    return [one for _, _, one in counted] if reached >= until - _DAY else []


def _end_of(one: Told, told: Iterable[Told], until: datetime) -> datetime:
    """Return when a price ended: at its own end, or at the next of its kind."""
    if one.until is not None:
        return one.until
    later = (
        other.begins
        for other in told
        if other.dated.kind is one.dated.kind and other.begins > one.begins
    )
    return min(later, default=until)
