"""Promotions as JSON: as they are sent, as they are kept, and as they are answered.

    {"id": "weekend", "name": "Weekend", "gives": {"percent": 25}, "badge": "−{percent} %",
     "selection": {"categories": ["Coffee"]}, "where": {"stores": ["zagreb-1"]},
     "window": {"begins": "2026-03-06T08:00", "ends": "2026-03-08T20:00"}}

================ ============================================================================
``gives``        ``{"price": "1.49"}``, ``{"percent": 25}``, ``{"amount": "0.50"}``,
                 ``{"quantity": 2, "total": "3.50"}`` or ``{"quantity": 3, "pay_for": 2}``
``selection``    ``skus``, ``categories``, ``brands``, ``tags``, ``everything``, ``except_skus``
``where``        ``stores``, ``groups``, ``areas``; left out: everywhere
``window``       ``begins``, ``ends``, ``weekdays`` ("mon"), ``hours`` ("22:00" to "02:00"):
                 times of the store's own clock, without a zone
``rollout``      ``[{"areas": ["aisle-1"], "percent": 10}]``
================ ============================================================================
"""

import re
from datetime import datetime, time
from typing import Any, Final

from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId, TemplateName, check_slug
from esl.domain.money import check_currency, format_minor, parse_price
from esl.domain.pricing import KEEP
from esl.domain.promotion.check import VALUES_MOST, check_promotion
from esl.domain.promotion.promotion import (
    PERMILLE,
    Absolute,
    AmountOff,
    Channel,
    Gives,
    PayFor,
    PercentOf,
    PercentOff,
    Promotion,
    Selection,
    Stacking,
    TotalFor,
    Where,
)
from esl.domain.promotion.rollout import RolloutStep
from esl.domain.promotion.window import Hours, Window
from esl.intake.field_parts import (
    TEXT_LONGEST,
    close_inner,
    inner_fields,
    kind_of,
    kinds_of,
    objects,
    short_texts,
    skus,
    text_or_nothing,
    texts_through,
    truth,
)
from esl.intake.fields import Fields

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERCENT: Final = re.compile(r"(?P<whole>[0-9]{1,2})(?:\.(?P<tenth>[0-9]))?")
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")


def parse_promotion(value: Any, *, promotion_id: str | None = None) -> Promotion:
    """Read a promotion; ``promotion_id`` is the one of the address, where there is one.

    What the zones of its stores make of its window is not asked.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    named = fields.parsed("id", lambda t, at: check_slug(t, path=at, what="promotion"))
    if promotion_id is not None and named not in (None, KEEP, promotion_id):
        fields.problem("id", f"not the id of the address, {promotion_id!r}", fix="Leave it out.")
    if promotion_id is None and not isinstance(named, str):
        fields.problem("id", "missing", fix="Name the promotion: 1 to 64 of a-z, 0-9 and '-'.")
    currency = fields.parsed("currency", lambda t, at: check_currency(t, path=at))
    money = currency if isinstance(currency, str) else None
    name = fields.text("name", longest=TEXT_LONGEST, required=True)
    promotion = Promotion(
        promotion_id=promotion_id or str(named),
        name=str(name),
        gives=_gives(fields, money),
        currency=money,
        club=text_or_nothing(fields, "club"),
        is_markdown=truth(fields, "is_markdown"),
        selection=_selection(fields),
        where=_where(fields),
        channels=frozenset(kinds_of(fields, "channels", Channel)) or frozenset(Channel),
        window=_window(fields),
        priority=fields.integer("priority", low=-1_000_000, high=1_000_000) or 0,
        stacking=kind_of(fields, "stacking", Stacking) or Stacking.ALONE,
        template=_template(fields),
        badge=text_or_nothing(fields, "badge"),
        rollout=tuple(_steps(fields)),
    )
    fields.finish()
    check_promotion(promotion)
    return promotion


def promotion_view(promotion: Promotion) -> dict[str, Any]:
    """Write a promotion as `parse_promotion` reads it; what says nothing is left out."""
    chosen, where, window = promotion.selection, promotion.where, promotion.window
    view: dict[str, Any] = {
        "id": promotion.promotion_id,
        "name": promotion.name,
        "gives": _gives_view(promotion),
        "selection": {
            "skus": sorted(chosen.skus),
            "categories": sorted(chosen.categories),
            "brands": sorted(chosen.brands),
            "tags": sorted(chosen.tags),
            "everything": chosen.everything,
            "except_skus": sorted(chosen.except_skus),
        },
        "where": {
            "stores": sorted(where.stores),
            "groups": sorted(where.groups),
            "areas": sorted(where.areas),
        },
        "window": {
            "begins": _local_text(window.begins),
            "ends": _local_text(window.ends),
            "weekdays": [WEEKDAYS[day] for day in sorted(window.weekdays)],
            "hours": [
                {"begins": one.begins.isoformat(), "ends": one.ends.isoformat()}
                for one in window.hours
            ],
        },
        "channels": sorted(promotion.channels),
        "priority": promotion.priority,
        "stacking": promotion.stacking.value,
        "currency": promotion.currency,
        "club": promotion.club,
        "is_markdown": promotion.is_markdown,
        "template": promotion.template,
        "badge": promotion.badge,
        "rollout": [
            {"areas": sorted(step.areas), "percent": step.percent} for step in promotion.rollout
        ],
    }
    for inner in ("selection", "where", "window"):
        view[inner] = {name: held for name, held in view[inner].items() if held}
    return {
        name: held
        for name, held in view.items()
        if held not in (None, False, [], {}) or name == "selection"
    }


# -- what it gives -------------------------------------------------------------------------------


def _gives(fields: Fields, currency: str | None) -> Gives:
    inner = inner_fields(fields, "gives", required=True)
    if inner is None:
        return Absolute(price_minor=1)  # never seen: the problem is noted

    def money(text: str, at: str) -> int:
        if currency is None:
            raise InvalidInput.at("/currency", "an amount needs its currency", fix='Send "EUR".')
        return parse_price(text, currency, path=at)

    quantity = inner.integer("quantity", low=2, high=99)
    given = [n for n in ("price", "percent", "amount", "total", "pay_for") if inner.has(n)]
    gives: Gives = Absolute(price_minor=1)
    if len(given) != 1:
        inner.problem(
            "",
            "gives nothing" if not given else f"gives {' and '.join(given)} at once",
            fix="Send one of price, percent, amount, or quantity with total or pay_for.",
        )
        for name in given:
            inner.take(name)
    elif given[0] == "percent":
        of = kind_of(inner, "of", PercentOf) or PercentOf.PRICE
        gives = PercentOff(permille=_permille(inner), of=of)
    elif given[0] == "pay_for":
        gives = PayFor(quantity=quantity or 2, pay_for=inner.integer("pay_for", high=98) or 0)
    else:
        amount = inner.parsed(given[0], money, required=True)
        minor = amount if isinstance(amount, int) else 1
        if given[0] == "price":
            gives = Absolute(price_minor=minor)
        elif given[0] == "amount":
            gives = AmountOff(amount_minor=minor)
        else:
            gives = TotalFor(quantity=quantity or 2, total_minor=minor)
    is_several = isinstance(gives, TotalFor | PayFor)
    if is_several and quantity is None and len(given) == 1:
        inner.problem("quantity", "missing", fix="Say how many pieces: 2 to 99.")
    if not is_several and quantity is not None:
        inner.problem("quantity", "only with total or pay_for", fix="Leave it out.")
    close_inner(fields, inner)
    return gives


def _permille(inner: Fields) -> int:
    value = inner.take("percent")
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = _PERCENT.fullmatch(text)
    permille = int(found["whole"]) * 10 + int(found["tenth"] or 0) if found else 0
    if not 0 < permille < PERMILLE:
        fix = 'Send a whole number such as 25, or a string with one decimal such as "12.5".'
        inner.problem("percent", "not a percentage above 0 and below 100", fix=fix)
        return 1
    return permille


def _gives_view(promotion: Promotion) -> dict[str, Any]:
    currency = promotion.currency or "EUR"
    match promotion.gives:
        case Absolute(price_minor=minor):
            return {"price": format_minor(minor, currency)}
        case PercentOff(permille=permille, of=of):
            whole, tenth = divmod(permille, 10)
            percent: dict[str, Any] = {"percent": whole if not tenth else f"{whole}.{tenth}"}
            return percent if of is PercentOf.PRICE else percent | {"of": of.value}
        case AmountOff(amount_minor=minor):
            return {"amount": format_minor(minor, currency)}
        case TotalFor(quantity=quantity, total_minor=minor):
            return {"quantity": quantity, "total": format_minor(minor, currency)}
        case PayFor(quantity=quantity, pay_for=pay_for):
            return {"quantity": quantity, "pay_for": pay_for}


# -- on what, where and when ---------------------------------------------------------------------


def _selection(fields: Fields) -> Selection:
    inner = inner_fields(fields, "selection", required=True)
    if inner is None:
        return Selection(everything=True)
    chosen = Selection(
        skus=frozenset(skus(inner, "skus")),
        categories=frozenset(short_texts(inner, "categories")),
        brands=frozenset(short_texts(inner, "brands")),
        tags=frozenset(short_texts(inner, "tags")),
        everything=truth(inner, "everything"),
        except_skus=frozenset(skus(inner, "except_skus")),
    )
    close_inner(fields, inner)
    return chosen


def _where(fields: Fields) -> Where:
    inner = inner_fields(fields, "where")
    if inner is None:
        return Where()

    def slug(text: str, at: str) -> str:
        return check_slug(text, path=at, what="store")

    where = Where(
        stores=frozenset(StoreId(one) for one in texts_through(inner, "stores", slug, VALUES_MOST)),
        groups=frozenset(short_texts(inner, "groups")),
        areas=frozenset(short_texts(inner, "areas")),
    )
    close_inner(fields, inner)
    return where


def _window(fields: Fields) -> Window:
    inner = inner_fields(fields, "window")
    if inner is None:
        return Window()
    begins, ends = inner.parsed("begins", _local), inner.parsed("ends", _local)
    days = texts_through(inner, "weekdays", _weekday, len(WEEKDAYS))
    hours: list[Hours] = []
    for one in objects(inner, "hours"):
        since = one.parsed("begins", _time, required=True)
        until = one.parsed("ends", _time, required=True)
        if isinstance(since, time) and isinstance(until, time):
            hours.append(Hours(since, until))
        close_inner(inner, one)
    close_inner(fields, inner)
    return Window(
        begins=begins if isinstance(begins, datetime) else None,
        ends=ends if isinstance(ends, datetime) else None,
        weekdays=frozenset(days),
        hours=tuple(hours),
    )


def _steps(fields: Fields) -> list[RolloutStep]:
    steps: list[RolloutStep] = []
    for one in objects(fields, "rollout"):
        areas, percent = short_texts(one, "areas"), one.integer("percent", high=100)
        steps.append(RolloutStep(areas=frozenset(areas), percent=percent or 0))
        close_inner(fields, one)
    return steps


def _local(text: str, at: str) -> datetime:
    fix = 'Send a time of the store\'s clock, such as "2026-03-02T08:00", without a zone.'
    if not _LOCAL.fullmatch(text):
        raise InvalidInput.at(at, "not a time of the store's clock", fix=fix)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(at, "no such day or time", fix=fix) from None
    if not 2000 <= found.year <= 2099:  # noqa: PLR2004  as `esl.intake.fields` says
        raise InvalidInput.at(at, "not within the years 2000 to 2099", fix=fix)
    return found


def _time(text: str, at: str) -> time:
    fix = 'Send a time of the store\'s clock, such as "06:00".'
    if not _TIME.fullmatch(text):
        raise InvalidInput.at(at, "not a time of the store's clock", fix=fix)
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(at, "no such time", fix=fix) from None


def _weekday(text: str, at: str) -> int:
    if text not in WEEKDAYS:
        raise InvalidInput.at(at, "not a day of the week", fix=f"Send {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(text)


def _local_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _template(fields: Fields) -> TemplateName | None:
    value = fields.parsed("template", lambda t, at: check_slug(t, path=at, what="template"))
    return TemplateName(value) if isinstance(value, str) else None
