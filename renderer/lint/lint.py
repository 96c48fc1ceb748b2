"""The checks at save: draw a template with its own data on each panel and judge the pictures.

sample, worst_case ─┐
                    ├─▶ renderer.draw ─▶ checks ─▶ remarks ─▶ one finding per fault
panels ─────────────┘        └─ refused: that is the finding
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from esl.domain.errors import CodeDoesNotFit, RenderRefused
from esl.domain.face import Face
from esl.domain.panel import Panel
from esl.domain.panel_file import load_panels
from renderer.design import choose_variant
from renderer.drawing import Drawing
from renderer.lint.code_reading import check_readable
from renderer.lint.elements import find_named
from renderer.lint.file_checks import check_patterns, check_pictures, check_words
from renderer.lint.finding import Data, Finding, Remark, Seen, Severity, gather
from renderer.lint.legibility import check_contrast, check_sizes
from renderer.lint.placement import check_blank, check_covered, check_cut, check_overlap
from renderer.lint.prices_shown import check_prices_shown
from renderer.lint.substitutes import check_inks
from renderer.render import Renderer
from renderer.template.template import Template, find_line

_CHECKS: tuple[Callable[[Drawing], Iterable[Remark]], ...] = (
    check_overlap,
    check_covered,
    check_cut,
    check_blank,
    check_inks,
    check_readable,
)

_FIXES = {
    "price_does_not_fit": "Give the price a larger box, or a smaller min_size.",
    "name_does_not_fit": "Give the text a larger box or more lines, a smaller min_size, or "
    "fit: ellipsis.",
    "missing_glyph": "Put a font that has the character into the fonts folder, or change the text.",
    "code_does_not_fit": "Give the code a larger box or less to say; a QR code may have fallbacks.",
    "layout_does_not_fit": "Make what is inside smaller, or add a variant for this panel.",
    "too_many_products": "Raise products: and add cells for them.",
    "picture_not_drawn": "Install the extra `dither`, or upload the picture on this machine.",
}


def lint_template(
    renderer: Renderer, template: Template, panels: Iterable[Panel]
) -> tuple[Finding, ...]:
    """Check a template with its sample and worst case on panels; errors come first.

    About 30 ms a panel at 296x128. A template with an error should not reach a label.
    """
    panels = tuple(panels)
    known = load_panels().keys() | {panel.panel_id for panel in panels}
    remarks = (*check_pictures(template), *check_words(template), *check_patterns(template, known))
    seen = [Seen(remark=remark, line=find_line(template.lines, remark.path)) for remark in remarks]
    for panel in panels:
        for data, face in (
            (Data.SAMPLE, template.sample),
            (Data.WORST_CASE, template.worst_case),
        ):
            seen += _look_at(renderer, template, panel, face, data)
    return gather(seen)


def lint_face(
    renderer: Renderer, template: Template, panel: Panel, face: Face
) -> tuple[Finding, ...]:
    """Check one face with a template on one panel; errors come first."""
    return gather(_look_at(renderer, template, panel, face, Data.GIVEN))


def _look_at(
    renderer: Renderer, template: Template, panel: Panel, face: Face, data: Data
) -> Iterator[Seen]:
    for remark in _judge(renderer, template, panel, face):
        line = find_line(template.lines, remark.path)
        yield Seen(remark=remark, line=line, panel_id=panel.panel_id, data=data)


def _judge(renderer: Renderer, template: Template, panel: Panel, face: Face) -> Iterator[Remark]:
    if any(True for _ in check_pictures(template)):
        return  # said already, and nothing can be drawn without it
    try:
        strict = replace(face, link_may_be_left_out=False)
        drawing = renderer.draw(strict, panel, template)
    except CodeDoesNotFit as exc:
        if not face.link_may_be_left_out:
            yield _refusal(exc, template, panel)
            return
        try:
            drawing = renderer.draw(face, panel, template)
        except RenderRefused as other:
            yield _refusal(other, template, panel)
            return
        refusal = _refusal(exc, template, panel)
        yield replace(
            refusal,
            severity=Severity.WARNING,
            code="code_left_out",
            message=f"the QR code is left out: {refusal.message}",
        )
    except RenderRefused as exc:
        yield _refusal(exc, template, panel)
        return
    words = template.file.words
    yield from check_contrast(drawing, words)
    yield from check_sizes(drawing, words, face)
    yield from check_prices_shown(drawing, template, face)
    for check in _CHECKS:
        yield from check(drawing)


def _refusal(exc: RenderRefused, template: Template, panel: Panel) -> Remark:
    message = str(exc)
    try:
        variant, _ = choose_variant(template, panel)
        path, name = find_named(template.file, message, variant)
    except RenderRefused:
        path, name = "/variants", ""
    return Remark(
        path=path,
        severity=Severity.ERROR,
        code=exc.code,
        message=message.removeprefix(f"{name}: "),  # the path says it already
        fix=_FIXES.get(exc.code, "Change the element, or the data it prints."),
    )
