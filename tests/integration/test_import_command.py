"""``esl import``: with a controller and without, its output and its status."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.imports import KEYS, PLAIN, TOTALLED, plain_list, run_beside
from tests.running_house import STORE_BODY, Command, Ran, running_house

pytest_plugins = ["tests.shop_over_http"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a store ``main``, and nothing that runs on it."""
    folder = tmp_path / "data"
    with running_house(folder) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a mapping and a list of three products."""
    (tmp_path / "m.yaml").write_text(PLAIN)
    (tmp_path / "totalled.yaml").write_text(TOTALLED)
    body = plain_list([("a", "1.00"), ("b", "x"), ("c", "3.00")])
    (tmp_path / "list.csv").write_bytes(body)
    return tmp_path


def summary_of(ran: Ran) -> Any:
    assert ran.status == 0, ran.stderr
    [line] = [line for line in ran.stdout.splitlines() if " [info" not in line]  # a house's log
    return json.loads(line)


def test_without_a_controller_it_imports_by_itself(
    command: Command, data: Path, files: Path
) -> None:
    given = ("import", files / "list.csv", "--mapping", files / "m.yaml", "--data", data)
    trial = summary_of(command(*given, "--dry-run", "--json"))
    first = summary_of(command(*given, "--store", "main", "--json"))
    assert list(first) == KEYS
    assert trial == first
    assert (first["rows"], first["accepted"], first["labels_affected"]) == (3, 2, 0)
    assert [(line["row"], line["field"]) for line in first["rejected"]] == [(3, "price")]
    again = summary_of(command(*given, "--json"))
    assert (again["accepted"], again["unchanged"]) == (0, 2)
    assert list((data / "imports").iterdir()) == []
    assert (data / "imports").stat().st_mode & 0o077 == 0


def test_for_people_it_prints_tables(command: Command, data: Path, files: Path) -> None:
    given = ("import", files / "list.csv", "--mapping", files / "m.yaml", "--data", data)
    trial = command(*given, "--dry-run")
    assert "Nothing was stored" in trial.stdout
    ran = command(*given, "--report", files / "report.csv", "--strict")
    assert ran.status == 3
    assert "accepted" in ran.stdout
    assert "price" in ran.stdout
    with (files / "report.csv").open(newline="") as file:
        assert [line["decision"] for line in csv.DictReader(file)] == [
            "accepted",
            "rejected",
            "accepted",
        ]


def test_what_is_held_back_and_left_out_is_named_with_the_next_command(
    command: Command, data: Path, files: Path
) -> None:
    with running_house(data) as house:
        guarded = {key: value for key, value in STORE_BODY.items() if key != "guards"}
        house.done("PUT", "/api/v1/stores/main", guarded)
        house.done("PUT", "/api/v1/stores/main/guards", {})
    (files / "gtins.yaml").write_text(PLAIN.replace("promotion_price: promotion", "gtin: gtin"))
    first = "sku,price,name,gtin\na,1.00,Kruh,3850139171587\nb,2.00,Sir,3850139171588\n"
    again = "sku,price,name,gtin\n" * 12 + "a,10.00,Kruh,3850139171587\nb,2.10,Sir,\n"
    for name, text in (("first.csv", first), ("again.csv", again)):
        (files / name).write_text(text)
    mapped = ("--mapping", files / "gtins.yaml", "--data", data)
    ran = command("import", files / "first.csv", *mapped, "--strict")
    assert ran.status == 3, ran.stderr  # a bar code that cannot be right
    assert "gtin (1)" in ran.stdout
    ran = command("import", files / "again.csv", *mapped)
    assert ran.status == 0, ran.stderr
    assert ran.stdout.count("price is no price") + ran.stdout.count("'price' is no price") <= 2
    assert "11 rows in all" in ran.stdout
    assert "why its price is held back" in ran.stdout
    assert "decimal point had moved" in " ".join(ran.stdout.split())
    assert "esl quarantine list --store main" in ran.stdout
    assert "batches/2/roll-back" in ran.stdout
    trial = command("import", files / "again.csv", *mapped, "--dry-run")
    assert "Would be held back" in trial.stdout
    nowhere = command("import", files / "again.csv", *mapped, "--report", "nowhere/rows.csv")
    assert nowhere.status == 1
    assert "no folder nowhere" in nowhere.stderr


def test_a_file_that_cannot_be_believed_is_status_1(
    command: Command, data: Path, files: Path
) -> None:
    (files / "cut.csv").write_text("D,a,1.00,Kruh\n")
    given = ("import", files / "cut.csv", "--mapping", files / "totalled.yaml", "--data", data)
    ran = command(*given)
    assert ran.status == 1
    assert "nothing of it was taken" in ran.stderr
    as_json = command(*given, "--json")
    assert as_json.status == 1
    found = json.loads(as_json.stdout)
    assert (found["accepted"], found["rejected"][0]["row"]) == (0, 0)
    (files / "bad.csv").write_bytes(plain_list([("a", "x")]))
    none = command("import", files / "bad.csv", "--mapping", files / "m.yaml", "--data", data)
    assert none.status == 1


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("list.csv",), 2, "--mapping"),
        (("list.csv", "--mapping", "nobodys"), 1, "no mapping has this name"),
        (("list.csv", "--mapping", "missing.yaml"), 1, "missing.yaml"),
        (("missing.csv", "--mapping", "m.yaml"), 1, "missing.csv"),
        (("list.csv", "--mapping", "list.csv"), 1, "mapping"),
        (("list.csv", "--mapping", "m.yaml", "--store", "nowhere"), 1, "nowhere"),
        (("list.csv", "--mapping", "m.yaml", "--store", "Ä"), 1, "store"),
        (("list.csv", "--mapping", "m.yaml", "--report", "x.pdf"), 2, ".csv"),
    ],
)
def test_what_is_wrong_is_said(
    command: Command, data: Path, files: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    del files  # the command runs in that folder
    ran = command("import", *arguments, "--data", data)
    assert ran.status == status
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


def test_with_a_controller_it_speaks_to_it(
    command: Command, data: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del monkeypatch
    with running_house(data, with_worker=True) as house:
        run_beside(house, data)
        given = ("import", files / "list.csv", "--mapping", files / "m.yaml", "--data", data)
        assert summary_of(command(*given, "--json"))["accepted"] == 2
        [job] = house.done("GET", "/api/v1/imports")["imports"]
        assert (job["title"], job["actor"]) == ("list.csv", "operator")
        full = summary_of(command(*given, "--full", "--json"))
        assert list(full) == [*KEYS, "retired"]
