"""``esl pairings``, ``esl places`` and ``esl links``, against a controller that runs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.private_files import RuntimeFile, runtime_file
from tests.running_house import Command, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(120)

MAIN = "/api/v1/stores/main"


@pytest.fixture(scope="module")
def data(shop: RunningHouse) -> Iterator[Path]:
    """The data folder of the shop, with labels c-1 and c-2."""
    new = [{"label": f"c-{n}", "panel": "bwry-296x128", "gateway": "gw-1"} for n in (1, 2, 3)]
    shop.done("POST", f"{MAIN}/labels", new)
    data_dir = shop.house.settings.data_dir
    with runtime_file(data_dir, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        yield data_dir


def said(command: Command, data: Path, *arguments: str) -> str:
    ran = command(*arguments, "--data", data)
    assert (ran.status, ran.stderr) == (0, "")
    return ran.stdout


def test_a_label_is_paired_replaced_and_put_back(
    shop: RunningHouse, data: Path, command: Command
) -> None:
    assert "speak for 1001" in said(
        command, data, "pairings", "pair", "c-1", "1001", "--place", "3/2"
    )
    said(command, data, "pairings", "move", "c-1", "1002", "1001")
    assert "c-2 takes the place of c-1." in said(command, data, "pairings", "replace", "c-1", "c-2")
    assert "done before" in said(command, data, "pairings", "replace", "c-1", "c-2")
    found = json.loads(said(command, data, "pairings", "history", "c-2", "--json"))
    assert (found[0]["action"], found[0]["beside"]) == ("replaces", "c-1")
    step = str(found[0]["step"])
    assert "Undone: c-1, c-2." in said(command, data, "pairings", "undo", step)
    told = said(command, data, "pairings", "history", "c-1")
    assert re.search(r"undone .*1002, 1001 at 3/2", told)
    assert "speaks for nothing" in said(command, data, "pairings", "unpair", "c-1")
    assert shop.done("GET", "/api/v1/labels/c-1")["face"] is None


def test_many_labels_are_paired_from_a_file_tried_first(
    shop: RunningHouse, data: Path, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "pairings.csv"
    file.write_text("label,sku\nc-3,1001\nc-3x,1001\nc-1,nobody\n")
    before = shop.everything_stored()
    said_then = said(command, data, "pairings", "import", str(file), "--dry-run")
    assert "Nothing was stored" in said_then
    assert shop.everything_stored() == before
    report = tmp_path / "rows.json"
    said(command, data, "pairings", "import", str(file), "--report", str(report))
    rows = [(row["row"], row["decision"]) for row in json.loads(report.read_text())]
    assert rows == [(2, "taken"), (3, "rejected"), (4, "rejected")]
    [step, *_] = json.loads(said(command, data, "pairings", "history", "c-3", "--json"))
    assert (step["action"], step["after"]["skus"]) == ("paired", ["1001"])


def test_a_planogram_is_tried_taken_and_walked(
    shop: RunningHouse, data: Path, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "planogram.csv"
    file.write_text("Label;Aisle;Bay;Facing\nC-1;20;2;x\nc-2;20;10;x\nnobody;1;1;x\nc-3;;1;x\n")
    before = shop.everything_stored()
    tried = said(command, data, "places", "import", str(file), "--dry-run")
    assert "4 rows, 2 taken, 0 unchanged, 2 rejected." in tried
    assert "Nothing was stored" in tried
    assert shop.everything_stored() == before
    found = json.loads(said(command, data, "places", "import", str(file), "--json"))
    assert [(row["row"], row["decision"]) for row in found["results"]] == [
        *((2, "taken"), (3, "taken"), (4, "rejected"), (5, "rejected")),
    ]
    told = said(command, data, "places", "list", "--aisle", "20")
    assert re.search(r"c-1 +20/2 .*\n.*c-2 +20/10 ", told)
    assert "in serpentines; first: 20/10" in said(
        command, data, "places", "walk", "20/10", "--serpentine"
    )
    listed = json.loads(said(command, data, "places", "list", "--aisle", "20", "--json"))
    assert [one["label"] for one in listed] == ["c-2", "c-1"]


def test_a_short_link_is_set_up_retargeted_and_exported(data: Path, command: Command) -> None:
    rule = "https://www.shop.example/{sku}"
    base = ("--base", "https://go.shop.example", "--host", "www.shop.example", "--rule", rule)
    assert "0 label(s)" in said(command, data, "links", "set-up", *base)
    said(command, data, "pairings", "pair", "c-3", "1002")
    assert "leads to https://www.shop.example/1002." in said(command, data, "links", "show", "1002")
    to = "https://www.shop.example/summer"
    assert f"leads to {to}." in said(command, data, "links", "target", "1002", to)
    nginx = said(command, data, "links", "export", "--format", "nginx")
    assert re.search(rf'^    /s/[0-9A-Z]{{8}} "{to}";$', nginx, re.MULTILINE)
    assert f"leads to {rule.format(sku=1002)}." in said(command, data, "links", "target", "1002")


def test_what_is_refused_is_one_line_with_a_fix(data: Path, command: Command) -> None:
    for arguments, words in (
        (("links", "target", "1002", "https://evil.example"), "host"),
        (("pairings", "undo", "99999999"), "no step"),
        (("pairings", "replace", "l-2", "c-1"), "speaks for nothing"),
    ):
        ran = command(*arguments, "--data", data)
        assert ran.status == 1
        assert words in ran.stderr
        assert ran.stderr.count("\n") == 1
