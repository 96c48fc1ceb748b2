"""A price that some panels show and others do not is found, and an old price not struck through."""

import pytest

from renderer.lint.finding import Data, Severity
from renderer.lint.lint import lint_face
from renderer.lint.prices_shown import check_prices_shown
from renderer.template.gallery import load_gallery
from renderer.template.template import Template, parse_template
from tests.panels import PANELS
from tests.unit.renderer.lint.judged import BW, BWRY, NAME, PRICE, RENDERER, findings, the_one
from tests.unit.renderer.lint.templates import SAMPLE, template_of

WIDE = PANELS.named("bwry-400x300")
REDUCED = SAMPLE[:-1] + ', was: "1.99"}'
PRICE_TEXT = '{type: text, value: "{price}", box: [10, 40, 150, 60], size: 40}'
OLD = "{type: price, box: [10, 40, 250, 60], old: was}"
PLAIN = '{type: text, value: "{was}", box: [200, 4, 90, 30], size: 20}'
STRUCK = PLAIN.replace("size", "strike: true, size")


def two_variants(first: str, second: str, *, sample: str = SAMPLE) -> Template:
    """Make a template that looks different at 296x128 than anywhere else."""
    text = template_of(first, sample=sample).text
    text = text.replace("  - elements:", '  - panels: ["*-296x128"]\n    elements:')
    return parse_template(f"{text}\n  - elements:\n      - {second}\n")


@pytest.mark.parametrize("price", [PRICE, PRICE_TEXT])
def test_a_variant_without_the_price_that_another_prints_is_an_error(price: str) -> None:
    finding = the_one(two_variants(NAME, price), "price_not_shown", BWRY, WIDE, BW)
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0"
    assert finding.panels == (BWRY.panel_id, BW.panel_id)
    assert finding.data == (Data.SAMPLE, Data.WORST_CASE)
    assert findings(two_variants(price, price), BWRY, WIDE) == ()


def test_a_price_that_a_condition_leaves_out_is_a_warning() -> None:
    hidden = PRICE.replace("{", "{when: badge, ", 1)
    finding = the_one(template_of(NAME, hidden), "price_not_shown")
    assert finding.severity is Severity.WARNING
    assert finding.path == "/variants/0/elements/1"
    group = f"{{type: stack, when: badge, children: [{PRICE}]}}"
    finding = the_one(template_of(NAME, group), "price_not_shown")
    assert finding.path == "/variants/0/elements/1/children/0"


def test_a_template_that_prints_no_price_anywhere_is_meant_so() -> None:
    assert findings(template_of(NAME)) == ()
    assert findings(two_variants(NAME, NAME), BWRY, WIDE) == ()


def test_a_face_without_a_price_needs_none() -> None:
    bare = "{name: Milk, price: null, currency: EUR, locale: en_GB}"
    assert findings(two_variants(NAME, PRICE, sample=bare), BWRY) == ()


def test_the_price_of_every_product_of_a_label_is_looked_for() -> None:
    two = SAMPLE[:-1] + ', products: [{name: Tea, price: "2.00"}]}'
    cell = "{type: price, box: [10, 40, 120, 60]}"
    grid = f"{{type: grid, columns: 2, rows: 1, each: [{cell}]}}"
    assert findings(template_of(grid, sample=two, products=2)) == ()
    milk = grid.replace("{type: price", "{when: \"name=='Milk'\", type: price")
    finding = the_one(template_of(milk, sample=two, products=2), "price_not_shown")
    assert finding.path == "/variants/0/elements/0/each/0"


def test_a_given_face_is_asked_for_its_price_too() -> None:
    template = two_variants(NAME, PRICE)
    (finding,) = lint_face(RENDERER, template, BWRY, template.sample)
    assert (finding.code, finding.data) == ("price_not_shown", (Data.GIVEN,))


@pytest.mark.parametrize("struck", [OLD, STRUCK])
def test_a_price_before_that_is_struck_elsewhere_and_not_here_is_a_warning(struck: str) -> None:
    wide = f"{{type: stack, children: [{PRICE_TEXT}, {struck}]}}".replace("[10, 40", "[10, 140", 1)
    plain = f"{{type: stack, children: [{PRICE}, {PLAIN}]}}"
    finding = the_one(two_variants(plain, wide, sample=REDUCED), "was_not_struck", BWRY, WIDE)
    assert finding.severity is Severity.WARNING
    assert finding.path == "/variants/0/elements/0/children/1"
    assert finding.panels == (BWRY.panel_id,)
    missing = the_one(two_variants(PRICE, wide, sample=REDUCED), "was_not_struck", BWRY, WIDE)
    assert missing.path == "/variants/0"
    assert "not shown" in missing.message


def test_a_price_before_that_nobody_prints_or_no_face_has_is_no_matter() -> None:
    assert findings(template_of(PRICE, sample=REDUCED)) == ()
    assert findings(template_of(OLD, sample=REDUCED)) == ()
    assert findings(template_of(PRICE, STRUCK, sample=REDUCED)) == ()
    assert findings(two_variants(PRICE, OLD)) == ()


@pytest.mark.parametrize("template", load_gallery().values(), ids=lambda t: t.file.name)
def test_the_gallery_shows_its_prices_on_every_small_panel(template: Template) -> None:
    sizes = {(panel.width_px, panel.height_px): panel for panel in PANELS.values()}
    for panel in sizes.values():
        if panel.width_px <= WIDE.width_px:
            drawing = RENDERER.draw(template.sample, panel, template)
            assert list(check_prices_shown(drawing, template, template.sample)) == []
