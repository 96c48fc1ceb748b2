"""What did shelf 12 show at 14:03: the answer, its proof offline, and who did what."""

import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from api.audit.files import AuditFolder
from api.audit.proof import verifier
from api.private_files import RuntimeFile, runtime_file
from esl.domain.ids import Digest, PanelId
from esl.store import frames
from esl.store.frames import StoredFrame
from esl.store.tables import display_log, issued
from tests.history import allow_changes
from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

PROJECT = Path(__file__).resolve().parents[2]
LABEL = "/api/v1/labels/l-1"
PANEL = PanelId("bwry-296x128")


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A label that was told three pictures and reported two of them, at known moments."""

    shop: RunningHouse
    now: datetime
    digests: tuple[str, ...]
    revs: tuple[int, ...]

    def sent(self, n: int) -> datetime:
        return self.now - timedelta(minutes=30 - 10 * n)

    def reported(self, n: int) -> datetime:
        return self.sent(n) + timedelta(seconds=20)

    def shown(self, at: datetime) -> dict[str, Any]:
        found: dict[str, Any] = self.shop.done("GET", f"{LABEL}/shown", at=text(at))
        return found

    def bundle(self, at: datetime) -> bytes:
        answer = self.shop.ask("GET", f"{LABEL}/shown/bundle", at=text(at))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/zip"
        return answer.content

    def seal(self) -> None:
        keeper = self.shop.house.audit
        keeper._sealing.seal_all()
        keeper.checkpoint()


@pytest.fixture(scope="module")
def shelf(shop: RunningHouse) -> Shelf:
    now = datetime.now(UTC)
    panel = shop.house.panels.named(PANEL)
    pixels = [bytes([n]) * panel.frame_bytes for n in (0, 85, 170)]
    digests = tuple(sha256(one).hexdigest() for one in pixels)
    price = shop.read("SELECT max(rev) FROM price_event WHERE sku = '1001'")[0][0]
    made = Shelf(shop, now, digests, (price, price + 1, price + 2))

    def fill(tx: Connection) -> None:
        long_ago = now - timedelta(days=1)
        tx.exec_driver_sql("UPDATE pairing SET paired_at = ?", (str(long_ago)[:26],))
        stored = {
            Digest(d): StoredFrame(panel_id=PANEL, data=zlib.compress(p))
            for d, p in zip(digests, pixels, strict=True)
        }
        frames.keep_frames(tx, stored, now)
        for n, rev in enumerate(made.revs):
            told = {"label_id": "l-1", "rev": rev, "digest": digests[n], "gateway_id": "gw-1"}
            sent = {"template": "standard", "issued_at": made.sent(n)}
            tx.execute(insert(issued).values(**told, **sent))
            if n < 2:
                said = {"incarnation": 1, "session": "s", "recorded_at": made.reported(n)}
                tx.execute(insert(display_log).values(**told, **said))

    shop.write(fill)
    made.seal()
    return made


def test_between_two_reports_it_is_certain(shelf: Shelf) -> None:
    found = shelf.shown(shelf.reported(0) + timedelta(minutes=3))
    assert found["certainty"] == "reported"
    shown = found["shown"]
    assert (shown["rev"], shown["digest"]) == (shelf.revs[0], shelf.digests[0])
    assert (shown["gateway"], shown["template"]) == ("gw-1", "standard")
    assert found["shown_from"] == {
        "not_before": text(shelf.sent(0)),
        "not_after": text(shelf.reported(0)),
    }
    assert found["shown_until"] == {
        "not_before": text(shelf.sent(1)),
        "not_after": text(shelf.reported(1)),
    }
    assert (found["maybe"], found["may_be_pruned"]) == ([], False)
    [price] = shown["prices"]
    assert (price["sku"], price["price"], price["currency"]) == ("1001", "1.29", "EUR")
    assert shown["chain"]["record"] == shown["record"]
    assert shown["published"] is None, "nobody published it: the tests wrote it down"
    assert shown["checkpoint"]["number"] >= shown["chain"]["block"]
    picture = shelf.shop.ask("GET", shown["picture"])
    assert picture.content.startswith(b"\x89PNG")


def test_between_sent_and_reported_either_may_hang(shelf: Shelf) -> None:
    found = shelf.shown(shelf.sent(1) + timedelta(seconds=5))
    assert found["certainty"] == "between"
    assert found["shown"]["digest"] == shelf.digests[0]
    assert [one["digest"] for one in found["maybe"]] == [shelf.digests[1]]
    late = shelf.shown(shelf.sent(2) + timedelta(minutes=5))
    assert late["certainty"] == "between", "the third was never reported"
    assert late["shown"]["digest"] == shelf.digests[1]


def test_before_its_first_report_nothing_is_known(shelf: Shelf) -> None:
    found = shelf.shown(shelf.sent(0) - timedelta(hours=1))
    assert (found["certainty"], found["shown"]) == ("unknown", None)
    assert found["shown_until"]["not_after"] == text(shelf.reported(0))
    nothing = text(shelf.sent(0) - timedelta(hours=1))
    check_problem(shelf.shop.ask("GET", f"{LABEL}/shown/bundle", at=nothing), 404)
    ages = shelf.shown(shelf.now - timedelta(days=500))
    assert ages["may_be_pruned"]


def test_a_price_of_a_product_that_was_paired_later_is_unknown(shelf: Shelf) -> None:
    def pair(tx: Connection, at: datetime) -> None:
        tx.exec_driver_sql("UPDATE pairing SET paired_at = ?", (str(at)[:26],))

    shelf.shop.write(lambda tx: pair(tx, shelf.now))
    [price] = shelf.shown(shelf.reported(0) + timedelta(minutes=3))["shown"]["prices"]
    assert (price["price"], price["why_unknown"]) == (None, "it was paired later")
    shelf.shop.write(lambda tx: pair(tx, shelf.now - timedelta(days=1)))


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-03-01", "2026-03-01T10:00:00", "2999-01-01T00:00:00Z", "", "\0"]
)
def test_a_moment_that_is_none_is_refused_by_its_name(shelf: Shelf, at: str) -> None:
    answer = shelf.shop.ask("GET", f"{LABEL}/shown", at=at)
    check_problem(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "/at"


def test_what_is_not_sealed_yet_says_so(shelf: Shelf, script: Path) -> None:
    at = shelf.now + timedelta(microseconds=1)
    said = {"label_id": "l-2", "rev": 99, "digest": shelf.digests[0], "gateway_id": "gw-1"}
    more = {"incarnation": 1, "session": "s", "recorded_at": at}
    shelf.shop.write(lambda tx: tx.execute(insert(display_log).values(**said, **more)) and None)
    found = shelf.shop.done("GET", "/api/v1/labels/l-2/shown")
    assert (found["shown"]["chain"], found["shown"]["checkpoint"]) == (None, None)
    made = shelf.shop.ask("GET", "/api/v1/labels/l-2/shown/bundle").content
    ran = run_verifier(script, made)
    assert ran.returncode == 0, ran.stderr
    assert "NOT SEALED YET" in ran.stdout


# ── The bundle ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script alone in a folder: nothing of ours can be imported there."""
    path = tmp_path_factory.mktemp("alone") / "verify_proof.py"
    path.write_bytes(verifier())
    return path


def run_verifier(script: Path, made: bytes, *more: str) -> Any:
    file = script.with_name("proof.zip")
    file.write_bytes(made)
    return subprocess.run(
        [sys.executable, "-I", str(script), str(file), *more],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_bundle_is_verified_by_a_script_alone(shelf: Shelf, script: Path) -> None:
    made = shelf.bundle(shelf.reported(0) + timedelta(minutes=3))
    key = shelf.shop.house.key.public_key.hex()
    for known in ((), (key,)):
        ran = run_verifier(script, made, *known)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "sealed in the chain" in ran.stdout
        assert "no signature of the payload that told it so is kept" in ran.stdout
        assert json.loads(ran.stdout.partition("\n")[2])["shown"]["digest"] == shelf.digests[0]
    ran = run_verifier(script, made, "ab" * 32)
    assert ran.returncode == 1
    assert "another key" in ran.stderr


NAMES = [
    *("statement.json", "statement.sig", "public_key.txt", "records.json", "frame.bin"),
    *("picture.png", "verify_proof.py"),
]


def test_the_bundle_holds_what_it_should(shelf: Shelf) -> None:
    with zipfile.ZipFile(io.BytesIO(shelf.bundle(shelf.reported(1)))) as made:
        assert sorted(made.namelist()) == sorted(NAMES)
        assert sha256(made.read("frame.bin")).hexdigest() == shelf.digests[1]
        records = json.loads(made.read("records.json"))
        assert [json.loads(one["record"])[0] for one in records] == [3, 2]


def _first_digit(data: bytes) -> bytes:
    place = next((n for n, one in enumerate(data) if chr(one) in "0123456789"), 0)
    return data[:place] + (b"7" if data[place : place + 1] != b"7" else b"8") + data[place + 1 :]


def _middle_bit(data: bytes) -> bytes:
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _gone(_: bytes) -> None:
    return None


@pytest.mark.parametrize("how", [_first_digit, _middle_bit, _gone])
@pytest.mark.parametrize("name", NAMES)
def test_tampering_with_any_file_of_a_bundle_is_found(
    shelf: Shelf, script: Path, name: str, how: Callable[[bytes], bytes | None]
) -> None:
    changed = rebuilt(shelf.bundle(shelf.reported(0) + timedelta(minutes=3)), {name: how})
    ran = run_verifier(script, changed)
    assert ran.returncode == 1, ran.stdout
    assert ran.stderr.startswith("NOT PROVEN: "), ran.stderr


def rebuilt(made: bytes, changes: dict[str, Callable[[bytes], bytes | None]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = changes.get(name, bytes)(old.read(name))
            if data is not None:
                new.writestr(name, data)
    return out.getvalue()


def test_a_file_put_into_a_bundle_is_found(shelf: Shelf, script: Path) -> None:
    made = io.BytesIO(shelf.bundle(shelf.reported(0)))
    with zipfile.ZipFile(made, "a") as more:
        more.writestr("README.txt", "believe me")
    assert run_verifier(script, made.getvalue()).returncode == 1


def test_the_document_holds_the_script_as_it_is() -> None:
    document = (PROJECT / "docs" / "proof.md").read_text(encoding="utf-8")
    assert verifier().decode() in document


# ── Shelf = till ──────────────────────────────────────────────────────────────────────────


def test_shelves_are_compared_with_the_till_as_json_and_as_a_sheet_to_walk_with(
    shelf: Shelf, command: Callable[..., Any], tmp_path: Path
) -> None:
    shop = shelf.shop
    path = "/api/v1/stores/main/shelf-report"

    def show(tx: Connection) -> None:
        tx.exec_driver_sql(
            "UPDATE label SET shown_rev = ?, sent_rev = ?, wanted_rev = ?, settled_rev = ?",
            (shelf.revs[0], shelf.revs[0], shelf.revs[0] + 1, shelf.revs[0]),
        )
        tx.exec_driver_sql("UPDATE price SET price_minor = 119 WHERE sku = '1001'")

    shop.write(show)
    found = shop.done("GET", path)
    assert found["all"] == {
        "checked": 1,
        "right": 0,
        "overcharges": 0,
        "undercharges": 1,
        "unverified": 0,
        "percent_right": "0.00",
        "passes": False,
    }
    [wrong] = found["wrong"]
    assert (wrong["shelf"], wrong["till"], wrong["difference"]) == ("1.29", "1.19", "-0.10")
    assert found["sample"]["items"] == [wrong]
    sheet = shop.ask("GET", path, sample=100, seed=7, format="csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    head, line = sheet.text.split("\r\n")[:2]
    assert head.startswith("label,sku,name,category,place,shelf,till,difference")
    assert line.startswith("l-1,1001,Kruh,,,1.29,1.19,-0.10,EUR,undercharge")
    for bad in ({"sample": 70}, {"seed": -1}, {"seed": 2**53}, {"format": "xml"}, {"x": 1}):
        check_problem(shop.ask("GET", path, **bad), 422)
    with operated(shop):
        data = str(shop.house.settings.data_dir)
        ran = command("shelf-report", "-o", tmp_path / "walk.csv", ESL_DATA_DIR=data)
        assert ran.status == 0, ran.stderr
        assert "0.00 % of 1 right, 0 overcharge(s), 1 undercharge(s)" in ran.stdout
        assert (tmp_path / "walk.csv").read_text().count("undercharge") == 1
        at = text(shelf.reported(0) + timedelta(minutes=3))
        ran = command("proof", "l-1", "--at", at, "-o", tmp_path / "p.zip", ESL_DATA_DIR=data)
        assert ran.status == 0, ran.stderr
        with zipfile.ZipFile(tmp_path / "p.zip") as made:
            assert sorted(made.namelist()) == sorted(NAMES)
        ran = command("proof", "l-1", "--at", at, ESL_DATA_DIR=data)
        assert json.loads(ran.stdout)["shown"]["digest"] == shelf.digests[0]
        ran = command("audit", "list", "--json", ESL_DATA_DIR=data)
        assert json.loads(ran.stdout)[0]["id"]
        ran = command("audit", "list", "--actor", "nobody", ESL_DATA_DIR=data)
        assert ran.stdout == "Nothing was written down of that.\n"


@contextmanager
def operated(shop: RunningHouse) -> Iterator[None]:
    """Let commands find the shop: its data folder says where it runs."""
    content = RuntimeFile(url=shop.url, token=shop.operator, pid=os.getpid())
    with runtime_file(shop.house.settings.data_dir, content):
        yield


# ── Who did what ───────────────────────────────────────────────────────────────────────────


def test_who_did_what_is_listed_newest_first_and_by_page(shelf: Shelf) -> None:
    shop = shelf.shop
    whole = shop.done("GET", "/api/v1/audit")["entries"]
    assert whole, "the shop's guards were set"
    assert [one["id"] for one in whole] == sorted((one["id"] for one in whole), reverse=True)
    paged: list[Any] = []
    before: dict[str, int] = {}
    while True:
        page = shop.done("GET", "/api/v1/audit", limit=1, **before)
        paged += page["entries"]
        if page["before"] is None:
            break
        before = {"before": page["before"]}
    assert paged == whole
    assert all(one["sealed"] for one in whole)
    one = whole[-1]
    for name in ("actor", "action", "subject"):
        found = shop.done("GET", "/api/v1/audit", **{name: one[name]})["entries"]
        assert one in found
        assert {entry[name] for entry in found} == {one[name]}
        assert shop.done("GET", "/api/v1/audit", **{name: "nobody"})["entries"] == []
    assert one in shop.done("GET", "/api/v1/audit", store="main")["entries"]
    assert shop.done("GET", "/api/v1/audit", to="2001-01-01T00:00Z")["entries"] == []
    assert one in shop.done("GET", "/api/v1/audit", **{"from": one["at"]})["entries"]


def test_the_audit_of_a_store_needs_a_right_to_that_store(shelf: Shelf) -> None:
    here = shelf.shop.token("audit:read", stores=("main",))
    assert shelf.shop.done("GET", "/api/v1/audit", token=here, store="main")["entries"]
    check_problem(shelf.shop.ask("GET", "/api/v1/audit", token=here), 403)
    check_problem(shelf.shop.ask("GET", "/api/v1/audit", token=here, store="nowhere"), 404)
    other = shelf.shop.token("price:read", stores=("main",))
    check_problem(shelf.shop.ask("GET", "/api/v1/audit", token=other, store="main"), 403)


def test_checkpoints_stand_in_a_file_and_its_last_one_is_the_databases(shelf: Shelf) -> None:
    folder = AuditFolder(shelf.shop.house.settings.data_dir)
    kept = folder.checkpoints()
    assert kept[-1].number == folder.last_number()
    rows = shelf.shop.read("SELECT number, hash FROM audit_checkpoint ORDER BY number")
    assert [(one.number, one.hash) for one in kept] == rows
    assert folder.checkpoints_file.stat().st_mode & 0o077 == 0


def test_the_command_verifies_names_what_is_wrong_and_lists(
    shelf: Shelf, command: Callable[..., Any], tmp_path: Path
) -> None:
    data = shelf.shop.house.settings.data_dir
    ran = command("audit", "verify", "--json", ESL_DATA_DIR=str(data))
    assert ran.status == 0, ran.stderr
    assert json.loads(ran.stdout)["ok"]
    copy = tmp_path / "checkpoints.jsonl"
    copy.write_bytes(AuditFolder(data).checkpoints_file.read_bytes())
    with_copy = ("audit", "verify", "--checkpoints", str(copy))
    ran = command(*with_copy, ESL_DATA_DIR=str(data))
    assert (ran.status, ran.stdout.startswith("The chain holds: ")) == (0, True)
    copy.write_text("{}\n")
    ran = command(*with_copy, ESL_DATA_DIR=str(data))
    assert ran.status == 1
    assert "line 1" in ran.stderr

    def edit(tx: Connection) -> None:
        allow_changes(tx, "audit_entry", "update")
        tx.exec_driver_sql("UPDATE audit_entry SET actor = 'nobody' WHERE entry_id = 1")

    shelf.shop.write(edit)
    ran = command("audit", "verify", ESL_DATA_DIR=str(data))
    assert ran.status == 1
    assert ran.stdout == "WRONG: audit_entry 1: it is not what block 1 sealed\n"
