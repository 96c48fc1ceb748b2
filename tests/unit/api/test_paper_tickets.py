"""Paper tickets over HTTP: printed as their labels should be, outdated, needless, taken away."""

import base64
import re
import zlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import update

from esl.domain.problem import ProblemKind
from esl.services import problems
from esl.store.tables import labels
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

AT = "/api/v1/stores/vrsar"
TICKETS = f"{AT}/paper-tickets"
CHANGED = "what its label should show has changed since"
_IMAGE = re.compile(rb"<<([^<>]*?/Subtype /Image.*?)>>\s*stream\r?\n(.*?)endstream", re.DOTALL)
_SIDES = (b"Width", b"Height")


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("paper") / "data") as running:
        running.done("PUT", AT, STORE_BODY)
        names = ["a", "b", "c"]
        products = [{"sku": x, "name": f"Kruh {x}", "price": "1.29"} for x in names[:2]]
        running.done("POST", f"{AT}/products", products)
        made = [{"label": x, "panel": "bwry-296x128"} for x in names]
        running.done("POST", f"{AT}/labels", made)
        pairings = [{"label": x, "sku": x, "place": f"3/{x}"} for x in names[:2]]
        running.done("POST", f"{AT}/pairings", pairings)
        yield running


def printed(house: RunningHouse, *names: str) -> dict[str, Any]:
    return dict(house.done("POST", TICKETS, {"labels": list(names)}))


def states(house: RunningHouse) -> dict[int, str]:
    listed = house.done("GET", TICKETS)["tickets"]
    return {one["ticket"]: one["state"] for one in listed}


def images_of(pdf: bytes) -> list[tuple[int, int, bytes]]:
    """Every picture of a PDF: width, height, RGB."""
    found = []
    for head, body in _IMAGE.findall(pdf):
        width, height = (int(re.findall(rb"/%s (\d+)" % side, head)[0]) for side in _SIDES)
        found.append((width, height, _decoded(body)))
    return found


def _decoded(body: bytes) -> bytes:
    return zlib.decompress(base64.a85decode(body.strip().removesuffix(b"~>")))


def test_a_ticket_is_the_picture_that_the_label_should_show(house: RunningHouse) -> None:
    answer = printed(house, "b", "a")
    assert [(one["label"], one["state"], one["place"]) for one in answer["results"]] == [
        ("b", "hangs", "3/b"),
        ("a", "hangs", "3/a"),
    ]
    pdf = house.ask("GET", answer["pdf"])
    assert pdf.headers["content-type"] == "application/pdf"
    pictures = [one for one in images_of(pdf.content) if one[:2] == (296, 128)]
    assert len(pictures) == 2
    for (_, _, rgb), name in zip(pictures, ("b", "a"), strict=True):
        wanted = house.ask("GET", f"/api/v1/labels/{name}/wanted.png").content
        assert _inks(rgb, 3) == _inks_of_png(wanted), "pixel by pixel"
    again = house.ask("GET", answer["pdf"])
    assert again.content == pdf.content, "the same bytes"


def _inks(rgb: bytes, step: int) -> list[str]:
    names = {(0, 0, 0): "k", (255, 255, 255): "w", (255, 205, 0): "y", (210, 0, 0): "r"}
    return [names[tuple(rgb[at : at + 3])] for at in range(0, len(rgb), step)]


def _inks_of_png(png: bytes) -> list[str]:
    with Image.open(BytesIO(png)) as image:
        return ["kwyr"[value] for value in image.tobytes()]


def test_each_label_is_answered_by_itself(house: RunningHouse) -> None:
    answer = printed(house, "a", "c", "nobody")
    kinds = [(one["label"], one["state"]) for one in answer["results"]]
    assert kinds == [("a", "hangs"), ("c", "refused"), ("nobody", "refused")]
    assert answer["results"][1]["reason"] == "it has no price to show"
    assert answer["results"][2]["reason"] == "the store has no such label"
    nothing = printed(house, "c")
    assert nothing["pdf"] is None
    assert len(states(house)) == 1
    for body, at in (
        ({}, "/labels"),
        ({"labels": []}, "/labels"),
        ({"labels": ["A b"]}, "/labels/0"),
        ({"labels": ["a"] * 201}, "/labels"),
        ({"labels": "a"}, "/labels"),
    ):
        problem = check_problem(house.ask("POST", TICKETS, json=body), 422)
        assert problem["errors"][0]["pointer"] == at


def test_a_price_that_changes_makes_paper_a_problem(house: RunningHouse) -> None:
    [ticket] = printed(house, "a")["results"]
    assert trouble(house) == []
    house.done("POST", f"{AT}/price-changes", {"sku": "a", "price": "1.49"})
    assert states(house) == {ticket["ticket"]: "outdated"}
    [reason] = trouble(house)
    assert reason == f"The paper ticket of Kruh a at 3/a still hangs: {CHANGED}."
    [newer] = printed(house, "a")["results"]
    assert states(house) == {newer["ticket"]: "hangs", ticket["ticket"]: "gone"}
    assert trouble(house) == []
    house.done("POST", f"{AT}/pairings", {"label": "a", "sku": "b"})
    assert states(house)[newer["ticket"]] == "loose"
    [reason] = trouble(house)
    assert reason.endswith("its label speaks for the product no more.")
    gone = house.done("PUT", f"{TICKETS}/{newer['ticket']}", {"hangs": False})
    assert (gone["state"], gone["gone_by"]) == ("gone", "operator")
    assert trouble(house) == []


def trouble(house: RunningHouse) -> list[str]:
    with house.house.database.read() as tx:
        found = problems.find_problems(
            tx, "vrsar", house.house.clock.now(), online=set(), silent_after=timedelta(days=1)
        )
    return [one.reason for one in found if one.kind is ProblemKind.PAPER_OUTDATED]


def test_a_label_that_is_back_makes_paper_needless(house: RunningHouse) -> None:
    [ticket] = printed(house, "a")["results"]

    def settle(**more: object) -> None:
        now = {"settled_rev": labels.c.wanted_rev, "due_at": None} | more
        house.write(lambda tx: tx.execute(update(labels).values(now)) and None)

    settle(problem="not_shown")
    assert states(house) == {ticket["ticket"]: "hangs"}
    settle(problem=None)
    assert states(house) == {ticket["ticket"]: "needless"}
    [damaged] = printed(house, "a")["results"]
    assert damaged["state"] == "hangs", "its glass is broken, whatever it reports"


def test_gone_and_back_again(house: RunningHouse) -> None:
    [first] = printed(house, "a")["results"]
    at = f"{TICKETS}/{first['ticket']}"
    for hangs, state in ((False, "gone"), (False, "gone"), (True, "hangs")):
        assert house.done("PUT", at, {"hangs": hangs})["state"] == state
    printed(house, "a")
    check_problem(house.ask("PUT", at, json={"hangs": True}), 409)
    check_problem(house.ask("PUT", at, json={"hangs": "no"}), 422)
    check_problem(house.ask("GET", f"{TICKETS}/77"), 404)
    check_problem(house.ask("GET", f"{AT}/paper-sheets/{'0' * 16}.pdf"), 404)
    check_problem(house.ask("GET", f"{AT}/paper-sheets/x.pdf"), 404)
    hanging = house.done("GET", f"{TICKETS}?hangs=true&limit=1")
    assert [one["state"] for one in hanging["tickets"]] == ["hangs"]
    rest = house.done("GET", f"{TICKETS}?before={hanging['before']}")
    assert [one["ticket"] for one in rest["tickets"]] == [first["ticket"]]
    house.done("PUT", "/api/v1/stores/pula", STORE_BODY)
    check_problem(house.ask("GET", f"/api/v1/stores/pula/paper-tickets/{first['ticket']}"), 404)
    told = house.done("GET", "/api/v1/audit?store=vrsar")["entries"]
    actions = [one["action"] for one in told if one["action"].startswith("paper")]
    assert actions == ["paper_printed", "paper_hung", "paper_gone", "paper_printed"]
