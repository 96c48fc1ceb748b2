"""Layers are kept while they are used, and never change the picture."""

from dataclasses import replace

import pytest

from esl.domain.face import Unit
from esl.domain.panel import Ink
from renderer.layers import Layer, LayerCache
from renderer.packing import unpack
from renderer.render import Renderer
from tests.unit.renderer.drawings import FACE, PANEL, template
from tests.unit.renderer.lint.templates import template_of

SETTLED = Renderer()._designs(template("{type: rect}"), PANEL).arrangement(FACE)
A, B, C = (Layer(bytes([n]), (), SETTLED) for n in range(3))


def test_the_layer_not_used_for_longest_makes_room() -> None:
    cache = LayerCache(2)
    cache.put("a", A)
    cache.put("b", B)
    assert cache.get("a") is A  # used: it stays
    cache.put("c", C)
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == (A, C)


def test_a_layer_kept_again_takes_no_second_place() -> None:
    cache = LayerCache(2)
    for layer in (A, B, C):
        cache.put("a", layer)
    cache.put("b", B)
    assert (cache.get("a"), cache.get("b")) == (C, B)


PRICE_BELOW_NAME = (
    "{type: price, box: [0, 0, 200, 100]}",
    '{type: text, value: "{name}", size: 60, box: [0, 0, 200, 100], ink: red}',
    '{type: text, value: "{name}", size: 20, box: [200, 0, 96, 100], ink: red}',
)


def test_what_lies_over_a_price_is_painted_after_it() -> None:
    made = template(*PRICE_BELOW_NAME)
    renderer = Renderer()
    for price in (129, 888, 129):
        face = replace(FACE, price_minor=price)
        drawn = renderer.draw(face, PANEL, made)
        canvas = unpack(renderer.render(face, PANEL, made).pixels, PANEL)
        assert (canvas == drawn.canvas).all()
        name = drawn.parts[1].mask
        assert (canvas[name] == Ink.RED).all()


def test_only_what_lies_over_a_price_leaves_the_product_layer() -> None:
    renderer = Renderer()
    design = renderer._designs(template(*PRICE_BELOW_NAME), PANEL)
    arrangement = design.arrangement(FACE)
    assert [part.leaf.node.path[-1] for part in arrangement.product] == ["2"]
    assert [part.leaf.node.path[-1] for part in arrangement.price] == ["0", "1"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(FACE, name="Mule"),
        replace(FACE, locale="de_CH"),
        replace(FACE, currency="CHF"),
        replace(FACE, price_minor=130),
        replace(FACE, others=(replace(FACE, name="Butter"),)),
    ],
)
def test_a_kept_layer_never_shows_another_face(changed) -> None:
    made = template(
        '{type: text, value: "{name}", size: 20, box: [0, 0, 148, 40]}',
        "{type: price, box: [0, 40, 148, 80]}",
        '{type: grid, columns: 2, rows: 1, each: [{type: text, value: "{name}", size: 12}]}',
        products=2,
    )
    renderer = Renderer()
    renderer.render(FACE, PANEL, made)
    assert renderer.render(changed, PANEL, made) != renderer.render(FACE, PANEL, made)
    assert (
        renderer.render(changed, PANEL, made).pixels
        == Renderer().render(changed, PANEL, made).pixels
    )


def test_a_kept_layer_never_shows_what_another_unit_price_counts() -> None:
    made = template('{type: text, value: "per {unit}", size: 20, box: [0, 0, 200, 40]}')
    renderer = Renderer()
    pictures = {
        renderer.render(replace(FACE, unit=Unit.KILOGRAM, unit_label=label), PANEL, made).pixels
        for label in (None, "100 g", "lb", "100 g")
    }
    assert len(pictures) == 3


def test_a_template_with_other_words_gets_other_layers() -> None:
    one, other = (
        template('{type: text, value: "A", size: 20}'),
        template('{type: text, value: "B", size: 20}'),
    )
    renderer = Renderer()
    first = renderer.render(FACE, PANEL, one)
    assert renderer.render(FACE, PANEL, other).pixels != first.pixels
    assert renderer.render(FACE, PANEL, one).pixels == first.pixels


def test_words_below_a_price_keep_to_their_language() -> None:
    """What prints no field may still speak the face's language."""
    made = template_of(
        '{type: text, value: "{words.until}", size: 20, box: [0, 0, 200, 40]}',
        "{type: price, box: [0, 0, 200, 100]}",
        words="{until: {en: until, de: bis}}",
    )
    renderer = Renderer()
    for locale in ("en_US", "de_DE", "en_US"):
        for price in (129, 888):
            face = replace(FACE, locale=locale, price_minor=price)
            fresh = Renderer().render(face, PANEL, made)
            assert renderer.render(face, PANEL, made).pixels == fresh.pixels
