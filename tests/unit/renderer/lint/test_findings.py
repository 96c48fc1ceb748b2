"""Findings as a whole: gathered, in order, each with a place in the file."""

from dataclasses import replace

import pytest

from esl.domain.face import Face
from renderer.lint.finding import Data, Severity
from renderer.lint.lint import lint_face
from renderer.template.gallery import load_gallery
from tests.panels import PANELS
from tests.unit.renderer.lint.judged import BW, BWRY, NAME, PRICE, QR, RENDERER, findings, the_one
from tests.unit.renderer.lint.templates import SAMPLE, template_of

SOUND = template_of(NAME, PRICE, QR)
GALLERY = load_gallery()


def test_a_sound_template_has_no_findings() -> None:
    assert findings(SOUND, BWRY, BW) == ()


def test_one_fault_on_many_panels_is_one_finding() -> None:
    template = template_of("{type: price, box: [10, 40, 150, 60], ink: yellow}")
    several = [PANELS.named(p) for p in ("bwry-400x300", "bwry-296x128", "bwr-296x128")]
    finding = the_one(template, "contrast", *several)
    assert finding.panels == tuple(p.panel_id for p in several)
    assert finding.data == (Data.SAMPLE, Data.WORST_CASE)


def test_findings_come_errors_first_then_by_line_and_always_alike() -> None:
    template = template_of(
        '{type: text, value: "{name}", box: [10, 4, 150, 14], size: 9}',
        "{type: rect, box: [0, 120, 296, 8], fill: red}",
        "{type: price, box: [10, 40, 150, 60], ink: yellow}",
    )
    found = findings(template, BWRY, BW)
    assert [(f.severity, f.line) for f in found] == [
        (Severity.ERROR, 11),
        (Severity.WARNING, 9),
        (Severity.WARNING, 10),
        (Severity.WARNING, 11),
    ]
    assert found == findings(template, BWRY, BW)


def test_a_given_face_is_checked_by_itself() -> None:
    face = Face(name="Cheese", price_minor=99_999_999_99, currency="EUR", locale="en_GB")
    (finding,) = lint_face(RENDERER, SOUND, BWRY, face)
    assert (finding.code, finding.data) == ("price_does_not_fit", (Data.GIVEN,))
    assert lint_face(RENDERER, SOUND, BWRY, replace(face, price_minor=199)) == ()


def test_cells_of_a_grid_share_a_finding() -> None:
    two = SAMPLE[:-1] + ', products: [{name: Tea, price: "2.00"}]}'
    grid = (
        "{type: grid, columns: 2, rows: 1, each: "
        "[{type: price, box: [0, 40, 140, 60], ink: yellow}]}"
    )
    finding = the_one(template_of(grid, sample=two, products=2), "contrast")
    assert finding.path == "/variants/0/elements/0/each/0/ink"


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_every_finding_points_into_its_file(name: str) -> None:
    template = GALLERY[name]
    panels = [PANELS.named(p) for p in ("bwry-200x200", "bwry-250x122", "bw-296x128")]
    lines = template.text.count("\n") + 1
    for finding in findings(template, *panels):
        place: object = template.file.model_dump()
        for step in finding.path.split("/")[1:]:
            place = place[int(step)] if isinstance(place, list | tuple) else place[step]  # type: ignore[index]
        assert 1 <= finding.line <= lines
        assert set(finding.panels) <= {panel.panel_id for panel in panels}
        assert finding.message
        assert finding.fix
