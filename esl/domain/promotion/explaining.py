"""An offer's reason in plain sentences, for whoever stands before the shelf and asks.

The sentences are data, ``sentences/en.toml``: another language is another file with the same keys.
What the law said comes from `esl.domain.law` in its own words.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from esl.domain.errors import InvalidInput
from esl.domain.law.unit_price import UnitPrice
from esl.domain.money import format_minor
from esl.domain.promotion.offer import Effect, Lost, Offer
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    Gives,
    PayFor,
    PercentOf,
    PercentOff,
    Promotion,
    TotalFor,
)
from esl.domain.zone import CHAIN, zone_named_by

LANGUAGES: Final = ("en",)
"""Languages that have a file of sentences."""


def explain(offer: Offer, zone: ZoneInfo, *, language: str = "en") -> list[str]:
    """Say why a label shows what it shows; times are the store's.

    First what it shows, then where its price comes from, then each promotion that holds, each
    that does not and why, and what the law had to say.

    Raises:
        InvalidInput: Nobody has written sentences in this language.
    """
    return list(_Teller(offer, zone, _sentences(language)).tell())


@lru_cache(maxsize=8)
def _sentences(language: str) -> Mapping[str, Any]:
    if language not in LANGUAGES:
        raise InvalidInput.at(
            "language", "no sentences in this language", fix=f"Use {', '.join(LANGUAGES)}."
        )
    text = files(__package__).joinpath("sentences", f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class _Teller:
    """Fills the sentences of one language with one offer."""

    def __init__(self, offer: Offer, zone: ZoneInfo, sentences: Mapping[str, Any]) -> None:
        self._offer = offer
        self._zone = zone
        self._words = sentences

    def tell(self) -> Iterator[str]:
        offer, reason = self._offer, self._offer.reason
        yield self._say("shown", price=self._money(offer.price_minor), sku=offer.sku)
        yield self._base()
        for effect in reason.applied:
            yield self._effect(effect)
        if not reason.applied:
            yield self._say("none_applied" if not reason.lost else "none_won")
        for lost in reason.lost:
            yield self._lost(lost)
        yield from self._claim()
        yield from self._beside()

    def _say(self, key: str, /, **values: str) -> str:
        sentence: str = self._words[key]
        return sentence.format(**values)

    def _money(self, minor: int) -> str:
        return f"{format_minor(minor, self._offer.currency)} {self._offer.currency}"

    def _time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def _base(self) -> str:
        base = self._offer.reason.base
        zone = zone_named_by(base.source) if base.source is not None else None
        key = "base" if zone is None else "base_chain" if zone == CHAIN else "base_zone"
        parts = [self._say(key, price=self._money(base.says.price_minor), zone=zone or "")]
        for key, value in (
            ("base_source", base.source if zone is None else None),
            ("base_actor", base.actor),
            ("base_at", self._time(base.at) if base.at is not None else None),
            ("base_event", str(base.event) if base.event is not None else None),
        ):
            if value is not None:
                parts.append(self._say(key, value=value))
        if base.says.regular_minor is not None:
            parts.append(self._say("base_regular", price=self._money(base.says.regular_minor)))
        return f"{', '.join(parts)}."

    def _named(self, promotion: Promotion) -> str:
        return self._say("named", name=promotion.name, id=promotion.promotion_id)

    def _gives(self, gives: Gives) -> str:
        words = self._words["gives"]
        match gives:
            case Absolute(price_minor=price):
                text: str = words["absolute"].format(price=self._money(price))
            case PercentOff(permille=permille, of=of):
                key = "percent" if of is PercentOf.PRICE else "percent_of_lowest"
                text = words[key].format(percent=_percent(permille))
            case AmountOff(amount_minor=amount):
                text = words["amount"].format(amount=self._money(amount))
            case TotalFor(quantity=quantity, total_minor=total):
                text = words["total"].format(quantity=quantity, price=self._money(total))
            case PayFor(quantity=quantity, pay_for=pay_for):
                text = words["pay_for"].format(quantity=quantity, pay_for=pay_for)
        return text

    def _effect(self, effect: Effect) -> str:
        promotion = effect.promotion
        key = "on_top" if effect.on_top else effect.place.value
        sentence: str = self._words["applied"][key]
        return sentence.format(
            promotion=self._named(promotion),
            gives=self._gives(promotion.gives),
            before=self._money(effect.before_minor),
            after=self._money(effect.after_minor),
            club=promotion.club or "",
            priority=promotion.priority,
        )

    def _lost(self, lost: Lost) -> str:
        sentence: str = self._words["lost"][lost.why.value]
        to = lost.to
        text = sentence.format(
            promotion=self._named(lost.promotion),
            priority=lost.promotion.priority,
            to=self._named(to) if to is not None else "",
            to_priority=to.priority if to is not None else "",
            price=self._money(lost.would_be_minor) if lost.would_be_minor is not None else "",
            currency=lost.promotion.currency or "",
        )
        if lost.begins is not None:
            text = f"{text} {self._say('begins_next', time=self._time(lost.begins))}"
        return text

    def _claim(self) -> Iterator[str]:
        offer, reason = self._offer, self._offer.reason
        if reason.tills_word and offer.reference_minor is not None:
            yield self._say("tills_word", price=self._money(offer.reference_minor))
        if reason.claim is None:
            return
        if offer.trouble is not None:
            yield self._say("plain", trouble=offer.trouble.value)
        yield self._say("law", profile=reason.profile, words=reason.claim.words(offer.currency))

    def _beside(self) -> Iterator[str]:
        offer = self._offer
        unit = _unit_text(offer.unit, offer.currency)
        if unit is not None:
            yield self._say("unit_price", unit=unit)
        if offer.deposit_minor is not None:
            yield self._say("deposit", price=self._money(offer.deposit_minor))
        several = offer.multibuy
        if several is not None and several.promotion is None:
            yield self._say(
                "till_multibuy",
                quantity=str(several.quantity),
                price=self._money(several.total_minor),
            )
        member = offer.member
        if member is not None and member.promotion is None:
            yield self._say("till_member", price=self._money(member.price_minor))
        if offer.ends is not None:
            yield self._say("until", time=self._time(offer.ends))


def _percent(permille: int) -> str:
    whole, tenth = divmod(permille, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)


def _unit_text(unit: UnitPrice, currency: str) -> str | None:
    if unit.amount is None:
        return None
    if unit.digits == 0:
        return f"{unit.amount} {currency}/{unit.per}"
    whole, rest = divmod(unit.amount, 10**unit.digits)
    return f"{whole}.{rest:0{unit.digits}d} {currency}/{unit.per}"
