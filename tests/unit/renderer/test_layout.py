"""Every element gets the box its template says, and what is hidden leaves its space."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import LayoutDoesNotFit, TooManyProducts
from esl.domain.panel import Ink
from renderer.canvas import Box
from renderer.layout.lengths import in_px, inside, share_out
from tests.unit.renderer.drawings import (
    FACE,
    PANEL,
    RENDERER,
    boxes,
    draw,
    part_of,
    smaller,
    template,
)


@pytest.mark.parametrize(
    ("length", "pixels"),
    [
        (0, 0),
        (12, 12),
        ("25%", 50),
        ("33.33%", 67),
        ("0%", 0),
        ("0.1%", 1),
        ("2.4mm", 11),
        ("0.01mm", 1),
    ],
)
def test_a_length_is_pixels_a_part_or_millimetres_and_never_vanishes(
    length: int | str, pixels: int
) -> None:
    assert in_px(length, 200, PANEL) == pixels


@pytest.mark.parametrize(
    ("pad", "box"),
    [
        (None, Box(10, 20, 100, 50)),
        (4, Box(14, 24, 92, 42)),
        ((4,), Box(14, 24, 92, 42)),
        ((4, 7), Box(17, 24, 86, 42)),
        ((1, 2, 3), Box(12, 21, 96, 46)),
        ((1, 2, 3, 4), Box(14, 21, 94, 46)),
        ("10%", Box(20, 25, 80, 40)),
        (60, Box(70, 80, 0, 0)),
    ],
)
def test_padding_is_given_as_for_a_web_page(pad: object, box: Box) -> None:
    assert inside(Box(10, 20, 100, 50), pad, PANEL) == box  # type: ignore[arg-type]


@given(
    children=st.lists(
        st.tuples(st.none() | st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=9
    ),
    whole=st.integers(1, 400),
    gap=st.integers(0, 9),
)
def test_what_is_left_is_shared_out_to_the_last_pixel(
    children: list[tuple[int | None, int]], whole: int, gap: int
) -> None:
    fixed, grow = [child[0] for child in children], [child[1] for child in children]
    lengths = share_out(fixed, grow, whole, gap)
    left = whole - gap * (len(children) - 1) - sum(x or 0 for x in fixed)
    if left < 0:
        assert lengths is None
        return
    assert lengths is not None
    assert all(got == asked for got, asked in zip(lengths, fixed, strict=True) if asked is not None)
    shares = [
        (got, weight)
        for got, asked, weight in zip(lengths, fixed, grow, strict=True)
        if asked is None
    ]
    total = sum(weight for _, weight in shares)
    assert sum(got for got, _ in shares) == (left if shares else 0)
    assert all(abs(got - left * weight / total) <= 1 for got, weight in shares)


def test_children_of_a_row_stand_side_by_side() -> None:
    drawing = draw(
        "{type: row, gap: 4, pad: [2, 3], children: ["
        "{type: rect, id: a, width: 50}, {type: rect, id: b}, {type: rect, id: c, grow: 3}]}"
    )
    assert boxes(drawing) == {"a": (3, 2, 50, 124), "b": (57, 2, 58, 124), "c": (119, 2, 174, 124)}


def test_children_of_a_column_stand_one_below_the_other() -> None:
    drawing = draw(
        "{type: column, gap: 2, box: [10, 10, 100, 100], children: ["
        '{type: rect, id: a, height: "20%"}, {type: rect, id: b}]}'
    )
    assert boxes(drawing) == {"a": (10, 10, 100, 20), "b": (10, 32, 100, 78)}


def test_a_child_that_is_not_shown_leaves_its_space_and_its_gap() -> None:
    line = (
        "{type: column, gap: 8, children: [{type: rect, id: a, height: 20, when: badge},"
        "{type: text, id: b, value: '{badge}', size: 12}, {type: rect, id: c}]}"
    )
    shown = boxes(draw(line, face=replace(FACE, badge="NEW")))
    assert shown == {"a": (0, 0, 296, 20), "b": (0, 28, 296, 46), "c": (0, 82, 296, 46)}
    assert boxes(draw(line)) == {"c": (0, 0, 296, 128)}


def test_a_group_of_which_nothing_is_shown_is_not_there_either() -> None:
    line = (
        "{type: row, children: [{type: stack, fill: red, children: ["
        "{type: text, value: '{badge}', size: 12}]}, {type: rect, id: c}]}"
    )
    drawing = draw(line)
    assert boxes(drawing) == {"c": (0, 0, 296, 128)}
    assert not (drawing.canvas == Ink.RED).any()
    assert (draw(line, face=replace(FACE, badge="NEW")).canvas[:, :148] == Ink.RED).any()


def test_a_group_paints_its_ground_before_what_it_holds() -> None:
    drawing = draw(
        "{type: stack, box: [10, 10, 20, 20], fill: red, children: ["
        "{type: rect, box: [5, 5, 10, 10], fill: black}]}"
    )
    assert (drawing.canvas == Ink.RED).sum() == 300
    assert (drawing.canvas[15:25, 15:25] == Ink.BLACK).all()


def test_parts_of_a_group_are_parts_of_what_its_padding_leaves() -> None:
    drawing = draw(
        "{type: stack, box: [10, 10, 120, 60], pad: 10, children: ["
        '{type: rect, id: a, box: ["50%", 0, "50%", "100%"]}, {type: rect, id: b}]}'
    )
    assert boxes(drawing) == {"a": (70, 20, 50, 40), "b": (20, 20, 100, 40)}


GRID = (
    "{type: grid, columns: 2, rows: 1, gap: 6, rule: black, each: ["
    '{type: text, id: name, value: "{name}", size: 14, box: [0, 0, "100%", 20]}]}'
)


def test_a_grid_gives_every_product_its_own_cell() -> None:
    face = replace(FACE, others=(replace(FACE, name="Butter"),))
    drawing = draw(GRID, face=face, products=2)
    said = [
        (part.texts, part.product, part.box.left, part.box.width)
        for part in drawing.parts
        if part.texts
    ]
    assert said == [(("Milk",), 0, 0, 145), (("Butter",), 1, 151, 145)]
    assert (drawing.canvas[:, 148] == Ink.BLACK).all()  # the rule, in the middle of the gap


def test_a_cell_without_a_product_stays_empty() -> None:
    drawing = draw(GRID, products=2)
    assert [part.texts for part in drawing.parts if part.texts] == [("Milk",)]


def test_more_products_than_the_template_shows_are_refused() -> None:
    with pytest.raises(TooManyProducts, match="2 products and its template shows 1"):
        draw("{type: rect}", face=replace(FACE, others=(FACE,)))


def test_children_that_need_more_than_there_is_are_refused_with_numbers() -> None:
    with pytest.raises(LayoutDoesNotFit, match=r"row 'shelf' holds needs 310 px and it has 296 px"):
        draw(
            "{type: row, id: shelf, gap: 10, children: ["
            "{type: rect, width: 150}, {type: rect, width: 150}]}"
        )


@pytest.mark.parametrize("box", ["[290, 0, 10, 10]", "[0, 120, 10, 10]", "[0, 0, 0, 10]"])
def test_a_box_outside_the_panel_or_of_nothing_is_refused(box: str) -> None:
    with pytest.raises(LayoutDoesNotFit, match="rect 'away' has a box of"):
        draw(f"{{type: rect, id: away, box: {box}}}")


def test_a_panel_for_which_no_variant_is_meant_cannot_happen() -> None:
    """Templates end in a variant for every panel, so that any size is laid out or refused."""
    made = template("{type: rect, fill: black}")
    for size in ((40, 20), (20, 300), (1024, 600)):
        assert (RENDERER.draw(FACE, smaller(*size), made).canvas == Ink.BLACK).all()


TEXT = 'type: text, value: "{name} 4", size: 30, align: right, valign: top'
PRICE = "type: price, size: 30, align: right, valign: top"


@pytest.mark.parametrize("element", [TEXT, PRICE])
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_element_is_the_upright_one_turned(element: str, degrees: int) -> None:
    size = (60, 120) if degrees != 180 else (120, 60)
    upright = draw(f"{{{element}, box: [0, 0, 120, 60]}}").canvas[:60, :120]
    turned = draw(f"{{{element}, rotate: {degrees}, box: [0, 0, {size[0]}, {size[1]}]}}")
    area = turned.canvas[: size[1], : size[0]]
    assert (upright == Ink.BLACK).any()
    assert (area == np.rot90(upright, -degrees // 90)).all()


def test_turns_of_groups_add_up() -> None:
    inner = f"{{type: stack, rotate: 180, children: [{{{TEXT}, rotate: 90}}]}}"
    nested = draw(f"{{type: stack, rotate: 90, box: [0, 0, 120, 60], children: [{inner}]}}")
    assert (nested.canvas == draw(f"{{{TEXT}, box: [0, 0, 120, 60]}}").canvas).all()


def test_padding_turns_with_its_element() -> None:
    part = draw("{type: rect, fill: black, rotate: 90, pad: [1, 2, 3, 4], box: [10, 10, 50, 50]}")
    ink_box = part_of(part, "rect").ink_box
    assert ink_box is not None
    # Its top is at the right, its left side at the top.
    assert (60 - ink_box.right, ink_box.top - 10) == (1, 4)
    assert (ink_box.left - 10, 60 - ink_box.bottom) == (3, 2)
