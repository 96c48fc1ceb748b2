"""The lowest price of the thirty days before, and how we know it; or that nobody can say.

::

    observed   from what held here, day by day: we knew the price when the days began
    history    the days before we knew it are from another system, without a gap
    stated     neither: a source's own word, not older than thirty days
    None       nothing is claimed

Which days, and where they end, is the law's matter (`esl.domain.law.prior_price`): what held here
and what was told are written as one history of prices, and that is asked. A member's price is
nobody else's, and is left out. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from esl.domain.entry import DatedPrice, PastKind
from esl.domain.law.prior_price import PriorPrice, Step, StepKind, lowest_price
from esl.domain.law.profile import Profile

DAYS = timedelta(days=30)
_DAY_MS = 86_400_000  # the past is told by days: of the one we came, hours are missing
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


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
    profile: Profile,
    zone: ZoneInfo | None = None,
) -> Lowest | None:
    """Find the lowest price; ``held`` and ``told`` are in the order of their moments."""
    now_ms = _ms(now)
    found = lowest_price(steps_of(held), now_ms, profile, zone=zone)
    if found.price_minor is not None:
        return _lowest(found, found.price_minor, Basis.OBSERVED)
    history = history_of(held, told, now)
    if not held:  # it is not sold here yet, so no reduction of another system runs here
        history.append(Step(now_ms, None))
    past = lowest_price(history, now_ms, profile, zone=zone)
    if past.price_minor is not None:
        until = min(_ms(held[0].at), past.ends_ms) if held else past.ends_ms
        heard = [one for begins, ends, one in _ranges(told, until) if ends > past.begins_ms]
        return _lowest(
            past,
            past.price_minor,
            Basis.HISTORY,
            sources=tuple(sorted({one.source for one in heard})),
            batches=tuple(sorted({one.batch_id for one in heard if one.batch_id is not None})),
        )
    if stated is not None and today - stated.day <= DAYS:
        return _lowest(
            past,
            stated.price_minor,
            Basis.STATED,
            sources=(stated.source,),
            stated_on=stated.day,
        )
    return None


def steps_of(held: Iterable[Held]) -> list[Step]:
    """Write what held here as the law reads it."""
    return [
        Step(_ms(one.at), one.price_minor, StepKind.REDUCED if one.is_reduced else StepKind.REGULAR)
        for one in held
    ]


def history_of(held: Sequence[Held], told: Iterable[Told], now: datetime) -> list[Step]:
    """Write what was told, and from then on what held here, as one history without a gap.

    What was told of days that are known here counts for nothing. Where told prices overlap the
    lower one counts. After a gap the history begins anew: nobody knows what held in it.
    """
    steps: list[Step] = []
    until = _ms(held[0].at) if held else _ms(now)
    ranges = _ranges(told, until)
    edges = sorted({edge for begins, ends, _ in ranges for edge in (begins, ends)})
    for begins, ends in pairwise(edges):
        open_now = [one for since, end, one in ranges if since <= begins and end >= ends]
        if not open_now:
            steps = []
            continue
        lowest = min(one.dated.price_minor for one in open_now)
        is_regular = any(
            one.dated.price_minor == lowest and one.dated.kind is PastKind.REGULAR
            for one in open_now
        )
        kind = StepKind.REGULAR if is_regular else StepKind.REDUCED
        if not steps or (steps[-1].price_minor, steps[-1].kind) != (lowest, kind):
            steps.append(Step(begins, lowest, kind))
    if edges and edges[-1] < until - _DAY_MS:
        steps = []
    return steps + steps_of(held)


def _ranges(told: Iterable[Told], until: int) -> list[tuple[int, int, Told]]:
    """Return from when to when each price for everybody held, as far as it was before ``until``.

    A price without an end of its own ends at the next of its kind.
    """
    ranges: list[tuple[int, int, Told]] = []
    next_of: dict[PastKind, int] = {}
    for one in sorted(told, key=lambda each: each.begins, reverse=True):
        kind, begins = one.dated.kind, _ms(one.begins)
        ends = _ms(one.until) if one.until is not None else next_of.get(kind, until)
        next_of[kind] = begins
        if kind is not PastKind.MEMBER and begins < min(ends, until):
            ranges.append((begins, min(ends, until), one))
    return ranges


def _lowest(
    found: PriorPrice,
    price_minor: int,
    basis: Basis,
    *,
    sources: tuple[str, ...] = (),
    batches: tuple[int, ...] = (),
    stated_on: date | None = None,
) -> Lowest:
    return Lowest(
        price_minor=price_minor,
        basis=basis,
        begins=_EPOCH + found.begins_ms * _MS,
        ends=_EPOCH + found.ends_ms * _MS,
        sources=sources,
        batches=batches,
        stated_on=stated_on,
    )


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS
