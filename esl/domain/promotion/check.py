"""What may be wrong with a promotion, each named with its field and its fix, before it is saved."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import SLUG_MAX_CHARACTERS, check_slug, has_control
from esl.domain.money import MINOR_DIGITS, PRICE_MAX_MINOR
from esl.domain.promotion.promotion import (
    PERMILLE,
    Absolute,
    AmountOff,
    PayFor,
    PercentOf,
    PercentOff,
    Promotion,
    Stacking,
    TotalFor,
)
from esl.domain.promotion.window import Window, ever_runs

PRIORITY_MOST: Final = 1000
SKUS_MOST: Final = 200_000
VALUES_MOST: Final = 1000
"""Categories, brands, tags, stores, groups or areas of one promotion."""
HOURS_MOST: Final = 24
STEPS_MOST: Final = 20
QUANTITY_MOST: Final = 99
NAME_MOST: Final = 80
BADGE_MOST: Final = 40
_SHARE: Final = 100
_SIGN: Final = r"(?:[%٪‰]|[°º]\s*/\s*[o0])"
_WORD: Final = (
    r"(?:per ?cent|pct|prozent|procen|proosent|protsen|por ?cien|por ?cento|pour ?cent|percen|"
    r"posto|na sto|százalék|процен|відсот|на сто|τοις εκατό)"
)
_FILLED: Final = re.compile(rf"(?:{_SIGN}\s*)?\{{percent\}}(?:\s*{_SIGN})?")
_PERCENTAGE: Final = re.compile(rf"{_SIGN}|[0-9]\s*{_WORD}|yüzde\s*[0-9]", re.IGNORECASE)
"""What a percentage is written with; a word only beside a number."""


def check_promotion(promotion: Promotion, zones: tuple[ZoneInfo, ...] = ()) -> None:
    """Refuse a promotion that cannot mean anything; ``zones`` are those of its stores.

    Raises:
        InvalidInput: Names every field that is wrong, as a JSON pointer, and its fix.
    """
    problems = [
        *_of_its_words(promotion),
        *_of_what_it_gives(promotion),
        *_of_how_it_is_given(promotion),
        *_of_its_products(promotion),
        *_of_its_window(promotion.window, zones),
        *_of_its_steps(promotion),
    ]
    if problems:
        raise InvalidInput(problems)


def _problem(path: str, detail: str, fix: str | None = None) -> FieldProblem:
    return FieldProblem(path=path, detail=detail, fix=fix)


def _of_its_words(promotion: Promotion) -> Iterator[FieldProblem]:
    try:
        check_slug(promotion.promotion_id, path="/id", what="promotion")
    except InvalidInput as wrong:
        yield from wrong.problems
    yield from _text("/name", promotion.name, NAME_MOST)
    if promotion.club is not None:
        yield from _text("/club", promotion.club, SLUG_MAX_CHARACTERS)
    badge = promotion.badge
    if badge is not None:
        yield from _text("/badge", badge, BADGE_MOST)
        rest = _FILLED.sub("", badge, count=1)
        if _has_percentage(rest):
            yield _problem(
                "/badge",
                "a percentage that the law may not let this price claim",
                'Write "−{percent} %": the percentage from the lawful reference is put in.',
            )
        elif "{" in rest or "}" in rest:
            yield _problem("/badge", "a placeholder that nobody fills", "Only {percent} is known.")
    if abs(promotion.priority) > PRIORITY_MOST:
        yield _problem(
            "/priority", "too far from 0", f"Use −{PRIORITY_MOST} to {PRIORITY_MOST}; higher first."
        )


def _has_percentage(text: str) -> bool:
    return _PERCENTAGE.search(unicodedata.normalize("NFKC", text)) is not None


def _text(path: str, text: str, most: int) -> Iterator[FieldProblem]:
    if not 1 <= len(text) <= most or text != text.strip() or has_control(text):
        yield _problem(path, "not a short line", f"Send 1 to {most} printable characters.")


def _of_what_it_gives(promotion: Promotion) -> Iterator[FieldProblem]:
    amount: int | None = None
    match promotion.gives:
        case Absolute(price_minor=amount):
            pass
        case AmountOff(amount_minor=amount):
            pass
        case PercentOff(permille=permille):
            if not 0 < permille < PERMILLE:
                yield _problem("/gives/percent", "not above 0 and below 100")
        case TotalFor(quantity=quantity, total_minor=amount):
            yield from _quantity(quantity)
        case PayFor(quantity=quantity, pay_for=pay_for):
            yield from _quantity(quantity)
            if not 0 < pay_for < quantity:
                yield _problem(
                    "/gives/pay_for", "not fewer than the pieces", '"3 for 2" pays for 2 of 3.'
                )
    if amount is not None:
        if not 0 < amount <= PRICE_MAX_MINOR:
            yield _problem("/gives", "an amount that is not above zero, or above any price")
        if promotion.currency not in MINOR_DIGITS:
            yield _problem("/currency", "an amount needs its currency", 'Send it, such as "EUR".')


def _of_how_it_is_given(promotion: Promotion) -> Iterator[FieldProblem]:
    several = isinstance(promotion.gives, TotalFor | PayFor)
    if several and promotion.club is not None:
        yield _problem(
            "/club",
            "several pieces for members alone: no label has words for it",
            "Give members a price for one piece, or the pieces to everybody.",
        )
    gives = promotion.gives
    if (
        isinstance(gives, PercentOff)
        and gives.of is PercentOf.LOWEST
        and promotion.window.has_pauses
    ):
        yield _problem(
            "/gives/of",
            "each time it begins again its own price is the lowest, and half of it half again",
            "Take it off the price, or leave out weekdays and hours.",
        )
    if promotion.is_markdown and (several or promotion.club is not None):
        yield _problem(
            "/is_markdown", "goods about to spoil are reduced for everybody, one piece each"
        )
    if promotion.club is not None and promotion.stacking is Stacking.EXCLUSIVE:
        yield _problem(
            "/stacking",
            "a price for members alone cannot end prices for everybody",
            'Use "alone".',
        )
    if promotion.stacking is Stacking.ON_TOP and not isinstance(
        promotion.gives, PercentOff | AmountOff
    ):
        yield _problem(
            "/stacking", "only a percentage or an amount can be taken off another", 'Use "alone".'
        )


def _quantity(quantity: int) -> Iterator[FieldProblem]:
    if not 1 < quantity <= QUANTITY_MOST:
        yield _problem("/gives/quantity", f"not 2 to {QUANTITY_MOST} pieces")


def _of_its_products(promotion: Promotion) -> Iterator[FieldProblem]:
    chosen = promotion.selection
    if chosen.is_empty:
        yield _problem(
            "/selection",
            "no product is selected",
            "Give skus, categories, brands or tags; or say everything: true.",
        )
    if chosen.everything and (chosen.skus or chosen.categories or chosen.brands or chosen.tags):
        yield _problem("/selection/everything", "everything, and only some", "Leave one out.")
    for path, values, most in (
        ("/selection/skus", chosen.skus, SKUS_MOST),
        ("/selection/except_skus", chosen.except_skus, SKUS_MOST),
        ("/selection/categories", chosen.categories, VALUES_MOST),
        ("/selection/brands", chosen.brands, VALUES_MOST),
        ("/selection/tags", chosen.tags, VALUES_MOST),
        ("/where/stores", promotion.where.stores, VALUES_MOST),
        ("/where/groups", promotion.where.groups, VALUES_MOST),
        ("/where/areas", promotion.where.areas, VALUES_MOST),
    ):
        if len(values) > most:
            yield _problem(path, f"more than {most}", "Make two promotions of it.")
        if any(not value.strip() for value in values):
            yield _problem(path, "an empty text among them")
    if not promotion.channels:
        yield _problem("/channels", "none", 'Use "shelf", "online" or both.')


def _of_its_window(window: Window, zones: tuple[ZoneInfo, ...]) -> Iterator[FieldProblem]:
    for path, moment in (("/window/begins", window.begins), ("/window/ends", window.ends)):
        if moment is not None and not _is_local(moment):
            yield _problem(
                path, "not a time of the store's clock", 'Send "2026-03-02T08:00", without a zone.'
            )
            return
    if window.begins is not None and window.ends is not None and window.ends <= window.begins:
        yield _problem("/window/ends", "not after its beginning")
        return
    if any(not 0 <= day <= 6 for day in window.weekdays):  # noqa: PLR2004  Monday to Sunday
        yield _problem("/window/weekdays", "not a day of the week")
        return
    if len(window.hours) > HOURS_MOST:
        yield _problem("/window/hours", f"more than {HOURS_MOST} in a day")
    if any(not _is_local(moment) for hours in window.hours for moment in hours):
        yield _problem("/window/hours", "not a time of the store's clock", 'Send "06:00".')
        return
    never = [zone.key for zone in zones if not ever_runs(window, zone)]
    if never:
        yield _problem(
            "/window",
            f"it never runs in {', '.join(sorted(never))}: no such day and hour falls into it",
            "Compare its days and hours with its beginning and end.",
        )


def _is_local(moment: datetime | time) -> bool:
    return moment.tzinfo is None and moment.microsecond == 0


def _of_its_steps(promotion: Promotion) -> Iterator[FieldProblem]:
    if len(promotion.rollout) > STEPS_MOST:
        yield _problem("/rollout", f"more than {STEPS_MOST} steps")
    before = 0
    for number, step in enumerate(promotion.rollout):
        path = f"/rollout/{number}"
        if not 0 <= step.percent <= _SHARE:
            yield _problem(f"{path}/percent", "not 0 to 100")
        elif not step.percent and not step.areas:
            yield _problem(path, "nobody joins", "Give areas, a percentage, or both.")
        elif step.percent and step.percent < before:
            yield _problem(f"{path}/percent", "fewer than in the step before: labels stay in")
        before = max(before, step.percent)
