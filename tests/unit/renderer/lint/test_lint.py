"""Every fault is found, on the element that has it, and what is sound is left alone."""

from dataclasses import replace

import numpy as np
import pytest

from esl.domain.face import Face
from esl.domain.panel import Ink
from esl.domain.panel_file import load_panels
from renderer.lint.finding import Data, Finding, Severity
from renderer.lint.lint import lint_face, lint_template
from renderer.pictures import ditherers
from renderer.pictures.picture import Ditherer, Picture
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template
from tests.unit.renderer.lint.templates import SAMPLE, template_of

PANELS = load_panels()
BWRY = PANELS.named("bwry-296x128")
BWR = PANELS.named("bwr-296x128")
BW = PANELS.named("bw-296x128")
RENDERER = Renderer()
GALLERY = load_gallery()

PRICE = "{type: price, box: [10, 40, 150, 60]}"
NAME = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 20}'
BARS = "{type: barcode, box: [10, 64, 270, 60], staff: true}"
QR = '{type: qr, value: "https://shop.example/p/1", box: [190, 20, 100, 100]}'
SOUND = template_of(NAME, PRICE, QR)


def findings(template: Template, *panels: object) -> tuple[Finding, ...]:
    """Check a template, on the four-colour panel if none is named."""
    return lint_template(RENDERER, template, panels or (BWRY,))  # type: ignore[arg-type]


def the_one(template: Template, code: str, *panels: object) -> Finding:
    """Check a template and expect one finding of this code."""
    found = findings(template, *panels)
    (finding,) = [f for f in found if f.code == code]
    assert finding.message
    assert finding.fix
    return finding


def test_a_sound_template_has_no_findings() -> None:
    assert findings(SOUND, *[PANELS.named(p) for p in ("bwry-296x128", "bw-296x128")]) == ()


# ── Contrast ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("look", "severity"),
    [
        ("ink: yellow", Severity.ERROR),  # on white
        ("ink: white, fill: yellow", Severity.ERROR),
        ("ink: red, fill: black", Severity.ERROR),
        ("ink: black, fill: red", Severity.ERROR),
        ("ink: red, fill: yellow", Severity.ERROR),  # 3.8
        ("ink: white", Severity.ERROR),  # on white: invisible
        ("ink: black", None),
        ("ink: red", None),
        ("ink: white, fill: red", None),
        ("ink: white, fill: black", None),
        ("ink: black, fill: yellow", None),
        ("ink: red, invert: true", None),
        ("ink: yellow, invert: true", None),  # black on yellow
    ],
)
def test_price_text_needs_a_contrast_of_4_5(look: str, severity: Severity | None) -> None:
    price = f"{{type: price, box: [10, 40, 150, 60], {look}}}"
    text = f'{{type: text, value: "{{price}}", box: [10, 40, 150, 60], size: 40, {look}}}'
    for element in (price, text):
        if severity is None:
            assert findings(template_of(element)) == ()
        else:
            finding = the_one(template_of(element), "contrast")
            assert finding.severity is severity
            assert finding.path == "/variants/0/elements/0/ink"
            assert finding.line == 9


@pytest.mark.parametrize(
    ("look", "severity"),
    [
        ("ink: yellow", Severity.ERROR),
        ("ink: red, fill: black", Severity.ERROR),
        ("ink: red, fill: yellow", Severity.WARNING),  # 3.8
        ("ink: black, fill: yellow", None),
    ],
)
def test_other_text_needs_3_and_should_have_4_5(look: str, severity: Severity | None) -> None:
    template = template_of(f'{{type: text, value: "{{name}}", box: [10, 4, 150, 30], {look}}}')
    if severity is None:
        assert findings(template) == ()
    else:
        assert the_one(template, "contrast").severity is severity


def test_what_lies_behind_a_text_is_what_was_drawn_there() -> None:
    band = "{type: rect, box: [0, 0, 296, 128], fill: black}"
    icon = "{type: icon, name: heart, box: [0, 0, 128, 128], ink: red}"
    white = '{type: text, value: "{name}", box: [40, 50, 60, 30], size: 18, ink: white}'
    assert findings(template_of(band, white)) == ()
    assert findings(template_of(icon, white)) == ()
    finding = the_one(template_of(band, NAME), "contrast")
    assert finding.path == "/variants/0/elements/1"  # its ink is not written: black is usual
    assert "black on black" in finding.message


def test_a_panel_that_replaces_an_ink_is_judged_by_what_it_shows() -> None:
    template = template_of("{type: price, box: [10, 40, 150, 60], ink: black, fill: yellow}")
    assert [f.code for f in findings(template, BW)] == ["ink_replaced"]
    yellow = template_of("{type: price, box: [10, 40, 150, 60], ink: yellow}")
    assert "white on white" in the_one(yellow, "contrast", BW).message


def test_the_forbidden_pairs_are_errors_whatever_a_panel_s_colours_claim() -> None:
    ideal = replace(BWRY, ink_rgb=((0, 0, 0), (255, 255, 255), (255, 255, 0), (255, 0, 0)))
    template = template_of("{type: price, box: [10, 40, 150, 60], ink: red, fill: black}")
    assert the_one(template, "contrast", ideal).severity is Severity.ERROR


def test_an_icon_that_does_not_stand_out_is_a_warning() -> None:
    icon = "{type: icon, name: leaf, box: [0, 0, 40, 40], ink: yellow}"
    assert the_one(template_of(NAME.replace("10, 4", "90, 4"), icon), "contrast").severity is (
        Severity.WARNING
    )
    assert findings(template_of("{type: icon, name: leaf, box: [0, 0, 40, 40]}")) == ()


# ── Sizes ───────────────────────────────────────────────────────────────────────────────────


def test_price_digits_below_3_mm_are_an_error() -> None:
    small = "{type: price, box: [10, 40, 150, 60], size: 12, min_size: 8}"
    finding = the_one(template_of(small), "price_does_not_fit")
    assert finding.severity is Severity.ERROR
    fourteen = small.replace("size: 12", "size: 14")
    assert findings(template_of(fourteen)) == ()


def test_letters_below_1_2_mm_are_a_warning() -> None:
    tiny = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 9}'
    finding = the_one(template_of(tiny), "text_size")
    assert finding.severity is Severity.WARNING
    assert "small letters" in finding.message
    assert findings(template_of(tiny.replace("size: 9", "size: 12"))) == ()


def test_capitals_may_be_smaller_than_texts_with_small_letters() -> None:
    capitals = '{type: text, value: "{name|upper}", box: [10, 4, 150, 30], size: 9}'
    assert findings(template_of(capitals)) == ()


def test_an_icon_below_10_px_is_a_warning() -> None:
    assert the_one(
        template_of("{type: icon, name: leaf, box: [0, 0, 9, 40]}"), "icon_size"
    ).severity is (Severity.WARNING)


# ── Refused faces ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("element", "sample", "code", "says"),
    [
        (
            "{type: price, box: [10, 40, 60, 60]}",
            '{name: x, price: "9999.99", currency: EUR}',
            "price_does_not_fit",
            "60x60 px",
        ),
        (
            '{type: text, value: "{name}", box: [0, 0, 40, 20], size: 20, fit: refuse}',
            '{name: "Extraordinarily long", price: "1.00", currency: EUR}',
            "name_does_not_fit",
            "px",
        ),
        (NAME, '{name: "\U00013000", price: "1.00", currency: EUR}', "missing_glyph", "13000"),
        (
            '{type: qr, value: "https://shop.example/p/1", box: [0, 0, 40, 40]}',
            SAMPLE,
            "code_does_not_fit",
            "mm",
        ),
        (
            "{type: barcode, box: [0, 0, 60, 60]}",
            SAMPLE,
            "code_does_not_fit",
            "mm",
        ),
        (
            '{type: text, value: "{name}", box: [280, 0, 40, 20]}',
            SAMPLE,
            "layout_does_not_fit",
            "296x128",
        ),
    ],
)
def test_a_refused_face_is_an_error_on_its_element_with_numbers(
    element: str, sample: str, code: str, says: str
) -> None:
    line = "{type: line, box: [0, 126, 296, 2]}"
    finding = the_one(template_of(line, element, sample=sample), code)
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/1"
    assert says in finding.message
    assert finding.data == (Data.SAMPLE, Data.WORST_CASE)


def test_a_refusal_is_pinned_on_the_element_with_the_id_it_names() -> None:
    column = (
        "{type: column, box: [0, 0, 100, 100], children: [{type: rect, id: gap, height: 20}, "
        "{type: qr, id: code, height: 40}, {type: qr, id: co, height: 40}]}"
    )
    finding = the_one(
        template_of(column, sample='{name: x, price: "1.00", currency: EUR, link: "https://a.b"}'),
        "code_does_not_fit",
    )
    assert finding.path == "/variants/0/elements/0/children/1"


def test_a_code_of_ours_that_is_left_out_is_a_warning() -> None:
    template = template_of(NAME, "{type: qr, box: [200, 0, 40, 40]}")
    finding = the_one(template, "code_left_out")
    assert finding.severity is Severity.WARNING
    assert finding.path == "/variants/0/elements/1"
    assert findings(template_of(NAME, "{type: qr, box: [190, 20, 100, 100]}")) == ()


# ── Placement ───────────────────────────────────────────────────────────────────────────────


def test_texts_over_each_other_are_an_error_and_boxes_over_each_other_are_not() -> None:
    below = NAME.replace("{type: text,", "{type: text, id: title,")
    finding = the_one(template_of(below, NAME), "overlap")
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/1"
    assert "text 'title'" in finding.message
    right = NAME.replace("size: 20", "size: 20, align: right")
    assert findings(template_of(NAME, right)) == ()  # one box, two places in it


def test_a_text_in_a_quiet_zone_is_an_error_twice() -> None:
    over = '{type: text, value: "{name}", box: [190, 20, 100, 14], size: 14}'
    found = findings(template_of(QR, over))
    assert {(f.code, f.path) for f in found} == {
        ("overlap", "/variants/0/elements/1"),
        ("code_unreadable", "/variants/0/elements/0"),
    }
    assert {f.severity for f in found} == {Severity.ERROR}


@pytest.mark.parametrize("code", [QR, BARS])
@pytest.mark.parametrize("over", ["line", "icon"])
def test_anything_drawn_over_a_code_makes_it_unreadable(code: str, over: str) -> None:
    element = {
        "line": "{type: line, box: [0, 90, 296, 2]}",
        "icon": "{type: icon, name: heart, box: [200, 66, 16, 16]}",
    }[over]
    finding = the_one(template_of(code, element), "code_unreadable")
    assert finding.severity is Severity.ERROR
    assert finding.path == "/variants/0/elements/0"
    assert findings(template_of(element, code)) == ()  # the code covers what lies below it


def test_a_text_over_a_picture_or_an_icon_is_meant() -> None:
    icon = "{type: icon, name: tag, box: [100, 0, 120, 120], ink: yellow}"
    text = '{type: text, value: "-25 %", box: [150, 46, 60, 30], size: 20}'
    assert {f.code for f in findings(template_of(icon, text))} <= {"contrast"}


def test_a_cut_text_is_a_warning_that_says_with_which_data() -> None:
    long = '{name: "Extraordinarily long and winding name", price: "1.00", currency: EUR}'
    name = '{type: text, value: "{name}", box: [10, 4, 150, 30], size: 20, min_size: 16}'
    finding = the_one(template_of(name, worst_case=long), "cut")
    assert finding.severity is Severity.WARNING
    assert finding.data == (Data.WORST_CASE,)
    assert the_one(template_of(name, sample=long), "cut").data == (Data.SAMPLE, Data.WORST_CASE)
    assert findings(template_of(name)) == ()


def test_a_label_that_stays_white_is_a_warning() -> None:
    template = template_of(
        NAME.replace("{type", '{when: "badge", type'), PRICE.replace("{", "{when: badge, ", 1)
    )
    finding = the_one(template, "blank")
    assert finding.severity is Severity.WARNING


# ── Inks, words, pictures ───────────────────────────────────────────────────────────────────


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


# ── Findings as a whole ─────────────────────────────────────────────────────────────────────


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


def test_a_picture_that_cannot_be_dithered_here_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ditherers, "dither_image", None)
    grey = Picture.of("logo", np.full((20, 20, 4), 99, np.uint8), Ditherer.EPAPER)
    element = "{type: image, name: logo, box: [200, 0, 60, 60]}"
    finding = the_one(template_of(element, pictures={"logo": grey}), "picture_not_drawn")
    assert finding.severity is Severity.ERROR
    assert "'logo'" in finding.message


def test_lint_reads_no_more_into_a_panel_than_its_inks() -> None:
    assert Ink.YELLOW not in BWR.inks  # else the tests above test nothing
    assert Ink.RED not in BW.inks
