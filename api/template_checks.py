"""From the text of a template to one that may be saved: parsed with its pictures, and checked.

Both take up to a second of the processor's time, so they run before the transaction and off the
loop; the service compares what they rest on with what holds when it saves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.house import House
from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import StoreId, TemplateName
from esl.domain.panel import Panel, Panels
from esl.domain.template import NewTemplate
from esl.services.templates import template_in_use
from esl.store import labels, pictures, templates
from renderer.lint.finding import Finding, Severity
from renderer.lint.lint import lint_template
from renderer.pictures.picture import Picture
from renderer.render import Renderer
from renderer.template.template import Template, parse_template

_ERRORS_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a template is read with: pictures that it may name, and the panels it is checked on."""

    pictures: Mapping[str, bytes]
    panels: tuple[Panel, ...]
    are_in_use: bool  # by labels of the store; else these are all that there are


def surroundings_of(tx: Connection, store_id: StoreId, text: str, panels: Panels) -> Surroundings:
    """Load what a text may name, and the panel models that the store has; else all models."""
    candidates = [p.name for p in pictures.list_pictures(tx, store_id) if p.name in text]
    in_use = labels.panels_in_use(tx, store_id)
    return Surroundings(
        pictures=pictures.pictures_named(tx, store_id, candidates),
        panels=tuple(p for p in panels.values() if not in_use or p.panel_id in in_use),
        are_in_use=bool(in_use),
    )


def read_template(text: str, pngs: Mapping[str, bytes]) -> Template:
    """Parse a template with stored pictures.

    Raises:
        InvalidInput: With the path, line and fix of everything that is wrong.
    """
    return parse_template(text, pictures={n: Picture.stored(n, png) for n, png in pngs.items()})


def check_template(
    house: House, name: TemplateName, text: str, around: Surroundings
) -> tuple[NewTemplate, list[dict[str, Any]]]:
    """Parse a template that is to be saved, and draw its sample and worst case on every panel.

    Returns it with the warnings.

    Raises:
        InvalidInput: With the path, line and fix of everything that is wrong.
    """
    template = read_template(text, around.pictures)
    if template.file.name != name:
        raise InvalidInput.at(
            "/name", "not the name in the address", fix="Let both be the same name."
        )
    new = NewTemplate(
        name=name,
        title=template.file.title,
        text=text,
        digest=template.digest,
        pictures={n: picture.digest for n, picture in template.pictures.items()},
    )
    findings = lint_template(Renderer(fonts=house.fonts, products_kept=1), template, around.panels)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise InvalidInput(
            FieldProblem(
                path=error.path,
                detail=f"line {error.line}: {error.message}{_where(error)}",
                fix=error.fix,
            )
            for error in errors[:_ERRORS_MOST]
        )
    return new, [finding_view(finding) for finding in findings]


def finding_view(finding: Finding) -> dict[str, Any]:
    """What a check said of a place in a template."""
    return {
        "pointer": finding.path,
        "line": finding.line,
        "severity": finding.severity,
        "code": finding.code,
        "detail": finding.message,
        "fix": finding.fix,
        "panels": finding.panels,
        "data": finding.data,
    }


def _where(finding: Finding) -> str:
    """Say on which panel a check found something, and with which data of the template."""
    if not finding.panels:
        return ""
    more = f" and {len(finding.panels) - 1} more" if len(finding.panels) > 1 else ""
    return f" (on {finding.panels[0]}{more}, with {' and '.join(finding.data)})"


def template_text(
    tx: Connection, house: House, store_id: StoreId, name: TemplateName, version: int | None
) -> tuple[str, Mapping[str, bytes]]:
    """Load a template of the store, else of the gallery: its text, and pictures it may name.

    Raises:
        UnknownTemplate: There is none of this name, or not in this version.
    """
    if version is None and (store_id, name) not in templates.templates_in_use(tx, [store_id]):
        gallery = house.gallery.get(name)
        if gallery is not None:
            return gallery.text, {}
    if version is None:
        version = template_in_use(tx, store_id, name).version
    text = templates.text_of(tx, store_id, name, version)
    candidates = [p.name for p in pictures.list_pictures(tx, store_id) if p.name in text]
    return text, pictures.pictures_named(tx, store_id, candidates)
