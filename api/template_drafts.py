"""A draft of a template, looked at and not saved: what is wrong, its pictures, what can be moved.

Everything is told that one look finds. What cannot be read has no pictures; where one panel
refuses, the others are drawn all the same.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from api.house import House
from api.rendering import part_view
from api.template_checks import Surroundings, finding_view, read_template
from esl.domain.errors import FieldProblem, InvalidInput, RenderRefused, UnknownPanel
from esl.domain.face import Face
from esl.domain.ids import PanelId, StoreId, TemplateName
from esl.domain.panel import Panel
from esl.intake.draft_json import DRAFT_PANELS_MOST, Draft
from esl.services.template_choice import count_drawn_with
from esl.services.templates import says_the_same
from esl.store import templates
from renderer.layout.handles import Handle
from renderer.lint.finding import Data, Finding, Severity
from renderer.lint.lint import lint_template
from renderer.preview_marks import picture_of
from renderer.render import Renderer
from renderer.template.template import Template, find_line
from renderer.template.yaml_text import Span, read_yaml

_USUAL: Final = PanelId("bwry-296x128")
"""What is drawn where a store has no labels yet."""

_LINE: Final = re.compile(r"line (?P<line>[0-9]+)(?:, column (?P<column>[0-9]+))?: ")
"""How `renderer.template` and its reader of YAML begin what they say of a place in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at a draft found."""

    template: Template | None  # None: it cannot be read
    problems: Sequence[dict[str, Any]]
    pictures: Sequence[dict[str, Any]]
    is_savable: bool


def panels_of(house: House, draft: Draft, around: Surroundings) -> tuple[Panel, ...]:
    """Say on which panels a draft is drawn: those asked for, else those that the store has.

    Raises:
        InvalidInput: There is no such model.
    """
    if draft.panels is None:
        if not around.are_in_use:
            return (house.panels.named(_USUAL),)
        return around.panels[:DRAFT_PANELS_MOST]
    try:
        return tuple(house.panels.named(panel) for panel in draft.panels)
    except UnknownPanel as exc:
        raise InvalidInput.at("/panels", str(exc)) from None


def look_at(
    house: House, name: TemplateName, draft: Draft, around: Surroundings, panels: Sequence[Panel]
) -> Looked:
    """Read a draft, check it as a save does, and draw its sample and its worst case.

    About a tenth of a second a panel at 296x128.
    """
    try:
        template = read_template(draft.text, around.pictures)
    except InvalidInput as exc:
        problems = [_problem_view(problem) for problem in exc.problems]
        return Looked(template=None, problems=problems, pictures=[], is_savable=False)
    renderer = Renderer(fonts=house.fonts, products_kept=1)
    of_store = around.panels if around.are_in_use else ()
    findings = lint_template(renderer, template, dict.fromkeys((*of_store, *panels)))
    problems = [finding_view(finding) for finding in findings]
    if template.file.name != name:
        problems.insert(0, _other_name(template))
    spans = read_yaml(draft.text).spans
    return Looked(
        template=template,
        problems=problems,
        pictures=[
            _picture_view(renderer, template, panel, data, spans, scale=draft.scale)
            for panel in panels
            for data in (Data.SAMPLE, Data.WORST_CASE)
        ],
        is_savable=template.file.name == name and not any(_hinders(findings, of_store)),
    )


def draft_view(
    tx: Connection, store_id: StoreId, name: TemplateName, draft: Draft, looked: Looked
) -> dict[str, Any]:
    """Answer with what was found, and what saving it would do to the store."""
    versions = templates.versions_of(tx, store_id, name)
    last = versions[0] if versions else None
    is_new = last is None or last.is_deleted
    template = looked.template
    changes = (
        template is None
        or last is None
        or is_new
        or not says_the_same(tx, last, digest=template.digest, text=draft.text)
    )
    number = last.version if last is not None else 0
    counted = None
    if draft.labels:
        does = template is not None and changes
        by_panel = count_drawn_with(tx, store_id, name) if does else {}
        counted = {
            "labels": sum(by_panel.values()),
            "panels": [{"panel": one, "labels": by_panel[one]} for one in sorted(by_panel)],
        }
    return {
        "name": name,
        "readable": template is not None,
        "savable": looked.is_savable,
        "changes": changes,
        "version": number + 1 if changes else number,
        "redraws": counted,
        "problems": list(looked.problems),
        "pictures": list(looked.pictures),
    }


def _hinders(findings: Sequence[Finding], of_store: Sequence[Panel]) -> Iterator[bool]:
    """Say of each finding whether the template is refused for it."""
    ids = {panel.panel_id for panel in of_store}
    for finding in findings:
        is_here = not finding.panels or not ids or bool(ids.intersection(finding.panels))
        yield finding.severity is Severity.ERROR and is_here


def _problem_view(problem: FieldProblem) -> dict[str, Any]:
    found = _LINE.match(problem.detail)
    return {
        "pointer": problem.path,
        "line": int(found["line"]) if found else 1,
        "severity": Severity.ERROR,
        "code": "unreadable",
        "detail": problem.detail[found.end() :] if found else problem.detail,
        "fix": problem.fix,
        "panels": [],
        "data": [],
    }


def _other_name(template: Template) -> dict[str, Any]:
    return {
        "pointer": "/name",
        "line": find_line(template.lines, "/name"),
        "severity": Severity.ERROR,
        "code": "other_name",
        "detail": "not the name in the address",
        "fix": "Let both be the same name.",
        "panels": [],
        "data": [],
    }


def _picture_view(
    renderer: Renderer,
    template: Template,
    panel: Panel,
    data: Data,
    spans: Mapping[str, Span],
    *,
    scale: int,
) -> dict[str, Any]:
    face = template.sample if data is Data.SAMPLE else template.worst_case
    view: dict[str, Any] = {
        "panel": panel.panel_id,
        "width_px": panel.width_px,
        "height_px": panel.height_px,
        "px_mm": panel.px_mm,
        "data": data,
        "png": None,
        "refused": None,
        "parts": [],
        "handles": _handle_views(renderer, template, panel, face, spans),
    }
    try:
        drawing = renderer.draw(face, panel, template)
    except RenderRefused as exc:
        return view | {"refused": {"code": exc.code, "detail": str(exc)}}
    png = picture_of(drawing, scale=scale)
    return view | {
        "png": base64.b64encode(png).decode("ascii"),
        "parts": [part_view(part, template) for part in drawing.parts],
    }


def _handle_views(
    renderer: Renderer, template: Template, panel: Panel, face: Face, spans: Mapping[str, Span]
) -> list[dict[str, Any]]:
    try:
        handles = renderer.handles(face, panel, template)
    except RenderRefused:
        return []  # the picture says why
    return [_handle_view(handle, template, spans) for handle in handles]


def _handle_view(handle: Handle, template: Template, spans: Mapping[str, Span]) -> dict[str, Any]:
    path = f"/{handle.path}"
    own, box, around = (
        [one.left, one.top, one.width, one.height]
        for one in (handle.own, handle.box, handle.around)
    )
    return {
        "pointer": path,
        "line": find_line(template.lines, path),
        "type": handle.element.type,
        "id": handle.element.id,
        "product": handle.product,
        "box": box,
        "own": own,
        "around": around,
        "turn": handle.turn,
        "lengths": [
            {
                "side": one.side,
                "length": one.length,
                "whole_px": one.whole_px,
                "start": spans[one.path][0],
                "end": spans[one.path][1],
            }
            for one in handle.written
        ],
    }
