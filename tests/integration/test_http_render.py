"""``POST /api/v1/render`` draws a label for whoever designs one, and changes nothing."""

import asyncio
import base64
import io
from typing import Any

import pytest
from PIL import Image

from api import turns
from renderer.template.gallery import load_gallery
from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

RENDER = "/api/v1/render"
FACE = {"name": "Jogurt natur", "price": "1.29", "currency": "EUR", "locale": "de_DE"}
OWN = """\
name: mine
title: Mine
sample: {name: Kruh, price: "1.29", currency: EUR}
worst_case: {name: Kruh, price: "1299.99", currency: EUR}
variants:
  - elements:
      - {type: text, id: name, value: "{name}", box: [0, 0, "100%", "40%"], min_size: 2mm}
      - {type: price, box: [0, "40%", "100%", "60%"]}
"""


def ask(shop: RunningHouse, **body: Any) -> Any:
    return shop.done("POST", RENDER, {"panel": "bwry-296x128", **body})


def picture(answer: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["png"])))


def test_a_label_is_drawn_with_a_template_of_the_gallery(untouched: RunningHouse) -> None:
    answer = ask(untouched, template="standard", data=FACE)
    assert picture(answer).size == (296, 128)
    assert answer["panel"] == "bwry-296x128"
    assert answer["template"] == "standard"
    assert answer["bytes"] == 9472
    assert len(answer["digest"]) == 64
    assert answer["lint"] is None
    assert "1" in [text for part in answer["parts"] for text in part["texts"]]
    assert answer == ask(untouched, template="standard", data=FACE)


def test_a_label_is_drawn_with_a_text_that_nobody_has_saved(untouched: RunningHouse) -> None:
    answer = ask(untouched, template=OWN, data=FACE, lint=True)
    name, price = answer["parts"]
    assert (name["pointer"], name["line"], name["id"]) == ("/variants/0/elements/0", 7, "name")
    assert name["box"] == [0, 0, 296, 51]
    assert name["texts"] == ["Jogurt natur"]
    assert price["type"] == "price"
    assert all(finding["severity"] == "warning" for finding in answer["lint"])


def test_without_data_the_sample_or_the_worst_case_is_drawn(untouched: RunningHouse) -> None:
    digests = {
        ask(untouched, template=OWN)["digest"],
        ask(untouched, template=OWN, worst_case=True)["digest"],
        ask(untouched, template=OWN, data=FACE)["digest"],
    }
    assert len(digests) == 3


def test_the_picture_alone_is_for_whoever_accepts_it(untouched: RunningHouse) -> None:
    body = {"template": "standard", "panel": "bwry-296x128", "scale": 2}
    answer = untouched.ask("POST", RENDER, json=body, headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (592, 256)


def test_marks_change_the_picture_and_not_the_label(untouched: RunningHouse) -> None:
    plain = ask(untouched, template=OWN)
    marked = ask(untouched, template=OWN, boxes=True, grid=True)
    assert plain["digest"] == marked["digest"]
    assert plain["png"] != marked["png"]


def test_a_store_lends_its_templates_and_pictures(shop: RunningHouse) -> None:
    logo = io.BytesIO()
    Image.new("RGB", (8, 8)).save(logo, "PNG")
    shop.ask("PUT", "/api/v1/stores/main/pictures/logo", content=logo.getvalue())
    text = OWN + '      - {type: image, name: logo, box: ["80%", 0, "20%", "40%"]}\n'
    text = text.replace('"100%", "40%"]', '"70%", "40%"]')
    shop.done("PUT", "/api/v1/stores/main/templates/mine", {"text": text})
    assert ask(shop, template="mine", store="main")["template"] == "mine"
    assert ask(shop, template=text, store="main", data=FACE)["template"] == "mine"
    check_problem(
        shop.ask("POST", RENDER, json={"template": text, "panel": "bwry-296x128"}),
        422,
        "/template/variants/0/elements/2/name",
    )
    check_problem(
        shop.ask("POST", RENDER, json={"template": "mine", "panel": "bwry-296x128"}),
        422,
        "/template",
    )


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"template": "standart"}, "/template"),
        ({"template": "Standard!"}, "/template"),
        ({"template": 5}, "/template"),
        ({"template": "x" * 70_000}, "/template"),
        ({"template": "none", "store": "main"}, "/template"),
        ({"template": "name: ["}, "/template"),
        ({"template": OWN.replace("{name}", "{nam}")}, "/template/variants/0/elements/0/value"),
        ({"panel": "bwry-1x1"}, "/panel"),
        ({"panel": None}, "/panel"),
        ({"data": FACE | {"price": 1}}, "/data/price"),
        ({"data": "x"}, "/data"),
        ({"face": FACE}, "/face"),
        ({"data": FACE, "worst_case": True}, "/worst_case"),
        ({"scale": 9}, "/scale"),
        ({"scale": "2"}, "/scale"),
        ({"boxes": "yes"}, "/boxes"),
        ({"store": "Main"}, "/store"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    untouched: RunningHouse, change: dict[str, Any], pointer: str
) -> None:
    body = {"template": "standard", "panel": "bwry-296x128", **change}
    problem = check_problem(untouched.ask("POST", RENDER, json=body), 422, pointer)
    assert problem["detail"].endswith("must be mended; nothing was drawn")


def test_a_face_under_another_name_is_told_its_own(untouched: RunningHouse) -> None:
    body = {"panel": "bwry-296x128", "face": FACE}
    problem = check_problem(untouched.ask("POST", RENDER, json=body), 422, "/face")
    assert "“data”" in problem["fix"]


def test_a_face_that_does_not_fit_is_refused_with_the_reason(untouched: RunningHouse) -> None:
    text = OWN.replace('"100%", "60%"', '"10%", "60%"')
    answer = untouched.ask("POST", RENDER, json={"template": text, "panel": "bwry-296x128"})
    assert "px" in check_problem(answer, 422)["detail"]


def test_a_store_that_is_closed_to_the_asker_lends_nothing(shop: RunningHouse) -> None:
    body = {"template": "standard", "panel": "bwry-296x128", "store": "main"}
    elsewhere = shop.token("label:read", stores=("main",))
    assert shop.ask("POST", RENDER, json=body, token=elsewhere).is_success
    check_problem(shop.ask("POST", RENDER, json=body, token=shop.token("price:read")), 403)
    shop.done("PUT", "/api/v1/stores/other", {"name": "O", "currency": "EUR", "locale": "de_DE",
                                              "timezone": "Europe/Berlin"})  # fmt: skip
    stranger = shop.token("label:read", stores=("other",))
    check_problem(shop.ask("POST", RENDER, json=body, token=stranger), 404)
    check_problem(shop.ask("POST", RENDER, json=body, token=None), 401)


def test_every_template_of_the_gallery_can_be_asked_for(untouched: RunningHouse) -> None:
    for name in load_gallery():
        assert ask(untouched, template=name)["template"] == name


@pytest.mark.parametrize(
    ("method", "path", "body", "not_done"),
    [
        ("POST", RENDER, {"template": OWN, "panel": "bwry-296x128"}, "drawn"),
        ("GET", "/api/v1/stores/main/templates/standard/preview.png", None, "drawn"),
        ("PUT", "/api/v1/stores/main/templates/mine", {"text": OWN}, "stored"),
    ],
)
def test_whoever_comes_while_all_turns_are_taken_is_asked_to_come_again(
    untouched: RunningHouse,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    not_done: str,
) -> None:
    monkeypatch.setattr(turns, "RENDER_PATIENCE_S", 0.05)
    state = untouched.app.state
    free, state.renders = state.renders, asyncio.Semaphore(0)
    try:
        answer = untouched.ask(method, path, json=body)
    finally:
        state.renders = free
    problem = check_problem(answer, 503)
    assert problem["detail"].endswith(f"; nothing was {not_done}")
    assert answer.headers["retry-after"] == "1"


def test_turns_are_given_back_when_a_label_is_refused(untouched: RunningHouse) -> None:
    narrow = OWN.replace('"100%", "60%"', '"10%", "60%"')
    for _ in range(turns.RENDERS_AT_ONCE + 1):
        body = {"template": narrow, "panel": "bwry-296x128"}
        check_problem(untouched.ask("POST", RENDER, json=body), 422)
        mine = "/api/v1/stores/main/templates/mine"
        check_problem(untouched.ask("PUT", mine, json={"text": narrow}), 422)
        look = "/api/v1/stores/main/templates/two-products/preview.png?panel=bwry-1x1"
        check_problem(untouched.ask("GET", look), 404)
    ask(untouched, template=OWN)
