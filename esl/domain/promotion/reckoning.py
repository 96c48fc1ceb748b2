"""The offer as a pure function of product, base, history, promotions, law and moment.

::

    running ─▶ choose ─▶ price, pieces, member price        who wins: `places`
    history ─▶ lowest_price ─▶ may_claim                    what may be said: `esl.domain.law`
                                 ├─▶ allowed   former price, percentage, badge, template
                                 └─▶ refused   the same price, plainly, and a trouble for a person

The history is what held, as it was written down, until the moment; the price that is asked about
is put behind it here, at the beginning of its run.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from esl.domain.ids import TemplateName
from esl.domain.law.claim import Claim, ClaimCode, may_claim
from esl.domain.law.prior_price import PriorPrice, Step, StepKind
from esl.domain.law.prior_price import Reason as PriorReason
from esl.domain.law.profile import Profile
from esl.domain.law.unit_price import UnitPrice, UnitPriceCode, multibuy_unit_price, unit_price
from esl.domain.money import MINOR_DIGITS, percent_off
from esl.domain.product import Product
from esl.domain.promotion.book import Running
from esl.domain.promotion.offer import (
    Base,
    MemberPrice,
    MultibuyOffer,
    Offer,
    Reason,
    Trouble,
)
from esl.domain.promotion.past import Past, epoch_ms
from esl.domain.promotion.places import Chosen, Member, Several, choose
from esl.domain.promotion.promotion import PercentOf, PercentOff

_INSTANT: Final = timedelta(microseconds=1)
_PERCENT: Final = "{percent}"
_NO_CLAIM: Final = (None, None, False)


class Reckoner:
    """Computes offers of one store under one law at one moment; make it once for many products."""

    __slots__ = ("_law", "_ms", "_profile", "_zone", "moment")

    def __init__(self, profile: Profile, moment: datetime, *, zone: ZoneInfo | None = None) -> None:
        self.moment = moment
        self._profile = profile
        self._ms = epoch_ms(moment)
        self._zone = zone
        self._law = f"{profile.name} {profile.version}"

    def offer(
        self,
        product: Product,
        base: Base,
        history: Sequence[Step] = (),
        running: Sequence[Running] = (),
        *,
        lowest_30d_minor: int | None = None,
        on_sale_from_ms: int | None = None,
        exemptions: Collection[str] = (),
    ) -> Offer:
        """Compute one offer.

        ``running`` are the product's (`book.Moment.running`). ``lowest_30d_minor`` is the source's
        own word for the lowest price, used where the history does not reach back far enough.
        ``exemptions`` are the codes of the law that the shop says this product falls under.
        """
        if not running and base.says.was_minor is None:
            return self._as_the_till_says(product, base, exemptions)
        past = Past(
            self._profile,
            self._ms,
            history,
            zone=self._zone,
            stated_minor=lowest_30d_minor,
            on_sale_from_ms=on_sale_from_ms,
        )
        if running:
            chosen = choose(product, base, running, self._lowest_for(running, past))
        else:
            chosen = _untouched(base)
        says = base.says
        price = chosen.price_minor
        claim, prior, tills_word = self._claim(base, chosen, past)
        is_ours = bool(chosen.public)
        reference = percent = None
        trouble: Trouble | None = None
        if claim is not None:
            if claim.is_allowed:
                reference, percent = claim.reference_minor, claim.percent
            else:
                trouble = (
                    Trouble.NO_PRIOR_PRICE
                    if claim.code is ClaimCode.NO_REFERENCE
                    else Trouble.UNLAWFUL_CLAIM
                )
        elif tills_word and says.was_minor is not None:
            reference, percent = says.was_minor, percent_off(says.was_minor, price) or None
        several = self._several(product, base, chosen.several, price, exemptions)
        member = self._member(product, base, chosen.member, exemptions)
        badge, template = self._words(
            base, chosen, past, percent, several, is_plain=trouble is not None
        )
        ours = _ours(chosen) if chosen.applied else ()
        first = ours[0] if ours else None  # whose words the label says
        return Offer(
            product.sku,
            base.currency,
            price,
            reference,
            percent,
            self._unit(product, base, price, exemptions),
            product.deposit_minor,
            member,
            several,
            badge,
            template,
            first.begins if first is not None else None,
            min((one.ends for one in ours if one.ends is not None), default=None),
            _last_day(first),
            claim is not None and claim.mark_required,
            self._kind(chosen, claim, reference),
            prior.price_minor if prior is not None else None,
            says.regular_minor
            if not is_ours or says.regular_minor is not None
            else says.price_minor,
            trouble,
            Reason(
                self.moment, base, chosen.applied, chosen.lost, self._law, claim, prior, tills_word
            ),
        )

    def _as_the_till_says(self, product: Product, base: Base, exemptions: Collection[str]) -> Offer:
        """Pass the till's word on: most products, most of the time."""
        says = base.says
        price = says.price_minor
        several = member = None
        if says.multibuy_quantity is not None or says.member_minor is not None:
            chosen = _untouched(base)
            several = self._several(product, base, chosen.several, price, exemptions)
            member = self._member(product, base, chosen.member, exemptions)
        return Offer(
            product.sku,
            base.currency,
            price,
            None,
            None,
            self._unit(product, base, price, exemptions),
            product.deposit_minor,
            member,
            several,
            says.badge,
            None,
            None,
            None,
            None,
            False,  # noqa: FBT003  in the order of its fields: by name it takes twice as long
            StepKind.REGULAR,
            None,
            says.regular_minor,
            None,
            Reason(self.moment, base, (), (), self._law, None, None),
        )

    def _lowest_for(self, running: Sequence[Running], past: Past) -> int | None:
        """Find the prior price for percentages that are taken off it."""
        for one in running:
            gives = one.promotion.gives
            if isinstance(gives, PercentOff) and gives.of is PercentOf.LOWEST:
                return past.before(one.begins).price_minor
        return None

    def _claim(
        self, base: Base, chosen: Chosen, past: Past
    ) -> tuple[Claim | None, PriorPrice | None, bool]:
        """Ask the law about a reduced price: the claim, what it rests on, if the till's alone."""
        says, price = base.says, chosen.price_minor
        if chosen.public:
            kind = _kind_of(chosen)
            begins = _latest_begin(chosen.public)
            prior = past.prior(price, kind, begins=begins, changed=base.at)
            regular = says.regular_minor if says.regular_minor is not None else says.price_minor
            claim = may_claim(price, prior, self._profile, kind=kind, stated_minor=regular)
            return claim, prior, False
        if says.was_minor is None or says.was_minor <= price:
            return _NO_CLAIM
        prior = past.prior(price, StepKind.REDUCED, begins=base.at, changed=base.at)
        if prior.price_minor is None and prior.reason is not PriorReason.NO_RULE:
            return None, prior, True  # nothing here can tell better than the till
        claim = may_claim(price, prior, self._profile, stated_minor=says.was_minor)
        return claim, prior, False

    def _kind(self, chosen: Chosen, claim: Claim | None, reference: int | None) -> StepKind:
        """Say what the history keeps: an announced reduction, or a price like any other."""
        if chosen.public and claim is not None and claim.is_allowed:
            return _kind_of(chosen)
        return StepKind.REGULAR if reference is None else StepKind.REDUCED

    def _unit(
        self, product: Product, base: Base, price: int, exemptions: Collection[str]
    ) -> UnitPrice:
        says = base.says
        stated = says.unit_price_minor
        if stated is not None and price == says.price_minor and product.priced_per is None:
            content = product.net_content
            per = content.unit.value if content is not None else ""
            digits = MINOR_DIGITS[base.currency]
            if stated == price and self._profile.unit_price.same_may_be_left_out:
                return UnitPrice(UnitPriceCode.SAME_AS_PRICE, per)
            return UnitPrice(UnitPriceCode.SHOWN, per, stated, digits, stated)
        return unit_price(
            price,
            product.net_content,
            base.currency,
            self._profile,
            priced_per=product.priced_per,
            exemptions=exemptions,
        )

    def _several(
        self,
        product: Product,
        base: Base,
        several: Several | None,
        price: int,
        exemptions: Collection[str],
    ) -> MultibuyOffer | None:
        if several is None:
            return None
        return MultibuyOffer(
            several.quantity,
            several.total_minor,
            several.pay_for,
            percent_off(price * several.quantity, several.total_minor) or None,
            multibuy_unit_price(
                several.total_minor,
                several.quantity,
                product.net_content,
                base.currency,
                self._profile,
                exemptions=exemptions,
            ),
            several.by.promotion if several.by is not None else None,
        )

    def _member(
        self, product: Product, base: Base, member: Member | None, exemptions: Collection[str]
    ) -> MemberPrice | None:
        if member is None:
            return None
        promotion = member.by.promotion if member.by is not None else None
        unit = unit_price(
            member.price_minor,
            product.net_content,
            base.currency,
            self._profile,
            priced_per=product.priced_per,
            exemptions=exemptions,
        )
        club = promotion.club if promotion is not None else base.says.member_condition
        return MemberPrice(member.price_minor, club, unit, promotion)

    def _words(
        self,
        base: Base,
        chosen: Chosen,
        past: Past,
        percent: int | None,
        several: MultibuyOffer | None,
        *,
        is_plain: bool,
    ) -> tuple[str | None, TemplateName | None]:
        """Return badge and template: of one winner, and of a price that is announced."""
        if chosen.public:
            if is_plain:
                return None, None
            promotion = chosen.public[0].promotion
            return _filled(promotion.badge, percent), promotion.template
        if several is not None and several.promotion is not None:
            promotion = several.promotion
            badge = _filled(promotion.badge, several.percent)
            return badge or _unless(base.says.badge, is_plain), promotion.template
        if chosen.member is not None and chosen.member.by is not None:
            promotion = chosen.member.by.promotion
            badge = promotion.badge
            if badge is not None and _PERCENT in badge:
                badge = _filled(badge, self._member_percent(base, chosen.member, past))
            return badge or _unless(base.says.badge, is_plain), promotion.template
        return _unless(base.says.badge, is_plain), None

    def _member_percent(self, base: Base, member: Member, past: Past) -> int | None:
        begins = member.by.begins if member.by is not None else None
        prior = past.before(begins)
        claim = may_claim(
            member.price_minor,
            prior,
            self._profile,
            kind=StepKind.MEMBER,
            stated_minor=base.says.price_minor,
        )
        return claim.percent if claim.is_allowed else None


def offer_for(
    product: Product,
    base: Base,
    history: Sequence[Step],
    running: Sequence[Running],
    profile: Profile,
    moment: datetime,
    *,
    zone: ZoneInfo | None = None,
    lowest_30d_minor: int | None = None,
    on_sale_from_ms: int | None = None,
) -> Offer:
    """Compute the offer of one product; for many make a `Reckoner`."""
    return Reckoner(profile, moment, zone=zone).offer(
        product,
        base,
        history,
        running,
        lowest_30d_minor=lowest_30d_minor,
        on_sale_from_ms=on_sale_from_ms,
    )


def _untouched(base: Base) -> Chosen:
    says = base.says
    price, quantity, total = says.price_minor, says.multibuy_quantity, says.multibuy_minor
    several: Several | None = None
    if quantity is not None and total is not None and total < price * quantity:
        several = Several(quantity, total, says.multibuy_pay_for)
    member = says.member_minor
    own = Member(member) if member is not None and member < price else None
    return Chosen(price, (), several, own, (), ())


def _kind_of(chosen: Chosen) -> StepKind:
    return StepKind.SPOILAGE if chosen.public[0].promotion.is_markdown else StepKind.REDUCED


def _latest_begin(running: Sequence[Running]) -> datetime | None:
    return max((one.begins for one in running if one.begins is not None), default=None)


def _ours(chosen: Chosen) -> list[Running]:
    found = [*chosen.public]
    if chosen.several is not None and chosen.several.by is not None:
        found.append(chosen.several.by)
    if chosen.member is not None and chosen.member.by is not None:
        found.append(chosen.member.by)
    return found


def _last_day(first: Running | None) -> date | None:
    ends = first.promotion.window.ends if first is not None else None
    return (ends - _INSTANT).date() if ends is not None else None


def _filled(badge: str | None, percent: int | None) -> str | None:
    if badge is None or _PERCENT not in badge:
        return badge
    return badge.replace(_PERCENT, str(percent)) if percent is not None else None


def _unless(badge: str | None, is_plain: bool) -> str | None:  # noqa: FBT001  read as a sentence
    return None if is_plain else badge
