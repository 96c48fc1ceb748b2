"""What ``POST /api/v1/render`` asks for, read strictly."""

from typing import Any

import pytest

from esl.domain.errors import InvalidInput
from esl.intake.render_json import RenderRequest, parse_render_request

PANEL = {"panel": "bwry-296x128"}


def test_a_panel_is_enough() -> None:
    assert parse_render_request(PANEL) == RenderRequest(
        template="standard",
        store_id=None,
        panel="bwry-296x128",
        face=None,
        worst_case=False,
        scale=1,
        boxes=False,
        grid=False,
        lint=False,
    )


def test_everything_is_read() -> None:
    request = parse_render_request(
        PANEL
        | {"template": "own", "store": "main", "scale": 8, "boxes": True, "grid": True}
        | {"lint": True, "data": {"name": "Kruh", "price": "1.29", "currency": "EUR"}}
    )
    assert request.face is not None
    assert request.face.price_minor == 129
    assert (request.template, request.store_id, request.scale) == ("own", "main", 8)
    assert (request.boxes, request.grid, request.lint) == (True, True, True)
    assert parse_render_request(PANEL | {"worst_case": True}).worst_case


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"panel": 5}, "/panel"),
        ({"template": ""}, "/template"),
        ({"template": None}, "/template"),
        ({"scale": 0}, "/scale"),
        ({"scale": True}, "/scale"),
        ({"lint": 1}, "/lint"),
        ({"store": "My Store"}, "/store"),
        ({"data": {"name": "x"}}, "/data/price"),
        ({"data": {"name": "x", "price": None, "currency": "EUR"}, "worst_case": True}, "/worst"),
        ({"else": 1}, "/else"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_render_request(PANEL | change)
    assert any(problem.path.startswith(path) for problem in caught.value.problems)
