"""Does a label show what it costs: the price on every panel, the old price struck through.

A template that prints no price anywhere is meant not to (a neutral face, a label for the staff),
so only one that shows it somewhere and not here is at fault: another variant prints it (an
error), or a `when` of this one leaves it out (a warning, for that may be meant).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.design import choose_variant
from renderer.drawing import Drawing
from renderer.lint.elements import walk_elements
from renderer.lint.finding import Remark, Severity
from renderer.lint.naming import point_at
from renderer.lint.printing import fields_named, fields_printed
from renderer.template.models import Element, Price, Text
from renderer.template.template import Template

_PRICE = "price"
_WAS = "was"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a field could be printed in a variant: the first element, or the variant itself."""

    path: str  # JSON pointer
    hidden: bool  # an element is there, and its `when`, or one around it, left it out


def check_prices_shown(drawing: Drawing, template: Template, face: Face) -> Iterator[Remark]:
    """Find a price that another variant shows, and an old price that is not struck through."""
    words = template.file.words
    elements = tuple(walk_elements(template.file))
    shown = {(part.product, f) for part in drawing.parts for f in fields_printed(part, words, face)}
    products = (face, *face.others)
    if any(_PRICE in fields_named(element, words) for _, element in elements) and any(
        product.price_minor is not None and (number, _PRICE) not in shown
        for number, product in enumerate(products)
    ):
        yield _price_missing(_find_place(template, drawing.panel, _PRICE))
    if any(
        _strikes_was(element) and _WAS in fields_named(element, words) for _, element in elements
    ):
        yield from _check_was(drawing, template, face)


def _price_missing(place: _Place) -> Remark:
    if place.hidden:
        return Remark(
            path=place.path,
            severity=Severity.WARNING,
            code="price_not_shown",
            message="the face has a price, and a `when` leaves it out here",
            fix="Look at the `when` of the element and of what is around it; leave it so if "
            "such a face is meant to show no price.",
        )
    return Remark(
        path=place.path,
        severity=Severity.ERROR,
        code="price_not_shown",
        message="the face has a price, and no element of this variant prints it as others do",
        fix="Add a price element to this variant.",
    )


def _check_was(drawing: Drawing, template: Template, face: Face) -> Iterator[Remark]:
    """Look at a template that strikes the old price somewhere."""
    words = template.file.words
    for number, product in enumerate((face, *face.others)):
        if product.was_minor is None:
            continue
        parts = [
            part
            for part in drawing.parts
            if part.product == number and _WAS in fields_printed(part, words, face)
        ]
        if any(_strikes_was(part.element) for part in parts):
            continue
        yield Remark(
            path=point_at(parts[0]) if parts else _find_place(template, drawing.panel, _WAS).path,
            severity=Severity.WARNING,
            code="was_not_struck",
            message="the price before is printed here without a line through it"
            if parts
            else "the face has a price before, and it is not shown here",
            fix="Say old: was at the price, or strike: true at the element that prints it.",
        )
        return


def _strikes_was(element: Element) -> bool:
    match element:
        case Price():
            return element.old == _WAS or (element.value == _WAS and element.strike)
        case Text():
            return element.strike
        case _:
            return False


def _find_place(template: Template, panel: Panel, field: str) -> _Place:
    variant, _ = choose_variant(template, panel)
    within = f"variants/{variant}"
    for path, element in walk_elements(template.file):
        if path.startswith(f"{within}/") and field in fields_named(element, template.file.words):
            return _Place(path=f"/{path}", hidden=True)
    return _Place(path=f"/{within}", hidden=False)
