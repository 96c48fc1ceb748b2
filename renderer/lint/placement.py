"""Does everything have its place: nothing over another, nothing cut, nothing missing."""

from collections.abc import Iterator
from itertools import combinations

from esl.domain.panel import Ink
from renderer.drawing import Drawing, DrawnPart
from renderer.lint.finding import Remark, Severity
from renderer.lint.naming import name_part, point_at
from renderer.template.models import Barcode, Price, Qr, Rect, Text

_MUST_STAND_ALONE = (Text, Price, Qr, Barcode)


def check_overlap(drawing: Drawing) -> Iterator[Remark]:
    """Find texts, prices and codes that touch each other's ink.

    Boxes may overlap as they like; a code's quiet zone counts as its ink.
    """
    parts = [part for part in drawing.parts if isinstance(part.element, _MUST_STAND_ALONE)]
    for below, above in combinations(parts, 2):
        a, b = below.ink_box, above.ink_box
        if a is None or b is None:
            continue
        if a.right <= b.left or b.right <= a.left or a.bottom <= b.top or b.bottom <= a.top:
            continue
        shared = below.mask & above.mask
        if shared.any():
            yield Remark(
                path=point_at(above),
                severity=Severity.ERROR,
                code="overlap",
                message=f"it is drawn over {name_part(below)}, {int(shared.sum())} pixels of it",
                fix="Move or shrink one of them, or put both into a row or column.",
            )


def check_covered(drawing: Drawing) -> Iterator[Remark]:
    """Find prices and texts over which something else is painted."""
    for i, below in enumerate(drawing.parts):
        if not isinstance(below.element, Text | Price):
            continue
        for above in drawing.parts[i + 1 :]:
            if isinstance(above.element, _MUST_STAND_ALONE) and not _has_ground(above):
                continue  # `check_overlap` says so
            box = above.box
            painted = above.mask.copy()
            if _has_ground(above):
                painted[box.top : box.bottom, box.left : box.right] = True
            if (below.mask & painted).any():
                yield Remark(
                    path=point_at(above),
                    severity=Severity.ERROR,
                    code="covered",
                    message=f"it is painted over {name_part(below)}",
                    fix="Put it before what it covers, or give both their own place.",
                )


def _has_ground(part: DrawnPart) -> bool:
    element = part.element
    inverted = isinstance(element, Text | Price) and element.invert
    return inverted or (element.fill is not None and not isinstance(element, Rect))


def check_cut(drawing: Drawing) -> Iterator[Remark]:
    """Find texts that were cut with an ellipsis."""
    for part in drawing.parts:
        if part.cut:
            yield Remark(
                path=point_at(part),
                severity=Severity.WARNING,
                code="cut",
                message="the text is cut with an ellipsis",
                fix="Give it more space or lines, or a smaller min_size.",
            )


def check_blank(drawing: Drawing) -> Iterator[Remark]:
    """Find a label that stays white."""
    if (drawing.canvas == Ink.WHITE).all():
        yield Remark(
            path=f"/{'/'.join(drawing.parts[0].path.split('/')[:2])}" if drawing.parts else "",
            severity=Severity.WARNING,
            code="blank",
            message="nothing is drawn",
            fix="Look at the `when` of its elements, and at what the data leave out.",
        )
