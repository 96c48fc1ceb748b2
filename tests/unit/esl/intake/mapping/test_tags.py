"""Tags of products: several in one cell, or a list in JSON."""

from typing import Any

import pytest

from esl.domain.product import TAG_LONGEST, TAGS_MOST
from esl.intake.mapping.bad_value import BadValue
from esl.intake.mapping.text_values import read_tag_list, read_tags


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("Bio", ("Bio",)),
        ("Bio; vegan |  aus der   Region,Bio", ("Bio", "vegan", "aus der Region")),
        ("; |", ()),
        ("Bio\u200b", ("Bio",)),
    ],
)
def test_a_cell_may_hold_several(cell: str, tags: tuple[str, ...]) -> None:
    assert read_tags(cell) == tags


@pytest.mark.parametrize(
    "tags",
    [("Bio", 1), ("x" * (TAG_LONGEST + 1),), tuple(f"t{n}" for n in range(TAGS_MOST + 1))],
)
def test_what_no_product_can_have_is_refused(tags: tuple[Any, ...]) -> None:
    with pytest.raises(BadValue):
        read_tag_list(tags)
