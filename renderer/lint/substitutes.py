"""Which inks a panel replaces because it has none of that colour."""

from collections.abc import Iterator

from esl.domain.panel import Ink
from renderer.drawing import Drawing
from renderer.ink_names import find_ink
from renderer.lint.finding import Remark, Severity
from renderer.lint.naming import name_inks, point_at

_KEYS = ("ink", "fill", "border", "rule")
_PLAIN_NAMES = {"red": Ink.RED, "yellow": Ink.YELLOW}
"""Names that mean one ink; `accent`, `emphasis` and their like mean to be replaced."""


def check_inks(drawing: Drawing) -> Iterator[Remark]:
    """Find elements that ask for an ink which the panel has not."""
    panel = drawing.panel
    for part in drawing.parts:
        for key in _KEYS:
            name = getattr(part.element, key, None)
            wanted = _PLAIN_NAMES.get(str(name))
            if wanted is not None and wanted not in panel.inks:
                instead = name_inks(find_ink(str(name), panel))
                yield Remark(
                    path=point_at(part, key),
                    severity=Severity.WARNING,
                    code="ink_replaced",
                    message=f"the panel has no {name}; {instead} is drawn instead",
                    fix="Use accent or emphasis, which choose for each panel, or add a variant "
                    "for it.",
                )
