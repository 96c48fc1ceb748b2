"""Which template a label is drawn with: ordered rules, the first that fits decides.

    the store's rules, in their order ──▶ DEFAULT_RULES ──▶ "standard", which fits everything

A rule may ask for a category, a brand, a panel, a kind of offer, a stock, goods sold by weight
and a number of products; whatever it asks for must hold, and one that asks for nothing fits
everything. So nobody chooses a template when a label is paired, and every choice can be
explained in words.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from esl.domain.errors import InvalidInput
from esl.domain.face import Face, OfferKind
from esl.domain.ids import PanelId, TemplateName

RULES_MOST = 200
"""Rules of one store; nobody understands more, and each costs every label a look."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class StockIs(StrEnum):
    """What a rule may ask of the stock; a stock that nobody told us is none of them."""

    OUT = "out"  # 0 pieces or fewer
    LOW = "low"  # 1 to ``stock_most`` pieces
    IN = "in"  # 1 piece or more


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRule:
    """One rule: a template, and what must hold of a label; None asks for nothing.

    Of a label with several products the first is asked, but ``kind`` is none where any of them
    has no price.
    ``category`` and ``brand`` are compared without regard to capitals, and a ``*`` at their end
    stands for any rest. In ``panel``, ``*`` is any run of characters and ``?`` any one.
    """

    template: TemplateName
    category: str | None = None
    brand: str | None = None
    panel: str | None = None
    kind: OfferKind | None = None
    stock: StockIs | None = None
    stock_most: int | None = None  # with `StockIs.LOW` only
    weighed: bool | None = None
    products: int | None = None  # exactly so many on the label
    note: str | None = None  # for whoever reads the rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A template, and why: ``rule`` counts the store's rules from 0, None is one of ours."""

    template: TemplateName
    rule: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule said of a label: it fits, or the first of its conditions that does not."""

    rule: int | None
    template: TemplateName
    fits: bool
    words: str


def _default(template: str, note: str, **asked: object) -> TemplateRule:
    return TemplateRule(template=TemplateName(template), note=note, **asked)  # type: ignore[arg-type]


DEFAULT_RULES: tuple[TemplateRule, ...] = (
    _default("neutral", "no price may be shown", kind=OfferKind.NONE, products=1),
    _default("two-products", "two products on one label", products=2),
    _default("four-products", "three products on one label", products=3),
    _default("four-products", "four products on one label", products=4),
    _default("member-price", "a lower price for members", kind=OfferKind.MEMBER),
    _default("multi-buy", "several pieces together cost less", kind=OfferKind.MULTIBUY),
    _default("promotion", "a badge or an old price", kind=OfferKind.PROMOTION),
    _default("weighed", "sold by weight", weighed=True),
    _default("standard", "nothing special"),
)
"""What holds where no rule of the store fits; the last one fits everything."""

Test = Callable[[Face, PanelId, OfferKind], bool]
_Condition = tuple[str, Test]  # in words, and as a function


class RuleBook:
    """A store's rules and ours behind them, made ready: a choice takes about a microsecond."""

    __slots__ = ("_conditions", "_ready", "rules")

    def __init__(self, rules: Sequence[TemplateRule] = ()) -> None:
        self.rules = tuple(rules)
        self._conditions: list[tuple[tuple[_Condition, ...], Choice]] = []
        for index, rule in enumerate((*self.rules, *DEFAULT_RULES)):
            conditions = tuple(_conditions_of(rule))
            number = index if index < len(self.rules) else None
            reason = _reason(rule, number, [words for words, _ in conditions])
            choice = Choice(template=rule.template, rule=number, reason=reason)
            self._conditions.append((conditions, choice))
        self._ready = [
            (tuple(test for _, test in conditions), choice)
            for conditions, choice in self._conditions
        ]

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What each rule would choose, in their order."""
        return tuple(choice for _, choice in self._conditions)

    def choose(self, face: Face, panel_id: PanelId) -> Choice:
        """Return the choice of the first rule that fits."""
        kind = _kind_of(face)
        for tests, choice in self._ready:
            for test in tests:
                if not test(face, panel_id, kind):
                    break
            else:
                return choice
        raise AssertionError("the last of our own rules fits everything")

    def explain(self, face: Face, panel_id: PanelId) -> tuple[Verdict, ...]:
        """Say what each rule said, up to the first that fits."""
        said: list[Verdict] = []
        kind = _kind_of(face)
        for conditions, choice in self._conditions:
            failed = next((w for w, test in conditions if not test(face, panel_id, kind)), None)
            said.append(
                Verdict(
                    rule=choice.rule,
                    template=choice.template,
                    fits=failed is None,
                    words=choice.reason if failed is None else f"not so: {failed}",
                )
            )
            if failed is None:
                break
        return tuple(said)


def choose_template(rules: RuleBook, face: Face, panel_id: PanelId) -> Choice:
    """Say which template a label of this face and panel is drawn with, and why."""
    return rules.choose(face, panel_id)


def check_template_name(text: str, *, path: str) -> TemplateName:
    """Return ``text`` if it may name a template or a picture.

    Raises:
        InvalidInput: It is not 1 to 63 of ``a-z``, ``0-9`` and ``-``, or begins with ``-``.
    """
    if not _NAME.fullmatch(text):
        raise InvalidInput.at(
            path,
            "not a valid name",
            fix="Use 1 to 63 of the characters a-z, 0-9 and '-', beginning with a letter or digit.",
        )
    return TemplateName(text)


def _kind_of(face: Face) -> OfferKind:
    """Say what kind of offer a label shows: its first product's, but none if any has no price."""
    if face.others and any(other.price_minor is None for other in face.others):
        return OfferKind.NONE
    return face.kind


def _reason(rule: TemplateRule, number: int | None, conditions: Sequence[str]) -> str:
    if number is None:
        return rule.note or "nothing special"
    asked = ", ".join(conditions) or "it fits every label"
    return f"rule {number + 1} of the store: {asked}"


def _conditions_of(rule: TemplateRule) -> Iterator[_Condition]:
    if rule.kind is not None:
        yield _kind_words(rule.kind), _kind_test(rule.kind)
    if rule.weighed is not None:
        yield _weighed_condition(weighed=rule.weighed)
    if rule.products is not None:
        yield _products_condition(rule.products)
    if rule.stock is not None:
        yield _stock_condition(rule.stock, rule.stock_most)
    if rule.category is not None:
        words, matches = _text_condition(rule.category)
        yield f"category {words}", lambda face, _panel, _kind: matches(face.category)
    if rule.brand is not None:
        told, fits = _text_condition(rule.brand)
        yield f"brand {told}", lambda face, _panel, _kind: fits(face.brand)
    if rule.panel is not None:
        yield _panel_condition(rule.panel)


_KIND_WORDS = {
    OfferKind.MEMBER: "a price for members",
    OfferKind.MULTIBUY: "a price for several pieces",
    OfferKind.PROMOTION: "a badge or an old price",
    OfferKind.REGULAR: "a regular price",
    OfferKind.NONE: "no price to show",
}


def _kind_words(wanted: OfferKind) -> str:
    return _KIND_WORDS[wanted]


def _kind_test(wanted: OfferKind) -> Test:
    return lambda _face, _panel, kind: kind is wanted


def _weighed_condition(*, weighed: bool) -> _Condition:
    if weighed:
        return "sold by weight", lambda face, _panel, _kind: face.priced_per is not None
    return "not sold by weight", lambda face, _panel, _kind: face.priced_per is None


def _products_condition(count: int) -> _Condition:
    others = count - 1
    words = "one product on the label" if count == 1 else f"{count} products on the label"
    return words, lambda face, _panel, _kind: len(face.others) == others


def _stock_condition(wanted: StockIs, most: int | None) -> _Condition:
    if wanted is StockIs.OUT:
        return "out of stock", lambda face, _p, _k: face.stock is not None and face.stock <= 0
    if wanted is StockIs.IN:
        return "in stock", lambda face, _p, _k: face.stock is not None and face.stock > 0
    if most is None:
        raise ValueError("a low stock has a number")
    return (
        f"1 to {most} pieces in stock",
        lambda face, _p, _k: face.stock is not None and 0 < face.stock <= most,
    )


def _text_condition(pattern: str) -> tuple[str, Callable[[str | None], bool]]:
    if pattern.endswith("*"):
        start = pattern[:-1].casefold()
        return (
            f"begins with “{pattern[:-1]}”",
            lambda text: text is not None and text.casefold().startswith(start),
        )
    whole = pattern.casefold()
    return f"is “{pattern}”", lambda text: text is not None and text.casefold() == whole


def _panel_condition(pattern: str) -> _Condition:
    steps = {"*": ".*", "?": "."}
    matches = re.compile("".join(steps.get(c, re.escape(c)) for c in pattern)).fullmatch
    return f"panel is like “{pattern}”", lambda _face, panel, _kind: matches(panel) is not None
