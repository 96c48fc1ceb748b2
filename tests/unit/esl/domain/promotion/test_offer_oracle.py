"""Offers against a second opinion that looks at every hour and asks every promotion.

The oracle shares no rule with the product: it walks hour by hour through the past, and finds
winners by comparing each promotion with each other one.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.ids import Sku
from esl.domain.law import Step
from esl.domain.pricing import Says
from esl.domain.product import Product
from esl.domain.promotion.book import Book
from esl.domain.promotion.offer import Base, Offer, Trouble
from esl.domain.promotion.past import epoch_ms
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    Gives,
    PayFor,
    PercentOff,
    Promotion,
    Selection,
    Stacking,
    TotalFor,
)
from esl.domain.promotion.reckoning import Reckoner
from esl.domain.promotion.window import Hours, Window
from tests.offers import EU, STORE, product, promotion

ZONE = ZoneInfo("UTC")
NOW = datetime.fromisoformat("2026-06-17 12:00")
HOUR = timedelta(hours=1)


def instant(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC)


# ── The oracle ──────────────────────────────────────────────────────────────────────────────


def runs(p: Promotion, at: datetime) -> bool:
    return holds(p.window, at)


def holds(w: Window, at: datetime) -> bool:
    if (w.begins and at < w.begins) or (w.ends and at >= w.ends):
        return False
    for day in (at.date(), at.date() - timedelta(days=1)):
        if w.weekdays and day.weekday() not in w.weekdays:
            continue
        for begins, ends in w.hours or ((time(), time()),):
            first = datetime.combine(day, begins)
            last = datetime.combine(day, ends)
            if first <= at < (last if ends > begins else last + timedelta(days=1)):
                return True
    return False


def run_began(p: Promotion) -> datetime | None:
    return holds_since(p.window)


@cache
def holds_since(w: Window) -> datetime | None:
    """Walk back hour by hour; None where it runs for longer than two months."""
    if w == Window(begins=w.begins):
        return w.begins
    at = NOW
    while holds(w, at - HOUR):
        at -= HOUR
        if at < NOW - timedelta(days=60):
            return None
    return at


def selects(p: Promotion, sold: Product) -> bool:
    s = p.selection
    asked = []
    if s.skus:
        asked.append(sold.sku in s.skus)
    if s.categories:
        asked.append(
            bool(sold.category) and sold.category.lower() in {c.lower() for c in s.categories}
        )
    if s.brands:
        asked.append(bool(sold.brand) and sold.brand.lower() in {b.lower() for b in s.brands})
    if s.tags:
        asked.append(bool({t.lower() for t in s.tags} & {t.lower() for t in sold.tags}))
    return (s.everything or bool(asked)) and all(asked) and sold.sku not in s.except_skus


def less(gives: Gives, price: int) -> int:
    match gives:
        case Absolute(price_minor=fixed):
            return fixed
        case PercentOff(permille=p):
            return int(Fraction(price) * (1000 - p) / 1000 // 1)
        case AmountOff(amount_minor=a):
            return price - a
    raise AssertionError(gives)


@dataclass
class Opinion:
    price: int
    public: list[Promotion]
    multibuy: tuple[int, int] | None
    member: int | None
    reference: int | None
    trouble: Trouble | None


def beats(a: Promotion, b: Promotion, cost_a: Fraction, cost_b: Fraction) -> bool:
    if a.priority != b.priority:
        return a.priority > b.priority
    if cost_a != cost_b:
        return cost_a < cost_b
    began_a, began_b = run_began(a), run_began(b)
    if began_a != began_b:
        return began_b is None or (began_a is not None and began_a > began_b)
    return a.promotion_id < b.promotion_id


def best(costs: dict[str, Fraction], by_id: dict[str, Promotion]) -> str | None:
    for one, cost in costs.items():
        if all(o == one or beats(by_id[one], by_id[o], cost, c) for o, c in costs.items()):
            return one
    return None


def opinion(  # noqa: C901, PLR0912, PLR0915  one road, read from top to bottom
    sold: Product, says: Says, past: list[tuple[datetime, int | None]], ps: list[Promotion]
) -> Opinion:
    regular = says.regular_minor or says.price_minor
    till = says.price_minor
    live = {p.promotion_id: p for p in ps if runs(p, NOW) and selects(p, sold)}
    public: dict[str, Fraction] = {}
    several: dict[str, Fraction] = {}
    member: dict[str, Fraction] = {}
    top: list[Promotion] = []
    for name, p in live.items():
        if p.stacking is Stacking.ON_TOP:
            top.append(p)
        elif isinstance(p.gives, TotalFor):
            if p.gives.total_minor < till * p.gives.quantity:
                several[name] = Fraction(p.gives.total_minor, p.gives.quantity)
        elif isinstance(p.gives, PayFor):
            several[name] = Fraction(till * p.gives.pay_for, p.gives.quantity)
        elif 0 < (cost := less(p.gives, regular)) < till:
            (member if p.club else public)[name] = Fraction(cost)
    alone = [n for n in (*public, *several) if live[n].stacking is Stacking.EXCLUSIVE]
    if alone:
        others = [live[n].priority for n in (*public, *several) if n not in alone]
        highest = max(live[n].priority for n in alone)
        if others and max(others) > highest:
            public = {n: c for n, c in public.items() if n not in alone}
            several = {n: c for n, c in several.items() if n not in alone}
        else:
            first = {n: c for n, c in public.items() if n in alone and live[n].priority == highest}
            second = {
                n: c for n, c in several.items() if n in alone and live[n].priority == highest
            }
            keep = best(first or second, live)
            public = {n: c for n, c in public.items() if n == keep}
            several = {n: c for n, c in several.items() if n == keep}
            member, top = {}, []
    price, winners = till, []
    if (name := best(public, live)) is not None:
        price, winners = int(public[name]), [live[name]]
    waiting = [p for p in top if not p.club]
    while waiting:
        nxt = best({p.promotion_id: Fraction(0) for p in waiting}, live)
        waiting.remove(live[nxt])
        after = less(live[nxt].gives, price)
        if 0 < after < price:
            price, winners = after, [*winners, live[nxt]]
    pieces = {}
    for name in several:
        g = live[name].gives
        total = g.total_minor if isinstance(g, TotalFor) else price * g.pay_for
        if total < price * g.quantity:
            pieces[name] = (g.quantity, total)
    name = best({n: Fraction(t, q) for n, (q, t) in pieces.items()}, live)
    deals = [pieces[name]] if name else []
    if says.multibuy_quantity and says.multibuy_minor < price * says.multibuy_quantity:
        deals.append((says.multibuy_quantity, says.multibuy_minor))
    for p in top:
        if p.club and (after := less(p.gives, price)) > 0:
            member[p.promotion_id] = Fraction(after)
    name = best({n: c for n, c in member.items() if c < price}, live)
    members = [int(member[name])] if name else []
    if says.member_minor and says.member_minor < price:
        members.append(says.member_minor)
    reference, trouble = lawful(price, winners, past)
    return Opinion(
        price,
        winners,
        min(deals, key=lambda d: Fraction(d[1], d[0])) if deals else None,
        min(members) if members else None,
        reference,
        trouble,
    )


def lawful(
    price: int, winners: list[Promotion], past: list[tuple[datetime, int | None]]
) -> tuple[int | None, Trouble | None]:
    """Ask every hour from midnight thirty days before the reduction began for its price."""
    if not winners:
        return None, None
    began = [run_began(p) for p in winners]
    known = [b for b in began if b is not None]
    until = max(known) if known else NOW
    first = datetime.combine(until.date(), time()) - timedelta(days=30)
    hour, prices = first, []
    while hour < until:
        before = [what for at, what in past if at <= hour]
        if not before:
            return None, Trouble.NO_PRIOR_PRICE
        if before[-1] is not None:
            prices.append(before[-1])
        hour += HOUR
    if not prices:
        return None, Trouble.NO_PRIOR_PRICE
    lowest = min(prices)
    return (lowest, None) if price < lowest else (None, Trouble.UNLAWFUL_CLAIM)


# ── Random shops ────────────────────────────────────────────────────────────────────────────

PRICES = st.integers(1, 400) | st.integers(1, 60)
WORDS = st.sampled_from(["Dairy", "dairy", "Tea", "Bread"])
SKUS = st.sampled_from([Sku("a"), Sku("b"), Sku("c")])
SETS = st.frozensets(WORDS, max_size=2)


@st.composite
def promotions(draw: st.DrawFn) -> Promotion:
    single = st.one_of(
        st.builds(Absolute, price_minor=PRICES),
        st.builds(PercentOff, permille=st.integers(1, 999)),
        st.builds(AmountOff, amount_minor=PRICES),
    )
    gives = draw(
        st.one_of(
            single,
            single,
            st.builds(TotalFor, quantity=st.integers(2, 4), total_minor=st.integers(1, 900)),
            st.builds(PayFor, quantity=st.integers(3, 4), pay_for=st.integers(1, 2)),
        )
    )
    is_single = not isinstance(gives, TotalFor | PayFor)
    club = draw(st.sampled_from([None, None, "Gold"])) if is_single else None
    stackings = [Stacking.ALONE, Stacking.ALONE, Stacking.ALONE]
    if isinstance(gives, PercentOff | AmountOff):
        stackings += [Stacking.ON_TOP] * 2
    if club is None:
        stackings.append(Stacking.EXCLUSIVE)
    everything = Selection(everything=True)
    some = st.builds(
        Selection,
        skus=st.frozensets(SKUS, max_size=2),
        categories=SETS,
        brands=SETS,
        tags=SETS,
        except_skus=st.frozensets(SKUS, max_size=1),
    )
    selection = draw(st.one_of(st.just(everything), st.just(everything), some))
    hours = st.integers(-24 * 40, 24 * 3)
    begins = draw(st.sampled_from([None, NOW - HOUR]) | hours.map(lambda h: NOW + h * HOUR))
    window = Window(begins=begins)
    if draw(st.booleans()):
        window = Window(
            begins=begins,
            ends=draw(st.none() | hours.map(lambda h: (begins or NOW) + (abs(h) + 1) * HOUR)),
            weekdays=draw(st.sampled_from([frozenset(), frozenset({1, 2}), frozenset({2, 5, 6})])),
            hours=tuple(
                Hours(time(draw(st.integers(0, 23))), time(draw(st.integers(0, 23))))
                for _ in range(draw(st.integers(0, 2)))
            ),
        )
    return promotion(
        "",
        gives,
        club=club,
        selection=selection,
        window=window,
        priority=draw(st.sampled_from([0, 0, 1])),
        stacking=draw(st.sampled_from(stackings)),
    )


@st.composite
def shops(
    draw: st.DrawFn,
) -> tuple[Product, Says, list[tuple[datetime, int | None]], list[Promotion]]:
    sold = product(
        draw(SKUS),
        category=draw(st.none() | WORDS),
        brand=draw(st.none() | WORDS),
        tags=draw(SETS),
    )
    price = draw(st.integers(20, 400))
    regular = draw(st.none() | st.integers(price + 1, 500))
    pieces = draw(st.none() | st.tuples(st.integers(2, 3), st.integers(1, 900)))
    says = Says(
        price,
        None,
        None,
        None,
        regular,
        draw(st.none() | PRICES),
        *(pieces or (None, None)),
    )
    found = [
        replace(p, promotion_id=f"p{n}", name=f"p{n}")
        for n, p in enumerate(draw(st.lists(promotions(), min_size=2, max_size=7)))
    ]
    # What held before anything of this began: the law is asked about the days before.
    begun = [run_began(p) for p in found if runs(p, NOW)]
    first = min([b for b in begun if b is not None], default=NOW)
    back = draw(st.lists(st.integers(1, 24 * 60), max_size=8, unique=True))
    past = [
        (first - hours * HOUR, draw(st.one_of(st.integers(1, 400), st.none())))
        for hours in sorted(back, reverse=True)
    ]
    return sold, says, past, found


@settings(max_examples=150, deadline=None)
@given(shops())
def test_offers_are_what_asking_every_hour_and_every_promotion_gives(shop) -> None:
    sold, says, past, found = shop
    expected = opinion(sold, says, past, found)
    history = [Step(epoch_ms(instant(at)), price) for at, price in past]
    running = Book(found, store_id=STORE, zone=ZONE).at(instant(NOW)).running(sold)
    offer: Offer = Reckoner(EU, instant(NOW), zone=ZONE).offer(
        sold, Base(says, "EUR"), history, running
    )
    deal = (offer.multibuy.quantity, offer.multibuy.total_minor) if offer.multibuy else None
    assert offer.price_minor == expected.price
    assert offer.multibuy is None or expected.multibuy is not None
    if expected.multibuy is not None:
        assert deal is not None
        assert Fraction(deal[1], deal[0]) == Fraction(expected.multibuy[1], expected.multibuy[0])
    assert (offer.member.price_minor if offer.member else None) == expected.member
    assert (offer.reference_minor, offer.trouble) == (expected.reference, expected.trouble)
    applied = [e.promotion for e in offer.reason.applied if e.place == "public"]
    assert applied == expected.public
    # Everybody who runs for it is accounted for, once.
    spoken = [*offer.promotion_ids, *(one.promotion.promotion_id for one in offer.reason.lost)]
    assert sorted(spoken) == sorted(
        p.promotion_id for p in found if runs(p, NOW) and selects(p, sold)
    )
