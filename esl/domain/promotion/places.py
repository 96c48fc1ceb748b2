"""Who wins: the stacking rule, place by place. Its reasons are decision record 14.

::

    public    each computed from the regular price; higher priority, then cheaper, then later, then
              the name: one winner. What stands on top is taken off what it left, in rank order
    multibuy  in the same order, cheaper by the piece; must save against the public price
    member    in the same order; must be below the public price, and never changes it
    exclusive one that no other outranks holds alone; outranked, it does not hold at all

What the till says is the floor of what a customer gets: nothing of ours makes a price dearer.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from esl.domain.product import Product
from esl.domain.promotion.book import Running
from esl.domain.promotion.offer import Base, Effect, Lost, Why
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    PayFor,
    PercentOf,
    PercentOff,
    Place,
    Promotion,
    Stacking,
    TotalFor,
    reduced,
)


class Several(NamedTuple):
    """So many pieces together cost so much; of ours, or the till's own."""

    quantity: int
    total_minor: int
    pay_for: int | None = None
    by: Running | None = None


class Member(NamedTuple):
    """What members pay for one piece; of ours, or the till's own."""

    price_minor: int
    by: Running | None = None


class Chosen(NamedTuple):
    """What holds in each place, and what became of every promotion."""

    price_minor: int
    public: tuple[Running, ...]  # the winner first, then what stands on top
    several: Several | None
    member: Member | None
    applied: tuple[Effect, ...]
    lost: tuple[Lost, ...]


class _Candidate(NamedTuple):
    one: Running
    costs: int  # one piece; so many together
    quantity: int = 1


_PLACES: Final = (Place.PUBLIC, Place.MULTIBUY, Place.MEMBER)


def choose(
    product: Product, base: Base, running: Sequence[Running], lowest_minor: int | None
) -> Chosen:
    """Say what holds; ``lowest_minor`` is the prior price that some percentages are taken off."""
    says = base.says
    regular = says.regular_minor if says.regular_minor is not None else says.price_minor
    lost: list[Lost] = []
    candidates, on_top = _candidates(product, base, running, lowest_minor, lost)
    candidates = _with_exclusive(candidates, on_top, lost)
    applied: list[Effect] = []
    price = says.price_minor
    public: list[Running] = []
    for_price = [c for c in candidates if c.one.place is Place.PUBLIC]
    winner = _winner(for_price, lost)
    if winner is not None:
        price = winner.costs
        public.append(winner.one)
        applied.append(Effect(winner.one.promotion, Place.PUBLIC, regular, price))
    for one in on_top:
        if one.place is Place.PUBLIC and (after := _on_top(one, price, lost)) is not None:
            applied.append(Effect(one.promotion, Place.PUBLIC, price, after, on_top=True))
            public.append(one)
            price = after
    several: Several | None = None
    member: Member | None = None
    beside = len(for_price) < len(candidates)
    if beside or says.multibuy_quantity is not None:
        several = _several(base, candidates, price, lost, applied)
    if beside or on_top or says.member_minor is not None:
        member = _member(base, candidates, on_top, price, lost, applied)
    return Chosen(price, tuple(public), several, member, tuple(applied), tuple(lost))


def _candidates(
    product: Product,
    base: Base,
    running: Sequence[Running],
    lowest_minor: int | None,
    lost: list[Lost],
) -> tuple[list[_Candidate], list[Running]]:
    """Compute what each would cost; those that would change nothing are lost already."""
    says = base.says
    regular = says.regular_minor if says.regular_minor is not None else says.price_minor
    candidates: list[_Candidate] = []
    on_top: list[Running] = []
    for one in running:
        promotion = one.promotion
        if promotion.currency is not None and promotion.currency != base.currency:
            lost.append(Lost(promotion, Why.CURRENCY))
            continue
        if promotion.stacking is Stacking.ON_TOP:
            on_top.append(one)
            continue
        quantity = 1
        match promotion.gives:
            case TotalFor(quantity=quantity, total_minor=costs):
                pass
            case PayFor(quantity=quantity, pay_for=pay_for):
                costs = says.price_minor * pay_for
            case PercentOff(of=PercentOf.LOWEST) if lowest_minor is None:
                lost.append(Lost(promotion, Why.NO_LOWEST))
                continue
            case PercentOff(of=PercentOf.LOWEST) as gives:
                costs = reduced(gives, lowest_minor or 0)
            case Absolute() | PercentOff() | AmountOff() as gives:
                costs = reduced(gives, regular)
        why = _why_not(product, one, costs, says.price_minor * quantity, regular)
        if why is not None:
            lost.append(Lost(promotion, why, would_be_minor=costs))
        else:
            candidates.append(_Candidate(one, costs, quantity))
    return candidates, on_top


def _why_not(product: Product, one: Running, costs: int, till: int, regular: int) -> Why | None:
    if one.place is Place.MULTIBUY and product.priced_per is not None:
        return Why.WEIGHED
    if costs < 1:
        return Why.FREE
    if one.place is Place.MULTIBUY:
        return Why.SAVES_NOTHING if costs >= till else None
    if one.place is Place.MEMBER:
        return Why.NOT_BELOW_PUBLIC if costs >= till else None
    if costs >= till:
        return Why.TILL_IS_CHEAPER if costs < regular else Why.NOT_LOWER
    return None


def _with_exclusive(
    candidates: list[_Candidate], on_top: list[Running], lost: list[Lost]
) -> list[_Candidate]:
    """Leave one that stands alone by itself, or take those out that are outranked."""
    alone = [c for c in candidates if _is_exclusive(c.one.promotion)]
    if not alone:
        return candidates
    first = min(
        alone, key=lambda c: (-c.one.promotion.priority, _PLACES.index(c.one.place), *_order(c))
    )
    above = max(
        (
            c
            for c in candidates
            if c.one.place is not Place.MEMBER and not _is_exclusive(c.one.promotion)
        ),
        key=lambda c: c.one.promotion.priority,
        default=None,
    )
    if above is not None and above.one.promotion.priority > first.one.promotion.priority:
        lost += [Lost(c.one.promotion, Why.EXCLUSIVE, above.one.promotion, c.costs) for c in alone]
        return [c for c in candidates if c not in alone]
    winner = first.one.promotion
    lost += [
        Lost(c.one.promotion, Why.EXCLUSIVE, winner, c.costs) for c in candidates if c is not first
    ]
    lost += [Lost(one.promotion, Why.EXCLUSIVE, winner) for one in on_top]
    on_top.clear()
    return [first]


def _is_exclusive(promotion: Promotion) -> bool:
    return promotion.stacking is Stacking.EXCLUSIVE and promotion.club is None


def _order(candidate: _Candidate) -> tuple[int, Fraction | int, int, str]:
    priority, later, name = candidate.one.rank
    costs, quantity = candidate.costs, candidate.quantity
    return (priority, costs if quantity == 1 else Fraction(costs, quantity), later, name)


def _winner(candidates: list[_Candidate], lost: list[Lost]) -> _Candidate | None:
    if not candidates:
        return None
    if len(candidates) == 1:
        return candidates[0]
    first, *others = sorted(candidates, key=_order)
    for other in others:
        ours, theirs = _order(first), _order(other)
        differs = next(n for n in range(len(ours)) if ours[n] != theirs[n])
        why = (Why.PRIORITY, Why.DEARER, Why.EARLIER, Why.NAME)[differs]
        lost.append(Lost(other.one.promotion, why, first.one.promotion, other.costs))
    return first


def _on_top(one: Running, price: int, lost: list[Lost]) -> int | None:
    """Take one off a price; None where that leaves nothing to pay, or changes nothing."""
    gives = one.promotion.gives
    if not isinstance(gives, PercentOff | AmountOff):
        return None  # `check_promotion` refuses it
    after = reduced(gives, price)
    if 0 < after < price:
        return after
    lost.append(Lost(one.promotion, Why.FREE if after < 1 else Why.NOT_LOWER, would_be_minor=after))
    return None


def _several(
    base: Base,
    candidates: list[_Candidate],
    price: int,
    lost: list[Lost],
    applied: list[Effect],
) -> Several | None:
    fitting: list[_Candidate] = []
    for found in candidates:
        if found.one.place is not Place.MULTIBUY:
            continue
        gives, costs = found.one.promotion.gives, found.costs
        if isinstance(gives, PayFor):
            costs = price * gives.pay_for  # of the price that a single piece has now
        quantity = gives.quantity if isinstance(gives, TotalFor | PayFor) else 1
        if costs >= price * quantity:
            lost.append(Lost(found.one.promotion, Why.SAVES_NOTHING, would_be_minor=costs))
        else:
            fitting.append(_Candidate(found.one, costs, quantity))
    winner = _winner(fitting, lost)
    own: Several | None = None
    quantity_, total = base.says.multibuy_quantity, base.says.multibuy_minor
    if quantity_ is not None and total is not None and total < price * quantity_:
        own = Several(quantity_, total, base.says.multibuy_pay_for)
    if winner is None:
        return own
    promotion = winner.one.promotion
    if own is not None and own.total_minor * winner.quantity < winner.costs * own.quantity:
        lost.append(Lost(promotion, Why.TILL_IS_CHEAPER, would_be_minor=winner.costs))
        return own
    gives = promotion.gives
    if not isinstance(gives, TotalFor | PayFor):
        return own
    whole = price * gives.quantity
    applied.append(Effect(promotion, Place.MULTIBUY, whole, winner.costs))
    pay_for = gives.pay_for if isinstance(gives, PayFor) else None
    return Several(gives.quantity, winner.costs, pay_for, winner.one)


def _member(
    base: Base,
    candidates: list[_Candidate],
    on_top: list[Running],
    price: int,
    lost: list[Lost],
    applied: list[Effect],
) -> Member | None:
    fitting = [c for c in candidates if c.one.place is Place.MEMBER]
    fitting += [
        _Candidate(one, after)
        for one in on_top
        if one.place is Place.MEMBER and (after := _on_top(one, price, lost)) is not None
    ]
    for found in [c for c in fitting if c.costs >= price]:
        fitting.remove(found)
        lost.append(Lost(found.one.promotion, Why.NOT_BELOW_PUBLIC, would_be_minor=found.costs))
    winner = _winner(fitting, lost)
    till = base.says.member_minor
    own = Member(till) if till is not None and till < price else None
    if winner is None:
        return own
    if own is not None and own.price_minor < winner.costs:
        lost.append(Lost(winner.one.promotion, Why.TILL_IS_CHEAPER, would_be_minor=winner.costs))
        return own
    applied.append(Effect(winner.one.promotion, Place.MEMBER, price, winner.costs))
    return Member(winner.costs, winner.one)
