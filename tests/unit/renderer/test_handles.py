"""What of a layout can be moved by hand: boxes and written lengths, in pixels and in the frame."""

import pytest

from esl.domain.errors import LayoutDoesNotFit
from renderer.canvas import Box
from renderer.layout.handles import Handle, Side
from renderer.render import Renderer
from renderer.template.template import parse_template
from tests.panels import PANELS

PANEL = PANELS.named("bwry-296x128")
HEAD = """name: own
title: Own
sample: {name: Kruh, price: "1.29", currency: EUR}
worst_case: {name: Kruh, price: "1.29", currency: EUR}
variants:
  - elements:
"""


def handles_of(elements: str, products: str = "") -> tuple[Handle, ...]:
    template = parse_template(products + HEAD + elements)
    return Renderer().handles(template.sample, PANEL, template)


def test_a_box_says_its_lengths_and_where_it_is() -> None:
    [handle] = handles_of('      - {type: price, box: ["25%", 8, 10mm, "50%"]}')
    assert (handle.path, handle.turn) == ("variants/0/elements/0", 0)
    assert handle.around == Box(0, 0, 296, 128)
    assert handle.own == handle.box == Box(74, 8, round(10 / PANEL.px_mm), 64)
    assert [(one.side, one.length, one.whole_px) for one in handle.written] == [
        (Side.LEFT, "25%", 296),
        (Side.TOP, 8, 128),
        (Side.WIDTH, "10mm", 296),
        (Side.HEIGHT, "50%", 128),
    ]
    assert handle.written[2].path == "variants/0/elements/0/box/2"


def test_groups_come_before_what_they_hold_and_what_fills_them_has_no_handle() -> None:
    found = handles_of(
        """      - type: stack
        box: [10, 20, 200, 100]
        pad: 4
        children:
          - {type: price, box: [0, 50, "100%", 40]}
          - {type: rect, fill: white}
"""
    )
    assert [one.path.partition("elements/")[2] for one in found] == ["0", "0/children/0"]
    child = found[1]
    assert child.around == Box(14, 24, 192, 92)
    assert (child.own, child.box) == (Box(0, 50, 192, 40), Box(14, 74, 192, 40))


def test_children_of_a_column_are_stretched_by_what_they_say() -> None:
    found = handles_of(
        """      - type: column
        children:
          - {type: text, value: "{name}", height: 25%}
          - {type: price}
          - {type: text, value: "{name}", grow: 1}
"""
    )
    [handle] = found
    [written] = handle.written
    assert (written.side, written.path) == (Side.HEIGHT, "variants/0/elements/0/children/0/height")
    assert (written.whole_px, handle.own) == (128, Box(0, 0, 296, 32))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_in_a_turned_group_own_is_upright_and_box_is_on_the_panel(turn: int) -> None:
    found = handles_of(
        f"""      - type: stack
        box: [100, 10, 60, 100]
        rotate: {turn}
        children:
          - {{type: price, box: [0, 5, 50, 40]}}
"""
    )
    child = found[1]
    assert (child.turn, child.own) == (turn, Box(0, 5, 50, 40))
    assert child.around == Box(100, 10, 60, 100)
    corner = {
        90: Box(100 + 60 - 45, 10, 40, 50),
        180: Box(100 + 60 - 50, 10 + 100 - 45, 50, 40),
        270: Box(105, 10 + 100 - 50, 40, 50),
    }
    assert child.box == corner[turn]


def test_a_cell_of_a_grid_has_the_same_lengths_as_every_other() -> None:
    template = parse_template(
        """name: own
title: Own
products: 2
sample: {name: A, price: "1.29", currency: EUR, products: [{name: B, price: "1.49"}]}
worst_case: {name: A, price: "1.29", currency: EUR, products: [{name: B, price: "1.49"}]}
variants:
  - elements:
      - type: grid
        columns: 2
        rows: 1
        each:
          - {type: price, box: [0, 0, "100%", "50%"]}
"""
    )
    left, right = Renderer().handles(template.sample, PANEL, template)
    assert (left.product, right.product) == (0, 1)
    assert left.written == right.written
    assert (left.box, right.box) == (Box(0, 0, 148, 64), Box(148, 0, 148, 64))


def test_boxes_outside_the_panel_are_refused_as_when_they_are_drawn() -> None:
    with pytest.raises(LayoutDoesNotFit, match="around it are 296x128 px"):
        handles_of("      - {type: price, box: [200, 0, 200, 40]}")


def test_what_is_too_small_to_be_drawn_can_still_be_stretched() -> None:
    [handle] = handles_of("      - {type: price, box: [0, 0, 20, 10]}")
    assert handle.own == Box(0, 0, 20, 10)
