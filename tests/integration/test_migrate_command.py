"""``esl migrate``: from the files of another system to a shop, with a controller and without."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from esl.intake.mapping.document import parse_mapping
from tests.imports import run_beside
from tests.running_house import STORE_BODY, Command, Ran, RunningHouse, check_problem, running_house

pytest_plugins = ["tests.shop_over_http"]

LABELS = """label,sku,panel,place
L-1,1001,bwry-296x128,Aisle 3
l-2,1002,bwry-296x128,
l-3,,bwry-296x128,Spare
l-4,4711,bwry-296x128,
l-5,1001,,
"""
HISTORY = """šifra;cijena;od;do;vrsta
1001;1,49;01.12.2025;31.12.2025;N
1001;1,19;01.01.2026;;A
1001;0,99;01.01.2099;;N
9999;1,00;01.01.2026;;N
"""
HISTORY_MAPPING = """
name: old-system
format: csv
delimiter: ";"
decimal: ","
fields:
  sku: "šifra"
  price: "cijena"
  history: {from: od, format: "%d.%m.%Y"}
  history_to: {from: do, format: "%d.%m.%Y"}
  history_kind: {from: vrsta, map: {N: regular, A: promotion}}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a store ``main`` of two products, and nothing that runs on it."""
    folder = tmp_path / "data"
    with running_house(folder) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        products = [{"sku": "1001", "name": "Kruh"}, {"sku": "1002", "name": "Mlijeko"}]
        house.done("POST", "/api/v1/stores/main/products", products)
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(LABELS)
    return path


def said(ran: Ran, status: int = 0) -> dict[str, Any]:
    assert ran.status == status, ran.stderr
    summary: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return summary


def test_labels_are_tried_taken_and_taken_again(command: Command, data: Path, labels: Path) -> None:
    given = ("migrate", "pairings", labels, "--data", data, "--json")
    trial = said(command(*given, "--dry-run"))
    first = said(command(*given, "--store", "main"))
    assert (trial.pop("dry_run"), first.pop("dry_run")) == (True, False)
    assert trial == first
    assert (first["rows"], first["taken"], first["registered"], first["paired"]) == (5, 3, 3, 2)
    assert [(line["row"], line["field"]) for line in first["rejected"]] == [
        (5, "sku"),
        (6, "panel"),
    ]
    assert all(line["fix"] for line in first["rejected"])
    again = said(command(*given, "--strict"), status=3)
    assert (again["taken"], again["unchanged"]) == (0, 3)
    assert said(command(*given, "--panel", "bwry-296x128"))["taken"] == 1


def test_what_is_given_out_is_taken_again_as_nothing_new(
    command: Command, data: Path, labels: Path, tmp_path: Path
) -> None:
    command("migrate", "pairings", labels, "--data", data)
    out = command("migrate", "export", "pairings", "--data", data)
    assert out.status == 0
    lines = list(csv.DictReader(out.stdout.splitlines()))
    assert [(line["label"], line["sku"], line["place"]) for line in lines] == [
        ("l-1", "1001", "Aisle 3"),
        ("l-2", "1002", ""),
        ("l-3", "", "Spare"),
    ]
    (tmp_path / "out.csv").write_text(out.stdout)
    again = said(command("migrate", "pairings", tmp_path / "out.csv", "--data", data, "--json"))
    assert (again["unchanged"], again["taken"], again["rejected"]) == (3, 0, [])


def test_for_people_a_trial_says_what_becomes_of_each_row(
    command: Command, data: Path, labels: Path, tmp_path: Path
) -> None:
    given = ("migrate", "pairings", labels, "--data", data)
    trial = command(*given, "--dry-run", "--report", tmp_path / "rows.csv")
    assert trial.status == 0
    for words in ("registered, paired, placed", "refused: sku", "Nothing was stored"):
        assert words in trial.stdout
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["decision"] for row in rows] == ["taken"] * 3 + ["rejected"] * 2
    assert rows[0]["done"] == "registered paired placed"
    command(*given)
    moved = said(command(*given[:2], _moving(tmp_path), "--data", data, "--json"), status=1)
    assert moved["rejected"][0]["field"] == "sku"
    done = command(*given[:2], _moving(tmp_path), "--data", data, "--move", "--dry-run")
    assert "moved from 1001" in done.stdout


def _moving(folder: Path) -> Path:
    path = folder / "moving.csv"
    path.write_text("label,sku\nl-1,1002\n")
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pairings", "nowhere.csv"), "cannot read nowhere.csv"),
        (("pairings", "wrong.csv"), "no column is named label"),
        (("history", "wrong.csv"), "no column is named valid_from"),
        (("history", "wrong.csv", "--mapping", "plain.yaml"), "has no field history"),
        (("pairings", "wrong.csv", "--mapping", "plain.yaml"), "/fields/label"),
    ],
)
def test_a_wrong_file_is_one_line_with_a_fix(
    command: Command, data: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "wrong.csv").write_text("sku,price\n1,1\n")
    (tmp_path / "plain.yaml").write_text("name: p\nformat: csv\nfields: {sku: sku, price: price}\n")
    ran = command("migrate", *arguments, "--data", data)
    assert ran.status == 1
    assert words in ran.stderr


@pytest.mark.parametrize("form", ["products", "history", "pairings"])
def test_a_sample_can_be_brought_as_it_is(
    command: Command, data: Path, tmp_path: Path, form: str
) -> None:
    path = tmp_path / "sample.csv"
    path.write_text(command("migrate", "sample", form).stdout)
    ran = said(command("migrate", form, path, "--data", data, "--json"))
    assert ran["rejected"] == []
    assert ran["rows"] >= 2


def test_products_and_their_past_come_to_a_running_shop(
    command: Command, data: Path, tmp_path: Path
) -> None:
    blank = " " * 60_000 + ";;;;\n"  # files are larger than other bodies may be
    (tmp_path / "history.csv").write_text(HISTORY + blank * 20)
    (tmp_path / "old.yaml").write_text(HISTORY_MAPPING)
    (tmp_path / "labels.csv").write_text("label,sku,panel\nr-1,1002,bwry-296x128\nr-2,4711,\n")
    given = ("migrate", "history", tmp_path / "history.csv", "--mapping", tmp_path / "old.yaml")
    with running_house(data, with_worker=True) as house:
        run_beside(house, data)
        before = house.done("GET", "/api/v1/stores/main/products/1001")
        assert before["lowest_30d"] is None, "nobody knows, so nothing is claimed"
        trial = said(command(*given, "--data", data, "--dry-run", "--json"))
        first = said(command(*given, "--data", data, "--json"))
        assert trial == first
        assert (first["accepted"], first["labels_affected"]) == (1, 0)
        assert [(line["row"], line["field"]) for line in first["rejected"]] == [
            (4, "history"),
            (5, "sku"),
        ]
        assert "still to come" in first["rejected"][0]["reason"]
        again = said(command(*given, "--data", data, "--json"))
        assert (again["accepted"], again["unchanged"]) == (0, 1)
        after = house.done("GET", "/api/v1/stores/main/products/1001")
        lowest = after.pop("lowest_30d")
        assert (lowest["amount"], lowest["basis"]) == ("1.19", "history")
        assert (lowest["sources"], lowest["files"]) == (["old-system"], ["history.csv"])
        before.pop("lowest_30d")
        assert after == before, "no present price changes"
        moved = ("migrate", "pairings", tmp_path / "labels.csv", "--data", data, "--json")
        told = said(command(*moved))
        assert (told["taken"], [line["row"] for line in told["rejected"]]) == (1, [3])
        assert said(command(*moved))["unchanged"] == 1
        out = command("migrate", "export", "--data", data)
        assert "r-1,1002,bwry-296x128,," in out.stdout.splitlines()


def test_labels_come_over_http(shop: RunningHouse) -> None:
    path = "/api/v1/stores/main/migrations/pairings"
    row = {"row": 7, "label": "m-1", "sku": "1001", "panel": "bwry-296x128", "place": "Aisle 9"}
    trial = shop.done("POST", path, {"rows": [row], "dry_run": True})
    done = shop.done("POST", path, {"rows": [row]})
    assert trial["results"] == done["results"]
    assert done["results"] == [
        {
            "row": 7,
            "label": "m-1",
            "decision": "taken",
            "done": ["registered", "paired", "placed"],
            "sku": "1001",
        }
    ]
    assert shop.done("GET", "/api/v1/labels/m-1")["place"] == "Aisle 9"
    given = shop.done("GET", "/api/v1/stores/main/pairings", limit=1000)
    assert given["after"] is None
    [mine] = [each for each in given["rows"] if each["label"] == "m-1"]
    assert mine | {"row": 7} == row
    first = shop.done("GET", "/api/v1/stores/main/pairings", limit=1)
    assert first["after"] == first["rows"][0]["label"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/rows"),
        ({"rows": []}, "/rows"),
        ({"rows": {}}, "/rows"),
        ({"rows": [{}]}, "/rows/0/label"),
        ({"rows": [{"label": "a b"}]}, "/rows/0/label"),
        ({"rows": [{"label": "a", "sku": 7}]}, "/rows/0/sku"),
        ({"rows": [{"label": "a", "row": 0}]}, "/rows/0/row"),
        ({"rows": [{"label": "a", "aisle": "3"}]}, "/rows/0/aisle"),
        ({"rows": [{"label": "a"}], "move": "yes"}, "/move"),
        ({"rows": [{"label": "a"}], "panel": "A B"}, "/panel"),
        ({"rows": [{"label": "a", "sku": "1"}, {"label": "a", "sku": "2"}]}, "/rows/1/label"),
        ({"rows": [{"label": "a"}] * 1001}, "/rows"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_its_path(
    shop: RunningHouse, body: Any, pointer: str
) -> None:
    answer = shop.ask("POST", "/api/v1/stores/main/migrations/pairings", json=body)
    check_problem(answer, 422, pointer)


def test_what_the_documentation_says_is_what_happens(
    command: Command, data: Path, tmp_path: Path
) -> None:
    text = (Path(__file__).parents[2] / "docs/migration.md").read_text("utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    ran = 0
    for line in "".join(body for kind, body in blocks if kind == "sh").splitlines():
        words, _, target = line.partition("#")[0].partition(">")
        done = command(*words.split()[1:], *(() if "sample" in words else ("--data", data)))
        assert done.status == 0, (line, done.stderr)
        if target:
            (tmp_path / target.strip()).write_text(done.stdout)
        ran += 1
    assert ran == 10
    history, pairs = (body for kind, body in blocks if kind == "csv")
    assert history == command("migrate", "sample", "history").stdout
    assert pairs == command("migrate", "sample", "pairings").stdout
    [mapping] = [body for kind, body in blocks if kind == "yaml"]
    assert "history" in parse_mapping(mapping).fields
    _, asked, answered = (json.loads(body) for kind, body in blocks if kind == "json")
    with running_house(tmp_path / "other") as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        house.done("POST", "/api/v1/stores/main/products", [{"sku": "1001", "name": "Kruh"}])
        path = "/api/v1/stores/main/migrations/pairings"
        assert house.done("POST", path, asked) == answered
