"""The rules that choose templates, and templates to save, as JSON.

    {"rules": [{"match": {"category": "Fruit*", "stock": "low:5"}, "template": "fresh-origin",
                "note": "before it is gone"}]}

What a rule may ask for in ``match`` is in `esl.domain.template_rule`; all of it is optional.
"""

import re
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.face import OfferKind
from esl.domain.ids import TemplateName
from esl.domain.pricing import KEEP, Keep
from esl.domain.template_rule import RULES_MOST, StockIs, TemplateRule, check_template_name
from esl.intake.fields import Fields
from esl.intake.price_json import text_or_none

CATEGORY_LONGEST = 120
BRAND_LONGEST = 80
NOTE_LONGEST = 200
PRODUCTS_MOST = 16
STOCK_MOST = 1_000_000
TEMPLATE_TEXT_LONGEST = 64 * 1024
"""Characters; the renderer refuses a larger file by its bytes."""

_PANEL = re.compile(r"[a-z0-9*?-]{1,40}")
_STOCK = re.compile(r"out|in|low:(?P<most>[1-9][0-9]{0,6})")
_MAX_PROBLEMS = 50


def parse_rules(value: Any) -> list[TemplateRule]:
    """Read a store's whole list of rules, ``{"rules": […]}``; it may be empty.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    items = fields.take("rules")
    if not isinstance(items, list):
        fields.problem("rules", "missing" if items is KEEP else "not an array")
    elif len(items) > RULES_MOST:
        fields.problem("rules", f"{len(items)} rules", fix=f"Send at most {RULES_MOST}.")
    fields.finish()
    rules: list[TemplateRule] = []
    problems: list[FieldProblem] = []
    for index, item in enumerate(items):
        try:
            rules.append(_parse_rule(item, f"/rules/{index}"))
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems[:_MAX_PROBLEMS])
    return rules


def parse_template_text(value: Any) -> str:
    """Read the body of a template to save, ``{"text": "…"}``.

    Raises:
        InvalidInput: It is something else, or the text is too long.
    """
    fields = Fields(value)
    text = fields.take("text")
    if not isinstance(text, str):
        fields.problem("text", "missing" if text is KEEP else "not a string")
    elif not text.strip():
        fields.problem("text", "empty")
    elif len(text) > TEMPLATE_TEXT_LONGEST:
        fields.problem("text", f"longer than {TEMPLATE_TEXT_LONGEST} characters")
    fields.finish()
    return str(text)


def _parse_rule(value: Any, path: str) -> TemplateRule:
    fields = Fields(value, path=path)
    template = fields.parsed(
        "template", lambda text, at: check_template_name(text, path=at), required=True
    )
    note = text_or_none(fields.text("note", longest=NOTE_LONGEST))
    asked = fields.take("match")
    match = Fields({} if asked is KEEP or asked is None else asked, path=f"{path}/match")
    stock = match.parsed("stock", _parse_stock)
    kind = match.parsed("kind", _parse_kind)
    rule = TemplateRule(
        template=template if isinstance(template, str) else TemplateName(""),
        category=text_or_none(match.text("category", longest=CATEGORY_LONGEST)),
        brand=text_or_none(match.text("brand", longest=BRAND_LONGEST)),
        panel=text_or_none(match.parsed("panel", _parse_panel)),
        kind=None if kind is KEEP or isinstance(kind, Keep) else kind,
        stock=stock[0] if isinstance(stock, tuple) else None,
        stock_most=stock[1] if isinstance(stock, tuple) else None,
        weighed=_read_flag(match, "weighed"),
        products=match.integer("products", low=1, high=PRODUCTS_MOST),
        note=note,
    )
    problems: list[FieldProblem] = []
    for part in (fields, match):
        try:
            part.finish()
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise InvalidInput(problems)
    return rule


def _read_flag(fields: Fields, name: str) -> bool | None:
    value = fields.take(name)
    if value is KEEP or value is None:
        return None
    if not isinstance(value, bool):
        fields.problem(name, "neither true nor false")
        return None
    return value


def _parse_stock(text: str, path: str) -> tuple[StockIs, int | None]:
    match = _STOCK.fullmatch(text)
    most = int(match["most"]) if match and match["most"] else None
    if match is None or (most is not None and most > STOCK_MOST):
        raise InvalidInput.at(
            path, "not a stock to ask for", fix='Send "out", "in", or "low:" and a number: "low:5".'
        )
    return (StockIs.LOW, most) if most is not None else (StockIs(text), None)


def _parse_kind(text: str, path: str) -> OfferKind:
    try:
        return OfferKind(text)
    except ValueError:
        raise InvalidInput.at(
            path, "not a kind of offer", fix=f"Send one of {', '.join(OfferKind)}."
        ) from None


def _parse_panel(text: str, path: str) -> str:
    if not _PANEL.fullmatch(text):
        raise InvalidInput.at(
            path,
            "not a panel id or a pattern of them",
            fix="Use a-z, 0-9 and '-', with * and ? for what may differ: “*-296x128”.",
        )
    return text
