"""Result files beside the input: from the row of a list to the glass on the shelf."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esl.domain.guards import Guards
from esl.domain.ids import Sku
from esl.domain.import_job import ImportMode
from esl.domain.quarantine import QuarantineState
from esl.services import guarding, quarantine
from esl.store import quarantine as held_rows
from tests.builders import GATEWAY, Controller, FakeGateway, build_shelf
from tests.folder_rig import MAIN, Rig, rig_on
from tests.folders import lies_in, put, result_of
from tests.imports import TOTALLED

OVER_POLICY_S = 2 * 86_400.0


@pytest.fixture(params=["sqlite", "postgresql"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    url = f"sqlite:///{tmp_path}/esl.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    with rig_on(tmp_path / "data", url) as opened:
        opened.prepare()
        yield opened


def test_a_result_follows_each_row_to_the_shelf_and_says_which_label_failed(rig: Rig) -> None:
    rig.writer.write(lambda tx: build_shelf(tx, labels_count=3, store_id=MAIN))
    shop = Controller(rig.database, rig.machine, writer=rig.writer)
    gateway = FakeGateway(GATEWAY, rig.machine)
    shop.hear(gateway.hello())
    for picture in gateway.obey(shop.dispatcher.step().outgoing):
        shop.hear(gateway.paint(picture))
    folder = rig.folder("till")
    list_path = put(
        folder, "p.csv", {f"sku-{n}": f"{n + 2}.00" for n in range(3)} | {"no-label": "9.00"}
    )
    pickup = rig.pickup("till")
    pickup.step()

    def shelf() -> dict[str, tuple[str, str, str, str]]:
        found = result_of(list_path)
        return {r["sku"]: (r["labels"], r["shown"], r["failed"], r["why"]) for r in found[1:]}

    pending = ("1", "0", "0", "")
    assert shelf() == {
        "sku-0": pending,
        "sku-1": pending,
        "sku-2": pending,
        "no-label": ("0", "0", "0", ""),
    }

    first, second, _ = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.paint(first))
    shop.hear(gateway.fail(second, "panel_unknown"))
    rig.machine.pass_s(60)
    pickup.step()
    shown = shelf()
    assert sorted(row[1] for row in shown.values()) == ["0", "0", "0", "1"]

    rig.machine.pass_s(OVER_POLICY_S)
    pickup.step()
    last = shelf()
    assert sorted(row[1:3] for row in last.values()) == [
        ("0", "0"),
        ("0", "1"),
        ("0", "1"),
        ("1", "0"),
    ]
    assert all("label-" in row[3] for row in last.values() if row[2] == "1")
    written = list_path.with_name("p.csv.result.csv").stat().st_mtime_ns
    rig.machine.pass_s(3600)
    pickup.step()
    assert list_path.with_name("p.csv.result.csv").stat().st_mtime_ns == written
    pickup.close()


def test_a_newer_file_of_the_same_name_keeps_its_own_result(rig: Rig) -> None:
    rig.writer.write(lambda tx: build_shelf(tx, labels_count=1, store_id=MAIN))
    folder = rig.folder("till")
    first = put(folder, "p.csv", {"sku-0": "2.00"})
    pickup = rig.pickup("till")
    pickup.step()
    assert result_of(first)[1]["sku"] == "sku-0"
    put(folder, "p.csv", {"other": "3.00"})
    pickup.step()
    rig.machine.pass_s(OVER_POLICY_S)
    pickup.step()
    assert [row["sku"] for row in result_of(first)] == ["", "other"]
    assert lies_in(folder / "done") == ["p.2.csv", "p.csv"]
    pickup.close()


def test_a_result_learns_what_a_person_makes_of_what_was_held_back(rig: Rig) -> None:
    rig.writer.write(lambda tx: build_shelf(tx, labels_count=1, store_id=MAIN))
    rig.writer.write(
        lambda tx: guarding.put_guards(tx, MAIN, Guards(), rig.machine.at, actor="t", reason="")
    )
    folder = rig.folder("till")
    skus = ("sku-0", "sku-1", "sku-2", "sku-3")
    put(folder, "first.csv", dict.fromkeys(skus, "2.00"))
    pickup = rig.pickup("till")
    pickup.step()
    dear = put(folder, "dear.csv", dict.fromkeys(skus, "20.00"))
    pickup.step()

    def said() -> dict[str, tuple[str, str]]:
        return {r["sku"]: (r["decision"], r["labels"]) for r in result_of(dear)[1:]}

    assert said() == dict.fromkeys(skus, ("quarantined", ""))
    with rig.database.read() as tx:
        waiting = held_rows.list_held(tx, MAIN, state=QuarantineState.OPEN, after=0, limit=9)
    numbers = {held.sku: held.quarantine_id for held in waiting}
    approved, rejected = [numbers[Sku("sku-0")], numbers[Sku("sku-1")]], [numbers[Sku("sku-2")]]
    now = rig.machine.at
    rig.writer.write(lambda tx: quarantine.approve(tx, MAIN, approved, now, by="ana"))
    rig.writer.write(lambda tx: quarantine.reject(tx, MAIN, rejected, now, by="ana"))
    rig.machine.pass_s(60)
    pickup.step()
    assert said() == {
        "sku-0": ("accepted", "1"),
        "sku-1": ("accepted", "0"),
        "sku-2": ("rejected", ""),
        "sku-3": ("quarantined", ""),
    }
    assert result_of(dear)[1]["reason"] == "held back, and approved by a person"
    last = [numbers[Sku("sku-3")]]
    rig.writer.write(lambda tx: quarantine.approve(tx, MAIN, last, now, by="ana"))
    rig.machine.pass_s(60)
    pickup.step()
    assert said()["sku-3"] == ("accepted", "0"), "it was looked at on"
    pickup.close()


def test_a_wrong_trailer_applies_nothing_and_the_result_says_so(rig: Rig) -> None:
    rig.save_mapping("totalled", TOTALLED)
    folder = rig.folder("till", mapping="totalled")
    bad = put(folder, "t.csv", b"D,A,1.00,Apple\nD,B,2.00,Bread\nT,3,3.00\n")
    pickup = rig.pickup("till")
    pickup.step()
    assert lies_in(folder / "rejected") == ["t.csv", "t.csv.error.txt"]
    whole, *why = result_of(bad)
    assert whole["decision"] == "not_taken"
    assert any("3" in row["reason"] for row in why)
    assert rig.price("A") is None

    good = put(folder, "t.csv", b"D,A,1.00,Apple\nD,B,2.00,Bread\nT,2,3.00\n")
    pickup.step()
    assert result_of(good)[0]["decision"] == "taken"
    assert rig.price("B") == 200
    pickup.close()


def test_a_complete_list_retires_what_it_leaves_out(rig: Rig) -> None:
    folder = rig.folder("till", mode=ImportMode.FULL.value)
    put(folder, "1.csv", {"A": "1.00", "B": "2.00"})
    put(folder, "2.csv", {"A": "1.00"})
    pickup = rig.pickup("till")
    pickup.step()
    pickup.close()
    assert (rig.price("A"), rig.price("B")) == (100, None)
