"""Judge small templates, and the elements and panels that tests of all checks share."""

from collections.abc import Iterable

from esl.domain.panel import Panel
from renderer.lint.finding import Finding
from renderer.lint.lint import lint_template
from renderer.render import Renderer
from renderer.template.template import Template
from tests.panels import PANELS

BWRY = PANELS.named("bwry-296x128")
BWR = PANELS.named("bwr-296x128")
BW = PANELS.named("bw-296x128")
RENDERER = Renderer()

PRICE = "{type: price, box: [10, 40, 150, 60]}"
NAME = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 20}'
BARS = "{type: barcode, box: [10, 64, 270, 60], staff: true}"
QR = '{type: qr, value: "https://shop.example/p/1", box: [190, 20, 100, 100]}'


def findings(template: Template, *panels: Panel) -> tuple[Finding, ...]:
    """Check a template, on the four-colour panel if none is named."""
    wanted: Iterable[Panel] = panels or (BWRY,)
    return lint_template(RENDERER, template, wanted)


def the_one(template: Template, code: str, *panels: Panel) -> Finding:
    """Check a template and expect one finding of this code."""
    found = findings(template, *panels)
    (finding,) = [f for f in found if f.code == code]
    assert finding.message
    assert finding.fix
    return finding
