"""``esl mapping``: what it proposes, shows and refuses, and with which status."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.app import app
from esl.domain.errors import InvalidInput, SetupError
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.schema import schema_text

LIST = """\
Artikelnummer;EAN;Bezeichnung;Verkaufspreis;Aktionspreis;Inhalt
1001;4006381333931;Käse;2,49;;250 g
1002;4006381333948;Brötchen;0,69;0,49;6 Stk
1003;;Öl;12,90;;1 l
1004;;Süßmost;x;;0,7 l
1005;;Honig;5,99;0,00;cca 500 g
"""
LIST += "".join(f"{2000 + n};;Saft {n};1,{n:02d};;0,5 l\n" for n in range(15))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Preise 2026.csv").write_bytes(LIST.encode("cp1252"))


def run(*arguments: str, sent: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["mapping", *arguments], input=sent, env={"COLUMNS": "160"})


def test_a_suggestion_is_printed_as_a_mapping_that_can_be_kept() -> None:
    result = run("suggest", "Preise 2026.csv")
    assert result.exit_code == 0
    mapping = parse_mapping(result.stdout)
    assert (mapping.name, mapping.encoding, mapping.delimiter) == ("preise-2026", "cp1252", ";")
    assert mapping.decimal == ","
    assert mapping.fields["price"].name == "Verkaufspreis"
    assert mapping.fields["promotion_price"].map == {"0,00": None}


def test_a_suggestion_is_written_with_its_reasons_and_then_tried() -> None:
    result = run("suggest", "Preise 2026.csv", "--out", "m.yaml", "--name", "laden")
    assert result.exit_code == 0
    assert "can only have a decimal comma" in result.stdout
    assert "esl mapping check m.yaml" in result.stdout
    assert parse_mapping(Path("m.yaml").read_text()).name == "laden"
    assert "no errors" in run("check", "m.yaml").stdout
    result = run("check", "m.yaml", "Preise 2026.csv")
    assert result.exit_code == 0
    for words in ("4006381333931", "Käse", "2.49", "0.49", "12.90", "250 g", "6 ×"):
        assert words in result.stdout
    assert "'x' is no price" in result.stdout
    assert "about so much" in result.stdout
    assert "20 rows, 19 products, 1 rows refused" in result.stdout


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_narrow_terminal_cuts_no_value_and_names_the_columns_it_has_no_room_for(
    width: int,
) -> None:
    header = "SKU;EAN;Name;Price;Promo price;Lowest price 30 days;Anchor price;Deposit"
    rows = [
        f"{n};4006381333931;Sparkling water {n};{n}234,56;{n}111,22;{n}100,33;{n}999,87;0,25"
        for n in range(1, 9)
    ]
    Path("wide.csv").write_text("\n".join([header, *rows, ""]))
    run("suggest", "wide.csv", "--out", "wide.yaml")
    arguments = ["mapping", "check", "wide.yaml", "wide.csv"]
    shown = CliRunner().invoke(app, arguments, env={"COLUMNS": str(width)}).stdout
    assert "1234.56" in shown.split()
    assert "1111.22" in shown.split()
    assert ("1999.87" in shown.split()) != ("No room for: " in shown)
    for word in shown.split():
        cut = re.fullmatch(r"\d+\.\d?", word.strip("…"))
        assert not cut, f"a price that was cut: {word}"


def test_what_is_not_used_is_said_with_a_command_that_can_be_copied() -> None:
    Path("two words.csv").write_text(
        "SKU;Name;Price;WG;Popust\n1;Bread;1,20;12;10\n2;Milk;2,20;14;\n"
    )
    said = run("suggest", "two words.csv", "--out", "m.yaml").stdout
    assert 'not used: "WG": such as "12", "14"' in said
    assert "a discount in percent?" in said
    assert "esl mapping check m.yaml 'two words.csv'" in said
    told = json.loads(run("suggest", "two words.csv", "--json").stdout)
    assert told["unused"] == ["WG", "Popust"]
    assert told["questions"][0]["column"] == "Popust"
    assert told["unsure"] == ['column "Popust"']


def test_a_trial_is_also_given_to_programs() -> None:
    run("suggest", "Preise 2026.csv", "--out", "m.yaml")
    result = run("check", "m.yaml", "Preise 2026.csv", "--rows", "1", "--json")
    trial = json.loads(result.stdout)
    assert (trial["rows"], trial["products"], trial["rejected"]) == (20, 19, 1)
    assert trial["columns"]["price"] == "Verkaufspreis"
    first = {"row": "2", "sku": "1001", "gtin": "4006381333931", "name": "Käse"}
    assert trial["entries"] == [first | {"content": "250 g", "price": "2.49"}]
    assert {"field": "price", "rejects": True, "rows": 1} in trial["counts"]
    assert json.loads(run("check", "m.yaml", "--json").stdout)["name"] == "preise-2026"


def test_a_suggestion_is_also_given_to_programs_and_read_from_standard_input() -> None:
    result = run("suggest", "-", "--json", sent=LIST.encode())
    told = json.loads(result.stdout)
    by_target = {each["target"]: each for each in told["fields"]}
    assert by_target["price"]["sure"]
    assert by_target["price"]["column"] == "Verkaufspreis"
    assert told["unsure"] == []
    assert parse_mapping(told["mapping"]).name == told["name"] == "source"


def test_a_mapping_with_open_questions_is_refused_with_its_lines() -> None:
    Path("two.csv").write_text("sku;name;price 1;price 2\n1;Bread;1.20;1.30\n2;Milk;2.20;2.30\n")
    result = run("suggest", "two.csv", "--out", "two.yaml")
    assert result.exit_code == 0
    assert "Unsure: price" in result.stdout
    result = run("check", "two.yaml", "two.csv")
    assert result.exit_code == 1
    assert "/fields/price" in result.stderr
    assert "two.yaml: error: line " in result.stderr
    decided = Path("two.yaml").read_text().replace("price: null", 'price: "price 2"')
    Path("two.yaml").write_text(decided)
    result = run("check", "two.yaml", "two.csv")
    assert result.exit_code == 0
    assert "1.30" in result.stdout


def test_a_file_that_does_not_fit_the_mapping_is_refused_as_a_whole() -> None:
    run("suggest", "Preise 2026.csv", "--out", "m.yaml")
    Path("other.csv").write_text("sku;name\n1;Bread\n")
    result = run("check", "m.yaml", "other.csv")
    assert result.exit_code == 1
    assert "no column 'Verkaufspreis'" in result.stderr
    told = json.loads(run("check", "m.yaml", "other.csv", "--json").stdout)
    assert told["problems"][0]["path"].startswith("/fields/")


def test_a_list_of_which_no_row_can_be_taken_has_status_1() -> None:
    run("suggest", "Preise 2026.csv", "--out", "m.yaml")
    Path("bad.csv").write_text(LIST.splitlines()[0] + "\n1;;a;x;;\n2;;b;y;;\n")
    result = run("check", "m.yaml", "bad.csv")
    assert result.exit_code == 1
    assert "not one row could be taken" in result.stderr


def test_files_that_are_missing_or_no_lists_are_refused_in_words() -> None:
    assert isinstance(run("suggest", "nowhere.csv").exception, SetupError)
    assert isinstance(run("check", "nowhere.yaml").exception, SetupError)
    run("suggest", "Preise 2026.csv", "--out", "m.yaml")
    assert isinstance(run("check", "m.yaml", "nowhere.csv").exception, SetupError)
    Path("empty.csv").write_bytes(b"")
    empty = run("suggest", "empty.csv")
    assert empty.exit_code == 1
    assert "empty.csv: error: the file is empty" in empty.stderr
    Path("latin.yaml").write_bytes(b"name: \xe4\xff\n")
    assert isinstance(run("check", "latin.yaml").exception, InvalidInput)
    refused = run("check", "m.yaml", "Preise 2026.csv", "--currency", "XXX").exception
    assert isinstance(refused, InvalidInput)


def test_the_schema_is_printed_for_editors() -> None:
    assert run("schema").stdout == schema_text()
