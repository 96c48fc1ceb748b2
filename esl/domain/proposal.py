"""Prices that an outside engine proposes, and the bounds within which a store lets it move them.

::

    proposal ─▶ judge ─▶ refused   each bound that it breaks, in words, with what would pass
                   │
                   ├──▶ waiting    the store wants a person to approve it
                   └──▶ a price change like any other: guards, ranks and history see it

Percentages are of the *regular price*: the last one that somebody other than an engine said.
Against the price that holds they would be a ratchet: ten falls of 10 % are 65 % off. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from esl.domain.ids import Sku, SourceId
from esl.domain.money import format_minor
from esl.domain.promotion.window import Hours

WAITS_LONGEST: Final = timedelta(hours=24)
"""A proposal answers to footfall or a rival's price; a day later nobody knows whether it still
would."""


class Bound(StrEnum):
    """What a proposal can break."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    LEAST_PERCENT = "least_percent"
    MOST_PERCENT = "most_percent"
    COST = "cost"
    MOVES_A_DAY = "moves_a_day"
    QUIET = "quiet"
    OPEN = "open"
    PROMOTION = "promotion"
    NO_REGULAR = "no_regular"
    UNKNOWN_SKU = "unknown_sku"
    YIELDS = "yields"
    LIMITS = "limits"


class Approval(StrEnum):
    """Which proposals a person must approve."""

    NEVER = "never"
    RISES = "rises"
    ALWAYS = "always"


class ProposalState(StrEnum):
    """What became of a proposal."""

    ACCEPTED = "accepted"  #: it became the price
    UNCHANGED = "unchanged"  #: it says what holds
    REFUSED = "refused"  #: it breaks a bound
    WAITING = "waiting"  #: for a person, `WAITS_LONGEST` at most
    HELD = "held"  #: the store's guards doubt it: it is in quarantine
    REJECTED = "rejected"  #: by a person
    SUPERSEDED = "superseded"  #: a newer one took its place while it waited


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How far engines may move a store's prices. None switches a bound off."""

    engines: tuple[SourceId, ...]  # who may propose; none: nobody
    lowest_minor: int | None = None
    highest_minor: int | None = None
    least_percent: int | None = 80  # of the regular price
    most_percent: int | None = 120
    margin_percent: int = 0  # above the cost, where one is known
    moves_a_day: int = 2  # of one product, by the store's clock
    quiet: tuple[Hours, ...] = ()  # nothing moves then
    opening: Mapping[int, tuple[Hours, ...]] = field(default_factory=dict)  # 0 is Monday
    freeze_while_open: bool = False
    approval: Approval = Approval.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposed price, and the engine's reason in its own words."""

    sku: Sku
    price_minor: int
    reason: str
    path: str = ""  # where it stood in what was sent, as a JSON pointer


class Known(NamedTuple):
    """What is known of a product when a price is proposed for it."""

    held_minor: int | None = None
    regular_minor: int | None = None
    cost_minor: int | None = None
    moves_today: int = 0
    is_promoted: bool = False


class Refusal(NamedTuple):
    """A bound that a proposal breaks: in words, and what would pass."""

    bound: Bound
    words: str
    fix: str


def judge(
    price_minor: int, known: Known, rules: Rules, local: datetime, currency: str
) -> tuple[Refusal, ...]:
    """Return every bound that a price breaks; ``local`` is now, by the store's clock."""
    return tuple(_broken(price_minor, known, rules, local, currency))


def needs_approval(price_minor: int, known: Known, rules: Rules) -> bool:
    """Say whether a person must approve a price that breaks no bound."""
    match rules.approval:
        case Approval.ALWAYS:
            return True
        case Approval.RISES:
            return known.held_minor is None or price_minor > known.held_minor
        case Approval.NEVER:
            return False


def is_quiet(rules: Rules, local: datetime) -> bool:
    """Say whether nothing may move now."""
    now = local.time()
    return any(_holds(hours, now) for hours in rules.quiet)


def is_open(rules: Rules, local: datetime) -> bool:
    """Say whether the store is open; hours that pass midnight belong to the day they began."""
    now, today = local.time(), local.weekday()
    for hours in rules.opening.get(today, ()):
        wraps = hours.ends <= hours.begins
        if now >= hours.begins and (wraps or now < hours.ends):
            return True
    return any(
        hours.ends <= hours.begins and now < hours.ends
        for hours in rules.opening.get((today - 1) % 7, ())
    )


def _holds(hours: Hours, now: time) -> bool:
    if hours.begins < hours.ends:
        return hours.begins <= now < hours.ends
    return now >= hours.begins or now < hours.ends


def _broken(
    price: int, known: Known, rules: Rules, local: datetime, currency: str
) -> Iterator[Refusal]:
    if known.held_minor is None or known.regular_minor is None:
        yield Refusal(
            Bound.NO_REGULAR,
            "nobody but an engine has said a price of this product here",
            "Let its till or list say a price first.",
        )
        return
    if known.is_promoted:
        yield Refusal(
            Bound.PROMOTION,
            "a promotion runs for the product, or a member's price, badge or old price stands"
            " beside its price",
            "Propose a price when it is over.",
        )
    yield from _beyond(price, known.regular_minor, known.cost_minor, rules, currency)
    if known.moves_today >= rules.moves_a_day:
        yield Refusal(
            Bound.MOVES_A_DAY,
            f"its price was moved {known.moves_today} times today, and {rules.moves_a_day}"
            " are allowed",
            "Propose it tomorrow, or widen moves_a_day.",
        )
    if is_quiet(rules, local):
        yield Refusal(
            Bound.QUIET, f"{local:%H:%M} is in the store's quiet hours", "Propose it after them."
        )
    if rules.freeze_while_open and is_open(rules, local):
        yield Refusal(
            Bound.OPEN,
            f"the store is open at {local:%H:%M}, and prices do not move while customers shop",
            "Propose it when the store is closed.",
        )


def _beyond(
    price: int, regular: int, cost: int | None, rules: Rules, currency: str
) -> Iterator[Refusal]:
    def said(minor: int) -> str:
        return f"{format_minor(minor, currency)} {currency}"

    def at_least(minor: int) -> str:
        return f"Propose at least {said(minor)}."

    def at_most(minor: int) -> str:
        return f"Propose at most {said(minor)}."

    if rules.lowest_minor is not None and price < rules.lowest_minor:
        words = f"{said(price)} is below the lowest price, {said(rules.lowest_minor)}"
        yield Refusal(Bound.LOWEST, words, at_least(rules.lowest_minor))
    if rules.highest_minor is not None and price > rules.highest_minor:
        words = f"{said(price)} is above the highest price, {said(rules.highest_minor)}"
        yield Refusal(Bound.HIGHEST, words, at_most(rules.highest_minor))
    least, most = rules.least_percent, rules.most_percent
    if least is not None and price * 100 < regular * least:
        words = f"{said(price)} is below {least} % of the regular price, {said(regular)}"
        yield Refusal(Bound.LEAST_PERCENT, words, at_least(_up(regular * least)))
    if most is not None and price * 100 > regular * most:
        words = f"{said(price)} is above {most} % of the regular price, {said(regular)}"
        yield Refusal(Bound.MOST_PERCENT, words, at_most(regular * most // 100))
    if cost is not None and price * 100 < cost * (100 + rules.margin_percent):
        # The number itself stays here: an engine that may not know the cost could ask for it.
        words = f"{said(price)} is below the cost and the margin of {rules.margin_percent} %"
        yield Refusal(Bound.COST, words, "Propose a higher price.")


def _up(hundredths: int) -> int:
    return -(-hundredths // 100)
