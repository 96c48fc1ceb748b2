"""What a template names and nobody has is found: inks, words, pictures, panels."""

from dataclasses import replace

import numpy as np

from esl.domain.ids import PanelId
from esl.domain.panel import Ink
from renderer.lint.finding import Severity
from renderer.pictures.picture import Ditherer, Picture
from renderer.template.template import Template, parse_template
from tests.panels import PANELS
from tests.unit.renderer.lint.judged import BW, BWR, BWRY, NAME, PRICE, findings, the_one
from tests.unit.renderer.lint.templates import SAMPLE, template_of

LAST = f"  - elements: [{PRICE}]"


def test_an_ink_the_panel_lacks_is_a_warning_that_says_what_replaces_it() -> None:
    band = "{type: rect, box: [0, 110, 296, 18], fill: red}"
    finding = the_one(template_of(NAME, band), "ink_replaced", BWRY, BWR, BW)
    assert finding.severity is Severity.WARNING
    assert finding.path == "/variants/0/elements/1/fill"
    assert finding.panels == (BW.panel_id,)
    assert "black is drawn instead" in finding.message
    assert findings(template_of(NAME, band.replace("red", "accent")), BW) == ()


def test_a_word_without_the_data_s_language_is_a_warning() -> None:
    words = "{until: {en: until, de: bis}}"
    croatian = SAMPLE.replace("en_GB", "hr_HR")
    finding = the_one(template_of(NAME, words=words, sample=croatian), "word_missing")
    assert finding.severity is Severity.WARNING
    assert finding.path == "/words/until"
    assert finding.line == 4
    assert (finding.panels, finding.data) == ((), ())
    german = SAMPLE.replace("en_GB", "de_AT")
    assert findings(template_of(NAME, words=words, sample=german)) == ()


def test_a_picture_that_is_gone_is_an_error() -> None:
    logo = Picture.of("logo", np.zeros((20, 20, 4), np.uint8), Ditherer.PILLOW)
    element = "{type: image, name: logo, box: [200, 0, 60, 60]}"
    whole = template_of(NAME, element, pictures={"logo": logo})
    assert findings(whole) == ()
    finding = the_one(replace(whole, pictures={}), "picture_missing")
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/1/name"


def with_variant_for(*patterns: str) -> Template:
    """Make a template whose first variant is for some panels."""
    both = template_of(NAME, PRICE).text.split("  - elements:")
    panels = ", ".join(f'"{pattern}"' for pattern in patterns)
    return parse_template(f"  - panels: [{panels}]\n    elements:".join(both) + f"\n{LAST}")


def test_a_pattern_that_no_panel_model_has_is_a_warning() -> None:
    finding = the_one(with_variant_for("*-296x128*", "*-296x182"), "no_such_panel")
    assert finding.severity is Severity.WARNING
    assert finding.path == "/variants/0/panels/1"
    assert finding.line == 8
    assert "'*-296x182'" in finding.message
    assert (finding.panels, finding.data) == ((), ())
    assert findings(with_variant_for("*-296x128*"), PANELS.named("bwry-400x300")) == ()


def test_a_pattern_may_mean_a_shop_s_own_panel() -> None:
    own = replace(BWRY, panel_id=PanelId("bwry-296x182"))
    assert findings(with_variant_for("*-296x182"), own) == ()


def test_lint_reads_no_more_into_a_panel_than_its_inks() -> None:
    assert Ink.YELLOW not in BWR.inks  # else the tests above test nothing
    assert Ink.RED not in BW.inks
