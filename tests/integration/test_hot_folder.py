"""Hot folders in a whole house: files put as tills put them, and what becomes of them."""

import os
from collections.abc import Iterator

import pytest

from tests.folders import hot_folder, lies_in, prepare, price, put, result_of, until
from tests.running_house import RunningHouse, running_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("hot"), with_worker=True) as running:
        prepare(running, "main", "pula")
        yield running


def test_a_list_that_is_put_becomes_prices_and_lies_in_done(house: RunningHouse) -> None:
    folder = hot_folder(house, "simple")
    put(folder, "prices.csv", {"S-1": "1.99", "S-2": "2.49"})

    until(lambda: lies_in(folder / "done"), ["prices.csv"])
    assert lies_in(folder) == ["done", "prices.csv.result.csv"]
    assert price(house, "S-1") == 199
    rows = result_of(folder / "prices.csv")
    assert [(r["row"], r["sku"], r["decision"]) for r in rows] == [
        ("0", "", "taken"),
        ("2", "S-1", "accepted"),
        ("3", "S-2", "accepted"),
    ]


def test_each_folder_within_a_folder_is_a_stores_own(house: RunningHouse) -> None:
    settings = {"subfolders": "true", "store_from": "{store}/*.csv", "store.0007": "pula"}
    top = hot_folder(house, "chain", settings, store=None)
    for name, files in {"main": "one.csv", "0007": "one.csv", "nobodys": "two.csv"}.items():
        (top / name).mkdir()
        put(top / name, files, {"SUB-1": "1.11"})  # the same bytes, for each store
    (top / "link").symlink_to(top / "main")
    (top / ".hidden").mkdir()
    put(top / ".hidden", "three.csv", {"SUB-3": "3.33"})

    for name in ("main", "0007"):
        until(lambda name=name: lies_in(top / name / "done"), ["one.csv"])
        assert result_of(top / name / "one.csv")[0]["decision"] == "taken"
    until(lambda: lies_in(top / "nobodys/rejected"), ["two.csv", "two.csv.error.txt"])
    assert "store" in (top / "nobodys/rejected/two.csv.error.txt").read_text("utf-8")
    held = house.read("SELECT store_id, price_minor FROM price WHERE sku = 'SUB-1' ORDER BY 1")
    assert held == [("main", 111), ("pula", 111)]
    assert lies_in(top / ".hidden") == ["three.csv"]
    assert "done" not in lies_in(top)

    (top / "late").mkdir()  # a folder that comes, and one that goes
    put(top / "late", "four.csv", {"SUB-4": "4.44"})
    until(lambda: lies_in(top / "late/rejected"), ["four.csv", "four.csv.error.txt"])
    put(top / "main", "one.csv", {"SUB-1": "1.12"})
    until(lambda: lies_in(top / "main" / "done"), ["one.2.csv", "one.csv"])
    house.done("PUT", "/api/v1/sources/chain", _switched_off(settings))


def test_a_folder_within_one_that_is_worked_on_with_its_folders_is_nobody_elses(
    house: RunningHouse,
) -> None:
    hot_folder(house, "wide", {"subfolders": "true", "store_from": "{store}/*.csv"}, store=None)
    inner = hot_folder(house, "narrow", {"folder": "wide/main"})
    (inner.parent / "wide/main").mkdir()
    put(inner.parent / "wide/main", "w.csv", {"W-1": "1.00"})
    until(lambda: lies_in(inner.parent / "wide/main/done"), ["w.csv"])
    until(lambda: len(_problems(house, "its folder is that of the source wide")), 1)


def _switched_off(settings: dict[str, str]) -> dict[str, object]:
    return {
        "name": "chain", "kind": "hot_folder", "mapping": "plain", "disabled": True,
        "settings": {"folder": "chain"} | settings,
    }  # fmt: skip


def test_a_list_that_cannot_be_believed_is_rejected_in_words_and_blocks_nobody(
    house: RunningHouse,
) -> None:
    folder = hot_folder(house, "mixed")
    put(folder, "1-broken.csv", b"sku;price\nno such columns\n")
    put(folder, "2-empty.csv", b"")
    put(folder, "3-good.csv", {"M-1": "3.99"})
    put(folder, "4-worthless.csv", {"M-2": "no price"})

    until(lambda: lies_in(folder / "done"), ["3-good.csv"])
    wanted = [
        f"{name}{ending}"
        for name in ("1-broken.csv", "2-empty.csv", "4-worthless.csv")
        for ending in ("", ".error.txt")
    ]
    until(lambda: lies_in(folder / "rejected"), wanted)
    said = (folder / "rejected/1-broken.csv.error.txt").read_text("utf-8")
    assert "was not taken" in said
    assert "name" in said  # the column that is missing
    assert "empty" in (folder / "rejected/2-empty.csv.error.txt").read_text("utf-8")
    assert "row 2, price: " in (folder / "rejected/4-worthless.csv.error.txt").read_text("utf-8")
    assert price(house, "M-1") == 399
    whole, *why = result_of(folder / "1-broken.csv")
    assert whole["decision"] == "not_taken"
    assert {(row["row"], row["decision"]) for row in why} == {("0", "rejected")}
    assert all(row["reason"] and row["fix"] for row in why)
    until(lambda: len(_problems(house, "of mixed was rejected: ")), 3)
    put(folder, "2-empty.csv", {"M-3": "3.99"})
    until(lambda: len(_problems(house, "of mixed was rejected: ")), 2)


def test_rows_that_are_refused_are_told_with_the_fix_and_the_others_hold(
    house: RunningHouse,
) -> None:
    folder = hot_folder(house, "partly")
    put(folder, "p.csv", {"P-1": "1.00", "P-2": "1.0x", "=1+1": "2.00"})

    until(lambda: lies_in(folder / "done"), ["p.csv"])
    rows = {r["row"]: r for r in result_of(folder / "p.csv")}
    assert rows["0"]["decision"] == "taken"
    assert rows["2"]["decision"] == "accepted"
    assert (rows["3"]["decision"], rows["3"]["field"]) == ("rejected", "price")
    assert rows["3"]["reason"]
    assert rows["3"]["fix"]
    assert not any(value.startswith("=") for r in rows.values() for value in r.values())
    assert rows["4"]["decision"] == "rejected"


def test_the_same_bytes_again_are_not_read_again_but_hold_after_another_price(
    house: RunningHouse,
) -> None:
    folder = hot_folder(house, "again")
    put(folder, "a.csv", {"A-1": "1.99"})
    until(lambda: lies_in(folder / "done"), ["a.csv"])

    put(folder, "b.csv", {"A-1": "1.99"})
    until(lambda: lies_in(folder / "done"), ["a.csv", "b.csv", "b.csv.note.txt"])
    assert _jobs(house, "again") == 1
    assert result_of(folder / "b.csv")[0]["decision"] == "unchanged"

    change = {"sku": "A-1", "price": "2.49", "source": "again"}
    house.done("POST", "/api/v1/stores/main/price-changes", change)
    assert price(house, "A-1") == 249
    put(folder, "c.csv", {"A-1": "1.99"})  # the till says again what holds
    until(lambda: price(house, "A-1"), 199)
    assert _jobs(house, "again") == 2


def test_a_file_that_failed_is_taken_when_it_is_put_again(house: RunningHouse) -> None:
    later = b"name: later\nformat: csv\nfields: {sku: sku, name: name, price: cost}\n"
    assert house.ask("PUT", "/api/v1/mappings/later", content=later).is_success
    folder = hot_folder(house, "retry", mapping="later")
    put(folder, "r.csv", {"R-1": "1.99"})
    until(lambda: lies_in(folder / "rejected"), ["r.csv", "r.csv.error.txt"])

    mended = later.replace(b"cost", b"price")
    assert house.ask("PUT", "/api/v1/mappings/later", content=mended).is_success
    (folder / "rejected/r.csv").rename(folder / "r.csv")  # as a person does, with its old time
    until(lambda: lies_in(folder / "done"), ["r.csv"])
    assert price(house, "R-1") == 199


def test_one_source_serves_many_stores_by_the_names_of_its_files(house: RunningHouse) -> None:
    settings = {"store_from": "prices_{store}_*.csv", "store.0007": "pula"}
    folder = hot_folder(house, "chain", settings, store=None)
    put(folder, "prices_0007_1.csv", {"C-1": "1.00"})
    put(folder, "prices_main_1.csv", {"C-1": "2.00"})
    put(folder, "prices_nowhere_1.csv", {"C-1": "3.00"})
    put(folder, "others.csv", {"C-1": "4.00"})

    until(lambda: lies_in(folder / "done"), ["prices_0007_1.csv", "prices_main_1.csv"])
    until(lambda: len(lies_in(folder / "rejected")), 4)
    assert (price(house, "C-1", "pula"), price(house, "C-1")) == (100, 200)
    said = (folder / "rejected/prices_nowhere_1.csv.error.txt").read_text("utf-8")
    assert "names no store" in said


def test_a_trigger_makes_a_list_ready_and_is_taken_away(house: RunningHouse) -> None:
    folder = hot_folder(house, "triggered", {"pickup": "trigger"})
    put(folder, "t.csv", {"T-1": "1.00"})
    put(folder, "u.csv", {"T-2": "1.00"})
    put(folder, "u.csv.OK", b"")

    until(lambda: lies_in(folder / "done"), ["u.csv"])
    assert lies_in(folder) == ["done", "t.csv", "u.csv.result.csv"]
    put(folder, "t.csv.trg", b"")
    until(lambda: lies_in(folder / "done"), ["t.csv", "u.csv"])


def test_a_folder_that_goes_away_is_a_problem_until_it_is_back(house: RunningHouse) -> None:
    folder = hot_folder(house, "moved")
    share = folder.parent / "share"
    share.mkdir()
    outside = folder.parent.parent / "elsewhere"
    outside.mkdir()
    folder.rmdir()
    folder.symlink_to(outside)  # below no root
    until(lambda: len(_problems(house, "moved is below none of the folders")), 1)

    put(outside, "secret.csv", {"X-1": "1.00"})
    folder.unlink()
    folder.symlink_to(share)
    put(share, "s.csv", {"X-2": "1.00"})
    until(lambda: lies_in(share / "done"), ["s.csv"])
    until(lambda: _problems(house, "below none of the folders"), [])
    assert lies_in(outside) == ["secret.csv"]


def test_a_folder_that_two_sources_name_is_of_one_of_them(house: RunningHouse) -> None:
    folder = hot_folder(house, "first-of-two")
    hot_folder(house, "another-of-two", {"folder": "./first-of-two/"})
    until(lambda: len(_problems(house, "its folder is that of the source first-of-two")), 1)
    put(folder, "p.csv", {"TWO": "1.00"})
    until(lambda: lies_in(folder / "done"), ["p.csv"])
    assert (_jobs(house, "first-of-two"), _jobs(house, "another-of-two")) == (1, 0)


def test_hostile_names_and_things_that_are_no_files_hurt_nobody(house: RunningHouse) -> None:
    folder = hot_folder(house, "hostile")
    long = "l" * 251 + ".csv"
    names = ["two\nlines.csv", "-rf.csv", "..csv.csv", long, "Ω€.csv", "=cmd.csv", "a b;c'd\".csv"]
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "link.csv").symlink_to("/etc/passwd")
    (folder / "dangling.csv").symlink_to("nowhere")
    for number, name in enumerate(names):
        put(folder, name, {f"H-{number}": "1.00"})
    latin = os.fsdecode(b"latin-\xe9.csv")
    put(folder, latin, {"H-raw": "1.00"})

    wanted = sorted([*(name for name in names if not name.startswith(".")), latin])
    until(lambda: lies_in(folder / "done"), wanted)
    left = [name for name in lies_in(folder) if not name.endswith(".result.csv")]
    assert left == sorted(
        ["..csv.csv", "dangling.csv", "done", "folder.csv", "link.csv", "pipe.csv"]
    )
    assert price(house, "H-raw") == 100
    assert price(house, "H-3") == 100


def _problems(house: RunningHouse, words: str) -> list[str]:
    """List the open problems in whose reason some words stand."""
    found = house.done("GET", "/api/v1/stores/main/problems")["problems"]
    return [one["reason"] for one in found if words in one["reason"]]


def _jobs(house: RunningHouse, source: str) -> int:
    return int(house.read("SELECT count(*) FROM import_job WHERE source = ?", source)[0][0])
