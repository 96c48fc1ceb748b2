"""Settings of sources of files: read, and refused with the name of each that is wrong."""

from pathlib import Path
from typing import Any

import pytest

from api.listeners.folders.folder import Found
from api.listeners.folders.ready import Readiness
from api.listeners.folders.rules import FolderRules, PickUp, check_folder_settings, read_rules
from api.listeners.folders.texts import error_text, result_text
from esl.domain.errors import InvalidInput
from esl.domain.ids import SourceId
from esl.domain.import_job import ImportMode, ReportLine
from esl.domain.source import Source, SourceKind
from esl.services.import_results import OnShelf, ResultRow
from esl.settings import Settings


def source(settings: dict[str, str], **more: Any) -> Source:
    fields: dict[str, Any] = {
        "source_id": SourceId("till"),
        "name": "Till",
        "kind": SourceKind.HOT_FOLDER,
        "mapping": "plain",
        "settings": {"folder": "till"} | settings,
    }
    return Source(**(fields | more))


def refused(found: Source, settings: Settings) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        check_folder_settings(found, settings)
    assert all(problem.fix for problem in caught.value.problems)
    return {problem.path for problem in caught.value.problems}


def test_settings_are_read_and_have_usual_values(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    plain = source({})
    check_folder_settings(plain, settings)
    assert read_rules(plain) == FolderRules(folder="till")
    said = source(
        {
            "pattern": "*.CSV",
            "pickup": "trigger",
            "stable_s": "3",
            "mode": "full",
            "results": "false",
            "every_s": "60",
            "store_from": "p_{store}.csv",
            "store.7": "pula",
        },
        accepts_full=True,
    )
    check_folder_settings(said, settings)
    rules = read_rules(said)
    assert (rules.pickup, rules.mode, rules.results) == (PickUp.TRIGGER, ImportMode.FULL, False)
    assert (rules.every.total_seconds(), rules.stable.total_seconds()) == (60, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pickup", "soon"),
        ("mode", "FULL"),
        ("results", "yes"),
        ("every_s", "0"),
        ("every_s", "1e3"),
        ("every_s", "-5"),
        ("every_s", "٣"),
        ("every_s", "9" * 500),
        ("stable_s", "10.5"),
        ("stable_s", "3601"),
        ("pattern", "a/b"),
        ("pattern", "*a*a*a*a*a*a*"),
        ("pattern", "x" * 201),
        ("pattern", "a\nb"),
        ("folder", "../outside"),
        ("folder", "a/../b"),
        ("folder", "a\x00b"),
        ("folder", "/etc"),
        ("folder", "/nowhere/at/all"),
        ("foldre", "till"),
        ("mode", "full"),  # of a source that does not send complete lists
    ],
)
def test_a_setting_that_is_wrong_is_named_with_a_fix(tmp_path: Path, name: str, value: str) -> None:
    assert refused(source({name: value}), Settings(data_dir=tmp_path)) == {f"/settings/{name}"}


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong = source({"folder": "", "pickup": "x", "y": "z"}, mapping=None)
    paths = {"/mapping", "/settings/folder", "/settings/pickup", "/settings/y"}
    assert refused(wrong, Settings(data_dir=tmp_path)) == paths


def test_a_folder_below_a_root_of_the_operator_must_be_there(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    settings = Settings(data_dir=tmp_path / "data", hot_folder_roots=[share])
    there = source({"folder": str(share / "till")})
    assert refused(there, settings) == {"/settings/folder"}
    (share / "till").mkdir()
    check_folder_settings(there, settings)
    (share / "out").symlink_to("/etc")
    assert refused(source({"folder": str(share / "out")}), settings) == {"/settings/folder"}


@pytest.mark.parametrize(
    "name",
    [
        *(".hidden.csv", "p.csv.tmp", "p.csv.PART", "p.csv~", "p.csv.filepart", "p.txt"),
        *("p.csv.result.csv", "p.csv.error.txt", "p.csv.note.txt", "done", "rejected", "p.csv\n"),
    ],
)
def test_names_of_unfinished_files_and_our_own_are_not_wanted(name: str) -> None:
    readiness = Readiness(FolderRules(pattern="*.csv", pickup=PickUp.RENAME), lambda: 0.0)
    assert not readiness.is_wanted(name)
    assert readiness.is_wanted("P.CSV")


def test_a_trigger_that_stayed_does_not_make_the_next_file_ready() -> None:
    readiness = Readiness(FolderRules(pickup=PickUp.TRIGGER), lambda: 0.0)
    first = Found(name="p.csv", size_bytes=1, modified_ns=10)
    second = Found(name="p.csv", size_bytes=2, modified_ns=30)
    trigger = Found(name="p.csv.ok", size_bytes=0, modified_ns=20)
    readiness._triggers = {trigger.name: trigger}
    assert readiness.trigger_is_newer(first)
    assert not readiness.trigger_is_newer(second)


@pytest.mark.asvs("1.2.10")
def test_no_cell_of_a_result_is_a_formula_and_no_row_has_more_than_one_line() -> None:
    line = ReportLine(
        row=7,
        decision="rejected",
        field="name",
        reason="=HYPERLINK(1)\nis no name. Mend it.",
        fix="Mend it.",
    )
    rows = [ResultRow(line=line, shelf=OnShelf(failed=1, why=["@label x;y"]))]
    text, is_whole = result_text("taken", "-1 rows", rows)
    header, whole, row, end = text.decode().split("\r\n")
    assert header.startswith("row;sku;decision;field;reason;fix;labels;shown;failed;why")
    assert whole.split(";")[4] == "'-1 rows"
    assert row == "7;;rejected;name;'=HYPERLINK(1) is no name.;Mend it.;1;0;1;\"'@label x;y\";"
    assert (end, is_whole) == ("", True)


def test_an_error_file_says_what_to_do() -> None:
    lines = [ReportLine(row=n, decision="rejected", field="price", reason=f"r{n}") for n in (3, 4)]
    said = error_text("p.csv", "None of its 2 rows can be taken.", None, lines).decode()
    assert "p.csv was not taken." in said
    assert "row 3, price: r3" in said
    assert "put the file into the folder again" in said
