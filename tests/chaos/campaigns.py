"""Promotions as the model knows them: when they run, and what they make of a price, by brute force.

Nothing here knows `esl.domain.promotion`. Moments come from `tests.proof.edge_oracle`, minute after
minute of the store's own clock; who wins is decision record 14 said again: by priority, then the
cheaper for the customer, then the later begun, then the name.

::

    scheduled ─▶ pending: the next moment that somebody must turn ─▶ turned ─▶ the one after it
    stopped ──▶ pending: now, if it had begun ─▶ turned ─▶ nothing any more
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from tests.proof.edge_oracle import Hours, Minutes, Wall, wall_of

__all__ = ["Campaign", "Campaigns", "Gain", "Gives", "Hours", "Minutes", "Wall"]

ZONE = "Europe/Zagreb"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_LINE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gives:
    """What a promotion gives; exactly one of the first four, and for pieces their number."""

    price: int | None = None
    percent: int | None = None
    amount: int | None = None
    total: int | None = None
    pay_for: int | None = None
    quantity: int = 1
    club: bool = False

    @property
    def is_several(self) -> bool:
        """Whether it is about several pieces together."""
        return self.total is not None or self.pay_for is not None

    def of(self, price: int) -> int:
        """Return what one piece, or all of them together, would cost."""
        if self.price is not None:
            return self.price
        if self.percent is not None:
            return price * (100 - self.percent) // 100
        if self.amount is not None:
            return price - self.amount
        if self.total is not None:
            return self.total
        return price * (self.pay_for or 0)


@dataclass(frozen=True, slots=True)
class Gain:
    """What promotions make of a price: as a label says it."""

    price_minor: int
    was_minor: int | None = None
    badge: str | None = None
    member_minor: int | None = None
    several: tuple[int, int] | None = None
    names: frozenset[str] = frozenset()  # of those that hold


@dataclass(slots=True, eq=False, kw_only=True)
class Campaign:
    """A promotion. ``runs`` are the unbroken times in which it runs, in their order."""

    name: str
    gives: Gives
    priority: int
    badge: str | None
    skus: frozenset[str]
    runs: list[tuple[datetime, datetime]]
    percents: tuple[int, ...] = ()  # of labels that each step of its roll-out reaches
    reached: int = 0
    is_live: bool = False
    began: bool = False
    pending: datetime | None = None
    turned: datetime = _EVER

    def begun_at(self, at: datetime) -> datetime | None:
        """Return when the run began that holds at a moment; None where none does."""
        return next((begins for begins, ends in self.runs if begins <= at < ends), None)

    def edge_after(self, at: datetime) -> datetime | None:
        """Return the first moment later than another at which it begins or ends."""
        return min((edge for run in self.runs for edge in run if edge > at), default=None)

    def reaches(self, label: str) -> bool:
        """Say whether its roll-out has come to a label."""
        if self.reached >= len(self.percents):
            return True
        digest = hashlib.blake2b(f"{self.name}\0{label}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest, "big") % _LINE
        return place * 100 < max(self.percents[: self.reached + 1]) * _LINE


@dataclass(slots=True)
class Campaigns:
    """The promotions of a store. ``turned`` is the latest moment that was turned there."""

    all: dict[str, Campaign] = field(default_factory=dict)
    turned: datetime = _EVER

    def running(self, sku: str, at: datetime) -> list[tuple[Campaign, datetime]]:
        """List those that run for a product at a moment, each with the beginning of its run."""
        return [
            (one, begun)
            for one in self.all.values()
            if one.is_live and sku in one.skus and (begun := one.begun_at(at)) is not None
        ]

    def live(self) -> list[Campaign]:
        """List those that are scheduled or run."""
        return [one for one in self.all.values() if one.is_live]

    def moments(self, sku: str) -> list[datetime]:
        """List the moments to come at which something is decided about a product anew."""
        return sorted({one.pending for one in self.live() if one.pending and sku in one.skus})

    def gain(
        self, sku: str, at: datetime, price: int, was: int | None, badge: str | None
    ) -> Gain | None:
        """Say what promotions make of a till's price at a moment; None: nothing."""
        running = self.running(sku, at)
        public = _best(
            (one, begun, Fraction(cost))
            for one, begun in running
            if not one.gives.is_several and not one.gives.club
            if 0 < (cost := one.gives.of(price)) < price
        )
        now = public.gives.of(price) if public else price
        several = _best(
            (one, begun, Fraction(cost, one.gives.quantity))
            for one, begun in running
            if one.gives.is_several and one.gives.of(price) < price * one.gives.quantity
            if 0 < (cost := one.gives.of(now)) < now * one.gives.quantity
        )
        member = _best(
            (one, begun, Fraction(cost))
            for one, begun in running
            if one.gives.club and 0 < (cost := one.gives.of(price)) < now
        )
        if public is None and several is None and member is None:
            return None
        beside = next((one.badge for one in (several, member) if one is not None), None)
        return Gain(
            now,
            price if public else was,
            public.badge if public else beside or badge,
            member.gives.of(price) if member else None,
            (several.gives.quantity, several.gives.of(now)) if several else None,
            frozenset(one.name for one in (public, several, member) if one is not None),
        )

    def waits(self, gain: Gain, label: str) -> bool:
        """Say whether a label is still to be reached by one of those that hold."""
        return not all(self.all[name].reaches(label) for name in gain.names)

    # -- what people do ------------------------------------------------------------------------

    def schedule(self, one: Campaign, now: datetime) -> bool:
        """Take one on; False if its time is over."""
        one.pending = now if one.begun_at(now) is not None else one.edge_after(now)
        if one.pending is None:
            return False
        one.is_live = True
        self.all[one.name] = one
        return True

    def stop(self, name: str, now: datetime) -> None:
        """End, cancel or take one back: what it changed is turned at the next look."""
        one = self.all[name]
        has_come = one.pending is not None and one.pending <= max(now, self.turned)
        one.is_live = False
        one.pending = now if one.began or has_come else None

    def advance(self, name: str, now: datetime) -> None:
        """Let the next step of a roll-out be reached."""
        one = self.all[name]
        one.reached += 1
        one.pending = now

    def turn(self, one: Campaign) -> None:
        """Take note that somebody turned the moment that was pending."""
        at = one.pending
        if at is None:
            raise AssertionError("nothing is pending")
        one.turned = at
        self.turned = max(self.turned, at)
        one.pending = one.edge_after(at) if one.is_live else None
        if one.is_live and one.begun_at(at) is not None:
            one.began = True
        elif one.pending is None:
            one.is_live = False


def runs_of(hours: Hours, around: datetime) -> list[tuple[datetime, datetime]]:
    """List when something runs, of days around a moment."""
    day = around.replace(hour=0, minute=0, second=0, microsecond=0)
    return wall_of(ZONE, day - timedelta(days=5), day + timedelta(days=40)).runs(hours)


def _best(found: Iterable[tuple[Campaign, datetime, Fraction]]) -> Campaign | None:
    ranked = sorted(found, key=lambda c: (-c[0].priority, c[2], -c[1].timestamp(), c[0].name))
    return ranked[0][0] if ranked else None
