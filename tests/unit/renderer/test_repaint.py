"""Repainting a picture that hangs gives the picture that drawing gives, or is declined."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.errors import RenderRefused
from esl.domain.face import Face
from esl.domain.ids import PanelId
from renderer.marks import heights_in, mark_of
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template, parse_template
from tests.panels import PANELS

RENDERER = Renderer()
GALLERY = load_gallery()
SMALL = [panel for panel in PANELS.values() if panel.width_px * panel.height_px < 150_000]

AMOUNT = st.integers(1, 199_999)


def with_prices(face: Face, price: int, was: int | None, unit_price: int) -> Face:
    """Return the same face at other prices; what it has not it does not get."""
    others = tuple(with_prices(other, price + 7, None, unit_price) for other in face.others)
    return replace(
        face,
        price_minor=None if face.price_minor is None else price,
        was_minor=None if face.was_minor is None or was is None else price + was,
        unit_price_minor=None if face.unit_price_minor is None else unit_price,
        others=others,
    )


@given(
    name=st.sampled_from(sorted(GALLERY)),
    panel=st.sampled_from(SMALL),
    first=st.tuples(AMOUNT, AMOUNT, AMOUNT),
    second=st.tuples(AMOUNT, st.none() | AMOUNT, AMOUNT),
)
@settings(max_examples=300, deadline=None)
def test_repainted_is_as_drawn(name: str, panel, first, second) -> None:  # type: ignore[no-untyped-def]
    template = GALLERY[name]
    before, after = (with_prices(template.sample, *prices) for prices in (first, second))
    try:
        base = RENDERER.render(before, panel, template, marked=True)
    except RenderRefused:
        return
    if not base.mark:
        return
    repainted = RENDERER.repaint(base.pixels, base.mark, after, panel, template)
    if repainted is not None:
        drawn = RENDERER.render(after, panel, template, marked=True)
        assert repainted.pixels == drawn.pixels
        assert repainted.mark == drawn.mark == base.mark


@pytest.mark.parametrize("name", ["standard", "promotion", "member-price", "weighed"])
def test_a_new_price_is_repainted(name: str) -> None:
    template, panel = GALLERY[name], PANELS[PanelId("bwry-296x128")]
    base = RENDERER.render(template.sample, panel, template, marked=True)
    assert template.sample.price_minor is not None
    dearer = replace(template.sample, price_minor=template.sample.price_minor + 10)
    repainted = RENDERER.repaint(base.pixels, base.mark, dearer, panel, template)
    assert repainted is not None
    assert repainted.pixels == Renderer().render(dearer, panel, template).pixels
    assert repainted.pixels != base.pixels


@pytest.mark.parametrize(
    "change",
    [{"name": "Another"}, {"gtin": "4006381333931"}, {"locale": "hr_HR"}, {"badge": None}],
)
def test_another_product_layer_is_declined(change: dict[str, Any]) -> None:
    template, panel = GALLERY["promotion"], PANELS[PanelId("bwry-296x128")]
    base = RENDERER.render(template.sample, panel, template, marked=True)
    other = replace(template.sample, **change)
    assert RENDERER.repaint(base.pixels, base.mark, other, panel, template) is None


def test_another_template_panel_or_release_is_declined() -> None:
    template, panel = GALLERY["standard"], PANELS[PanelId("bwry-296x128")]
    face = template.sample
    base = RENDERER.render(face, panel, template, marked=True)
    other_text = parse_template(template.text.replace("max_lines: 2", "max_lines: 1"))
    assert other_text.digest != template.digest
    assert RENDERER.repaint(base.pixels, base.mark, face, panel, other_text) is None
    swapped = replace(panel, codes=(0, 1, 3, 2))
    assert RENDERER.repaint(base.pixels, base.mark, face, swapped, template) is None
    heights = heights_in(base.mark)
    elsewhere = mark_of(b"another release", ("what", "it", "says"), heights)
    assert RENDERER.repaint(base.pixels, elsewhere, face, panel, template) is None
    assert RENDERER.repaint(base.pixels, b"", face, panel, template) is None
    assert RENDERER.repaint(base.pixels, base.mark + b"\0\x20", face, panel, template) is None


def test_a_price_over_the_name_is_declined() -> None:
    template = _template("stack", "name")
    panel = PANELS[PanelId("bwry-296x128")]
    base = RENDERER.render(template.sample, panel, template, marked=True)
    assert base.mark
    assert RENDERER.repaint(base.pixels, base.mark, template.sample, panel, template) is None


def test_a_price_over_a_coloured_ground_is_repainted() -> None:
    template = _template("row", None)
    panel = PANELS[PanelId("bwry-296x128")]
    base = RENDERER.render(template.sample, panel, template, marked=True)
    cheaper = replace(template.sample, price_minor=99)
    repainted = RENDERER.repaint(base.pixels, base.mark, cheaper, panel, template)
    assert repainted is not None
    assert repainted.pixels == RENDERER.render(cheaper, panel, template).pixels


def _template(group: str, below: str | None) -> Template:
    text = "{type: text, value: '{name}', fit: ellipsis, min_size: 12}," if below else ""
    return parse_template(f"""
name: own
title: Own
description: Own
sample: {{name: "Butter", price: "2.29", currency: EUR, locale: de_DE}}
worst_case: {{name: "Butter", price: "2.29", currency: EUR, locale: de_DE}}
variants:
  - elements:
      - type: {group}
        fill: yellow
        children: [{text} {{type: price}}]
""")
