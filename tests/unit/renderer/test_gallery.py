"""The gallery: every template is a label that a shop may hang, on every panel.

The pictures of ``docs/gallery.md`` are its golden pictures. After a wanted change run
``esl templates pictures docs/images/gallery``, and look at them.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from api.cli.templates import FAMILIES
from esl.domain.face import Face, Multibuy, ReferenceKind, ReferencePrice, Unit
from esl.domain.panel import Panel
from renderer.codes.read_back import check_codes, decode_codes
from renderer.drawing import Drawing
from renderer.lint.finding import Severity
from renderer.lint.lint import lint_template
from renderer.preview import png_bytes
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.models import Price
from renderer.template.template import Template
from tests.panels import FIRST_PANELS, PANELS
from tests.pictures import check_picture

PROJECT = Path(__file__).parents[3]
PAGE = PROJECT / "docs" / "gallery.md"
PICTURES = PROJECT / "docs" / "images" / "gallery"
LANGUAGES = set("en de fr it es nl pl cs sk hr sl hu sv da".split())
NAMES = {
    "four-products",
    "fresh-origin",
    "member-price",
    "multi-buy",
    "neutral",
    "out-of-stock",
    "promotion",
    "shelf-info",
    "standard",
    "two-products",
    "weighed",
}

GALLERY = load_gallery()
RENDERER = Renderer()
WIDE = PANELS.named("bwry-400x300")
SMALL_PX = 300
"""Width of the panels up to 2.9 inches."""
UNUSUAL = (
    (300, 400, 120),  # 4.2 inches, upright
    (480, 800, 125),
    (680, 480, 133),  # half of a 10.85 inch panel
    (1360, 480, 133),
    (640, 384, 127),
    (320, 200, 130),
    (600, 448, 130),
)
"""Panels nobody drew the gallery for: width and height in px, dpi."""

every_template = pytest.mark.parametrize("template", GALLERY.values(), ids=lambda t: t.file.name)


def faces_of(template: Template) -> tuple[Face, Face]:
    """Return the two faces a template brings along."""
    return template.sample, template.worst_case


def words_on(drawing: Drawing) -> str:
    """Join all texts on a label, no-break blanks made plain."""
    texts = (text for part in drawing.parts for text in part.texts)
    return " ".join(texts).replace("\u00a0", " ").replace("\u202f", " ")


def draw_on_wide(name: str, face: Face) -> str:
    """Return all texts of a face on a 4.2 inch label."""
    return words_on(RENDERER.draw(face, WIDE, GALLERY[name]))


def unusual_panels() -> Iterator[Panel]:
    """Make panels that the catalogue has not."""
    for width_px, height_px, dpi in UNUSUAL:
        name = f"bwry-{width_px}x{height_px}"
        yield replace(
            WIDE,
            panel_id=name,
            width_px=width_px,
            height_px=height_px,
            dpi=dpi,
            active_mm=None,
        )


def test_the_gallery_has_these_templates() -> None:
    assert set(GALLERY) == NAMES


@every_template
def test_a_template_draws_its_longest_face_on_every_panel_of_the_catalogue(
    template: Template,
) -> None:
    for panel in PANELS.values():
        for face in faces_of(template):
            frame = RENDERER.render(face, panel, template)
            check_codes(frame.pixels, panel, frame.codes)


@every_template
def test_a_template_has_no_errors_where_its_pictures_are_shown(template: Template) -> None:
    findings = lint_template(RENDERER, template, [PANELS.named(name) for name in FAMILIES])
    assert [f for f in findings if f.severity is Severity.ERROR] == []


@every_template
def test_no_text_of_a_sample_is_cut_on_the_panels_most_shops_have(template: Template) -> None:
    for panel in FIRST_PANELS.values():
        drawing = RENDERER.draw(template.sample, panel, template)
        assert [part.texts for part in drawing.parts if part.cut] == []


@every_template
def test_a_template_draws_its_faces_on_panels_nobody_thought_of(template: Template) -> None:
    for panel in unusual_panels():
        for face in faces_of(template):
            drawing = RENDERER.draw(face, panel, template)
            prices = [part for part in drawing.parts if isinstance(part.element, Price)]
            wanted = face.price_minor is not None
            assert bool(prices) is wanted, panel.panel_id


@every_template
def test_a_scanner_reads_every_code_of_a_sample(template: Template) -> None:
    for name in FAMILIES:
        panel = PANELS.named(name)
        frame = RENDERER.render(template.sample, panel, template)
        decode_codes(frame.pixels, panel, frame.codes)


@every_template
def test_a_product_of_which_only_name_and_price_are_known_can_be_shown(
    template: Template,
) -> None:
    bare = Face(name="Kruh", price_minor=219, currency="EUR", locale="hr_HR")
    face = replace(bare, price_minor=None) if template.file.name == "neutral" else bare
    for panel in PANELS.values():
        RENDERER.render(face, panel, template)


@every_template
def test_a_price_alone_keeps_off_the_last_rows_of_a_small_label(template: Template) -> None:
    bare = Face(name="Kruh", price_minor=219, currency="EUR", locale="hr_HR")
    for panel in PANELS.values():
        if panel.width_px > SMALL_PX:
            continue
        for part in RENDERER.draw(bare, panel, template).parts:
            if isinstance(part.element, Price) and part.ink_box is not None:
                assert panel.height_px - part.ink_box.bottom >= 2, panel.panel_id


@every_template
def test_the_words_of_a_template_are_in_fourteen_languages(template: Template) -> None:
    for key, texts in template.file.words.items():
        assert set(texts) == LANGUAGES, key


@every_template
def test_the_words_of_every_language_have_room_on_every_panel(template: Template) -> None:
    for language in sorted(LANGUAGES):
        first, *others = (
            replace(face, locale=language, deposit_minor=25)
            for face in (template.sample, *template.sample.others)
        )
        face = replace(first, others=tuple(others))
        for panel in PANELS.values():
            RENDERER.render(face, panel, template)


@pytest.mark.parametrize(
    "name", ["standard", "promotion", "member-price", "weighed", "two-products", "four-products"]
)
def test_nothing_on_a_label_is_written_larger_than_its_price(name: str) -> None:
    template = GALLERY[name]
    for panel in FIRST_PANELS.values():
        parts = RENDERER.draw(template.sample, panel, template).parts
        price = max(p.cap_px or 0 for p in parts if isinstance(p.element, Price))
        others = max(p.cap_px or 0 for p in parts if not isinstance(p.element, Price))
        assert price > others, panel.panel_id


@pytest.mark.parametrize("panel", [PANELS.named(name) for name in FAMILIES], ids=FAMILIES)
@every_template
def test_a_template_has_the_pixels_of_its_picture_in_the_gallery(
    template: Template, panel: Panel
) -> None:
    frame = RENDERER.render(template.sample, panel, template)
    name = f"{template.file.name}-{panel.panel_id}.png"
    check_picture(png_bytes(frame.pixels, panel), PICTURES / name)


@every_template
def test_the_page_shows_every_picture_of_a_template(template: Template) -> None:
    page = PAGE.read_text("utf-8")
    assert f"\n## {template.file.name}\n" in page
    for panel in FAMILIES:
        assert f"images/gallery/{template.file.name}-{panel}.png" in page


def test_no_picture_of_the_gallery_is_left_over() -> None:
    wanted = {f"{name}-{panel}.png" for name in GALLERY for panel in FAMILIES}
    drawn = {p.name for p in PICTURES.glob("*.png") if not p.name.endswith(".diff.png")}
    assert drawn == wanted


def test_a_promotion_says_the_lowest_price_of_thirty_days_in_the_words_it_was_given() -> None:
    sample = GALLERY["promotion"].sample
    given = ReferencePrice(kind=ReferenceKind.LOWEST_30D, minor=299, wording="Tiefstpreis (30 T):")
    said = draw_on_wide("promotion", replace(sample, reference_prices=(given,)))
    assert "Tiefstpreis (30 T): 2,99 €" in said
    assert "30-Tage-Bestpreis: 3,19 €" in draw_on_wide("promotion", sample)


def test_a_promotion_says_the_percentage_rounded_down() -> None:
    sample = replace(GALLERY["promotion"].sample, price_minor=129, was_minor=169)
    assert "−23 %" in draw_on_wide("promotion", sample)


@pytest.mark.parametrize("name", ["standard", "promotion", "member-price", "multi-buy"])
def test_a_deposit_stands_on_a_line_of_its_own(name: str) -> None:
    face = replace(GALLERY[name].worst_case, deposit_minor=25)
    drawing = RENDERER.draw(face, WIDE, GALLERY[name])
    lines = [part.texts for part in drawing.parts if "Pfand" in " ".join(part.texts)]
    assert [text.replace("\u00a0", " ") for [text] in lines] == ["zzgl. 0,25 € Pfand"]


def test_a_member_price_stands_beside_the_price_for_everybody_and_its_unit_price() -> None:
    sample = GALLERY["member-price"].sample
    said = draw_on_wide("member-price", sample)
    for words in ("with Orchard Card", "£ 3 50", "Without card", "£ 4 75", "£20.93/kg"):
        assert words in said
    for locale, words in (
        ("de_DE", "mit Orchard Card"),
        ("hr_HR", "uz karticu Orchard Card"),
        ("hu_HU", "Kártya: Orchard Card"),
    ):
        assert words in draw_on_wide("member-price", replace(sample, locale=locale))
    nameless = draw_on_wide("member-price", replace(sample, member_condition=None))
    assert "Member price" in nameless
    assert "Orchard" not in nameless


def test_a_multi_buy_says_offer_single_price_and_what_each_costs() -> None:
    said = draw_on_wide("multi-buy", GALLERY["multi-buy"].sample)
    for words in ("3 pour 2", "3 = 4,70 €", "3,92 €/kg", "2 35 €", "5,88 €/kg"):
        assert words in said
    without = replace(
        GALLERY["multi-buy"].sample, multibuy=Multibuy(quantity=3, total_minor=470, pay_for=2)
    )
    assert "3 = 4,70 €" in draw_on_wide("multi-buy", without)
    total = replace(
        GALLERY["multi-buy"].sample,
        multibuy=Multibuy(quantity=2, total_minor=400, unit_price_minor=500),
        locale="de_DE",
    )
    said = draw_on_wide("multi-buy", total)
    for words in ("2 für 4,00 €", "2,00 € je Stück", "5,00 €/kg"):
        assert words in said
    bare = replace(total, multibuy=Multibuy(quantity=2, total_minor=400))
    assert "2,00 € je Stück" in draw_on_wide("multi-buy", bare)


def test_goods_by_weight_show_the_price_of_a_kilogram_and_no_other() -> None:
    drawing = RENDERER.draw(GALLERY["weighed"].sample, WIDE, GALLERY["weighed"])
    said = words_on(drawing)
    assert "39 99 zł/kg" in said
    assert said.count("zł") == 1


def test_fresh_goods_say_where_they_come_from_on_every_panel() -> None:
    template = GALLERY["fresh-origin"]
    for panel in PANELS.values():
        assert "España, Almería" in words_on(RENDERER.draw(template.sample, panel, template))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_deposit_and_the_price_the_law_names_have_room_together_on_every_panel(
    language: str,
) -> None:
    named = ReferencePrice(kind=ReferenceKind.ANCHOR, minor=119)
    sample = GALLERY["standard"].sample
    face = replace(sample, locale=language, deposit_minor=10, reference_prices=(named,))
    for panel in PANELS.values():
        said = words_on(RENDERER.draw(face, panel, GALLERY["standard"]))
        assert "19" in said.rpartition("2025")[2], panel.panel_id
        assert "10" in said, panel.panel_id


def test_croatian_words_over_a_member_price_are_not_cut_on_small_labels() -> None:
    sample = GALLERY["member-price"].sample
    face = replace(sample, locale="hr_HR", member_condition=None)
    for panel in PANELS.values():
        parts = RENDERER.draw(face, panel, GALLERY["member-price"]).parts
        assert not [p.texts for p in parts if p.cut and "karticom" in " ".join(p.texts)]
        assert "S karticom" in words_on(RENDERER.draw(face, panel, GALLERY["member-price"]))


def test_the_neutral_template_shows_no_amount() -> None:
    priced = Face(
        name="Sir",
        price_minor=499,
        currency="EUR",
        locale="sl_SI",
        unit_price_minor=1996,
        unit=Unit.KILOGRAM,
        valid_to=date(2026, 11, 28),
    )
    assert "€" not in draw_on_wide("neutral", priced)
