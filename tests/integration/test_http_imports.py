"""Price lists handed in over HTTP: jobs, summaries, reports, trials, refusals."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.imports import (
    KEYS,
    MAPPINGS,
    PLAIN,
    TOTALLED,
    counts,
    hand_in,
    import_done,
    import_now,
    plain_list,
    wait_for,
)
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

REAL = {
    "konzum": ("konzum-vrsar-2026-01.csv", 2262),
    "plodine": ("plodine-pleternica-2025-12-29.csv", 10442),
    "studenac": ("studenac-funtana-2025-12-29.xml", 3618),
}
TRIAL_LEAVES = {"import_job", "import_row", "audit_entry", "label", "gateway"} | {
    "happening"  # what earlier imports had held back is told seconds later
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("house") / "data", with_worker=True) as running:
        yield running


@pytest.fixture
def new_store(house: RunningHouse) -> Callable[..., str]:
    """Make a store of this test's own, and return its id."""

    def make(name: str, **changes: Any) -> str:
        house.done("PUT", f"/api/v1/stores/{name}", STORE_BODY | changes)
        house.done("PUT", f"/api/v1/stores/{name}/gateways/gw-{name}", {})
        return name

    return make


def put_labels(house: RunningHouse, store: str, skus: list[str]) -> None:
    labels = [
        {"label": f"{store}-{n}", "panel": "bwry-296x128", "gateway": f"gw-{store}"}
        for n in range(len(skus))
    ]
    house.done("POST", f"/api/v1/stores/{store}/labels", labels)
    pairs = [{"label": f"{store}-{n}", "sku": sku} for n, sku in enumerate(skus)]
    house.done("POST", f"/api/v1/stores/{store}/pairings", pairs)


def wanted(house: RunningHouse, store: str) -> dict[str, int]:
    found = house.read("SELECT label_id, wanted_rev FROM label WHERE store_id = ?", store)
    return dict(found)  # type: ignore[arg-type]


def price_of(house: RunningHouse, store: str, sku: str) -> Any:
    return house.done("GET", f"/api/v1/stores/{store}/products/{sku}")["price"]


def spooled(house: RunningHouse) -> list[str]:
    """What is left of files that were handed in; they go just after their job has ended.

    But for those of dry runs, which are kept for a day.
    """
    folder = house.house.settings.data_dir / "imports"
    until = time.monotonic() + 10
    while True:
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        tried = {name.removesuffix(".tried") for name in names if name.endswith(".tried")}
        left = sorted(name for name in names if name.split(".")[0] not in tried)
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)


# ── Real lists ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chain", REAL)
def test_a_real_list_is_taken_once_and_an_edited_copy_changes_what_was_edited(
    house: RunningHouse,
    new_store: Callable[..., str],
    price_list: Callable[[str], Path],
    chain: str,
) -> None:
    name, rows = REAL[chain]
    store, mapping = new_store(chain), (MAPPINGS / f"{chain}.yaml").read_text("utf-8")
    body = price_list(name).read_bytes()
    trial = import_done(house, store, body, mapping, dry_run="true")
    first = import_done(house, store, body, mapping)
    assert list(first) == KEYS
    assert trial == first
    assert (first["rows"], first["products"]) == (rows, rows)
    assert counts(first) == (rows, 0, 0, 0, 0)
    found = house.read("SELECT sku, price_minor FROM price WHERE store_id = ? ORDER BY sku", store)
    assert len(found) == rows
    put_labels(house, store, [sku for sku, _ in found[:20]])
    before = wanted(house, store)
    again = import_done(house, store, body, mapping)
    assert counts(again) == (0, rows, 0, 0, 0)
    assert wanted(house, store) == before
    edited = {
        "sku": found[3][0],
        "price": "7.77",
        "promotion_price": "",
    }
    some = [edited, {"sku": found[7][0], "price": "8.88"}, {"sku": found[500][0], "price": "9.99"}]
    copy = edit_list(body, chain, {row["sku"]: row["price"] for row in some})
    third = import_done(house, store, copy, mapping)
    assert counts(third) == (3, rows - 3, 0, 0, 2)
    after = wanted(house, store)
    changed = {label for label in after if after[label] != before[label]}
    assert changed == {f"{store}-3", f"{store}-7"}
    assert {price_of(house, store, row["sku"]) for row in some} == {"7.77", "8.88", "9.99"}


def edit_list(body: bytes, chain: str, prices: dict[str, str]) -> bytes:
    """Give products another price, and no promotion, as the chain writes it."""
    text = body.decode("utf-8-sig")
    if chain == "studenac":
        for sku, price in prices.items():
            head, found, rest = text.partition(f"<SifraProizvoda>{sku}</SifraProizvoda>")
            assert found
            item, end, tail = rest.partition("</Proizvod>")
            item = replace_element(item, "MaloprodajnaCijena", price)
            item = replace_element(item, "MaloprodajnaCijenaAkcija", "")
            text = head + found + item + end + tail
        return text.encode()
    delimiter, decimal = (",", ".") if chain == "konzum" else (";", ",")
    columns = {
        "konzum": (
            "ŠIFRA PROIZVODA", "MALOPRODAJNA CIJENA", "MPC ZA VRIJEME POSEBNOG OBLIKA PRODAJE",
        ),
        "plodine": (
            "Sifra proizvoda", "Maloprodajna cijena", "MPC za vrijeme posebnog oblika prodaje",
        ),
    }[chain]  # fmt: skip
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    sku, price, promotion = (lines[0].index(column) for column in columns)
    for line in lines[1:]:
        if line[sku] in prices:
            line[price], line[promotion] = prices[line[sku]].replace(".", decimal), ""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(lines)
    return out.getvalue().encode()


def replace_element(item: str, name: str, text: str) -> str:
    if f"<{name}>" in item:
        head, _, rest = item.partition(f"<{name}>")
        return f"{head}<{name}>{text}</{name}>{rest.partition(f'</{name}>')[2]}"
    return item.replace(f"<{name}/>", f"<{name}>{text}</{name}>", 1)


# ── Summaries, reports, trials ──────────────────────────────────────────────────────────────


def test_refused_rows_are_told_and_the_others_taken(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("mixed")
    body = plain_list([("a", "1.00"), ("b", "1.000"), ("c", ""), ("d", "=1+1"), ("e", "2.00")])
    job = import_now(house, store, body)
    summary = job["summary"]
    assert (summary["accepted"], job["counts"]["rejected"]) == (3, 2)
    assert [(line["row"], line["field"]) for line in summary["rejected"]] == [
        (3, "price"),
        (5, "price"),
    ]
    assert all(line["reason"] for line in summary["rejected"])
    report = house.done("GET", f"/api/v1/imports/{job['id']}/report")
    assert [(r["row"], r["sku"], r["decision"]) for r in report["rows"]] == [
        (2, "a", "accepted"),
        (3, "b", "rejected"),
        (4, "c", "accepted"),
        (5, "d", "rejected"),
        (6, "e", "accepted"),
    ]
    as_csv = house.ask("GET", f"/api/v1/imports/{job['id']}/report", format="csv")
    lines = list(csv.DictReader(io.StringIO(as_csv.text, newline="")))
    assert [line["decision"] for line in lines] == [r["decision"] for r in report["rows"]]
    assert not [v for line in lines for v in line.values() if v.startswith(("=", "+", "-", "@"))]
    assert "attachment" in as_csv.headers["content-disposition"]


def test_a_trial_says_the_same_and_stores_nothing(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("trial", guards={})
    import_done(house, store, plain_list((f"p{n}", "1.00") for n in range(1500)))
    put_labels(house, store, ["p1", "p2"])
    # Far more big changes than the circuit breaker lets through, over several pieces.
    body = plain_list((f"p{n}", "1.30" if n % 2 else "1.05") for n in range(2500))
    before = house.everything_stored()
    trial = import_done(house, store, body, dry_run="true", mode="full")
    after = house.everything_stored()
    assert {t for t in before if before[t] != after[t]} <= TRIAL_LEAVES
    real = import_done(house, store, body, mode="full")
    assert trial == real
    assert trial["quarantined"] > 500
    assert trial["accepted"] > 1000
    assert spooled(house) == []


def test_a_complete_list_retires_what_it_leaves_out_unless_it_is_too_short(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("retiring")
    everything = [(f"p{n}", "1.00") for n in range(100)]
    import_done(house, store, plain_list(everything), mode="full")
    put_labels(house, store, ["p0", "p99"])
    short = import_now(house, store, plain_list(everything[:50]), mode="full")
    assert short["summary"]["retired"] == 0
    assert "50 products are missing" in short["detail"]
    trial = import_done(house, store, plain_list(everything[:95]), mode="full", dry_run="true")
    summary = import_done(house, store, plain_list(everything[:95]), mode="full")
    assert trial == summary
    assert (summary["retired"], summary["labels_affected"]) == (5, 1)
    assert price_of(house, store, "p99") is None
    assert price_of(house, store, "p0") == "1.00"
    delta = import_done(house, store, plain_list([("p1", "1.10")]))
    assert "retired" not in delta
    assert price_of(house, store, "p2") == "1.00"


def test_a_refused_row_does_not_retire_its_product(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("refused")
    import_done(house, store, plain_list([("a", "1.00"), ("b", "1.00")]), mode="full")
    summary = import_done(house, store, plain_list([("a", "1.00"), ("b", "x")]), mode="full")
    assert (summary["retired"], len(summary["rejected"])) == (0, 1)
    nameless = import_now(house, store, plain_list([("a", "1.00"), ("", "1.00")]), mode="full")
    assert nameless["summary"]["retired"] == 0
    assert "no readable SKU" in nameless["detail"]
    assert price_of(house, store, "b") == "1.00"


def test_a_wrong_trailer_applies_nothing(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("trailer")
    items = "D,a,1.00,Kruh\nD,b,2.00,Mlijeko\n"
    right = import_done(house, store, f"{items}T,2,3.00\n".encode(), TOTALLED)
    assert right["accepted"] == 2
    before = house.everything_stored()
    changed = items.replace("1.00", "1.10")
    for trailer in ("T,3,3.10\n", "T,2,3.00\n", "", "T,x,3.10\n"):
        job = import_now(house, store, f"{changed}{trailer}".encode(), TOTALLED)
        assert job["state"] == "failed"
        assert job["detail"]
        assert job["summary"]["accepted"] == 0
        assert job["summary"]["rejected"][0]["row"] == 0
    after = house.everything_stored()
    assert {t for t in before if before[t] != after[t]} <= TRIAL_LEAVES | {"batch"}


def test_an_import_is_rolled_back_by_its_batch(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("rolled")
    import_done(house, store, plain_list([("a", "1.00"), ("b", "1.00")]))
    job = import_now(house, store, plain_list([("a", "1.20"), ("b", "1.00")]))
    path = f"/api/v1/stores/{store}/batches/{job['batch']}"
    assert house.done("GET", path)["title"] == "list.csv"
    house.done("POST", f"{path}/roll-back", {"reason": "the wrong file"})
    assert price_of(house, store, "a") == "1.00"


# ── The door ────────────────────────────────────────────────────────────────────────────────


def test_a_plain_body_with_a_saved_mapping(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("plainly")
    house.ask("PUT", "/api/v1/mappings/plain", content=PLAIN).raise_for_status()
    path = f"/api/v1/stores/{store}/imports?mapping=plain&name=..%2F..%2Fcijene.csv&mode=delta"
    answer = house.ask("POST", path, content=plain_list([("a", "1.00")]))
    assert answer.status_code == 202
    job = wait_for(house, answer.json()["id"])
    assert (job["state"], job["title"], job["source"]) == ("done", "cijene.csv", "plain")
    assert (job["mapping"], job["mapping_version"]) == ("plain", 1)


def test_the_same_key_imports_once(house: RunningHouse, new_store: Callable[..., str]) -> None:
    store = new_store("keyed")
    house.ask("PUT", "/api/v1/mappings/plain", content=PLAIN).raise_for_status()
    path, body = f"/api/v1/stores/{store}/imports?mapping=plain", plain_list([("a", "1.00")])
    first = house.ask("POST", path, content=body, headers={"Idempotency-Key": "k1"})
    again = house.ask("POST", path, content=body, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = house.ask(
        "POST", path, content=body + b"b,B,1.00,\n", headers={"Idempotency-Key": "k1"}
    )
    check_problem(other, 409)
    wait_for(house, first.json()["id"])
    assert len(house.done("GET", "/api/v1/imports", store=store)["imports"]) == 1
    assert spooled(house) == []


FORM = "multipart/form-data; boundary=B"
GOOD_PART = (
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsku\r\n'
    b'--B\r\nContent-Disposition: form-data; name="mapping"\r\n\r\nplain\r\n--B--\r\n'
)
BAD_BODIES = [
    ("?mapping=plain", "", b"", "/file"),
    ("", "", b"sku", "/mapping"),
    ("?mapping=nobody-has-this", "", b"sku", "/mapping"),
    ("?mapping=plain&mode=half", "", b"sku", "/mode"),
    ("?mapping=plain&dry_run=perhaps", "", b"sku", "/dry_run"),
    ("?mapping=plain&other=1", "", b"sku", "/other"),
    ("?mapping=plain&source=A%20B", "", b"sku", "/source"),
    ("?mapping=format%3A%20csv", "", b"sku", "/mapping/name"),
    ("", "multipart/form-data", GOOD_PART, ""),
    ("", "multipart/form-data; boundary=" + "x" * 71, GOOD_PART, ""),
    ("", FORM, b"", ""),
    ("", FORM, b"--B--", "/file"),
    ("", FORM, GOOD_PART[:-8], ""),
    ("", FORM, GOOD_PART.replace(b"--B\r\n", b"--Bxx"), ""),
    ("", FORM, GOOD_PART.replace(b'name="mapping"', b'name="other"'), "/other"),
    ("", FORM, GOOD_PART.replace(b'name="mapping"', b'name="file"'), "/file"),
    ("", FORM, GOOD_PART.replace(b'name="mapping"', b""), ""),
    ("", FORM, GOOD_PART.replace(b"plain", b"\xff\xfe"), "/mapping"),
    ("", FORM, GOOD_PART.replace(b"plain", b"x" * 2_000_000), "/mapping"),
    ("", FORM, b"--B\r\nX: " + b"y" * 10_000 + b"\r\n\r\n\r\n--B--", ""),
    ("", FORM, b'--B\r\nContent-Disposition: form-data; name="mode"\r\n\r\n\r\n' * 30, "/mode"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "content_type", "body", "pointer"), BAD_BODIES)
def test_what_is_no_import_is_refused_and_leaves_nothing(
    house: RunningHouse,
    new_store: Callable[..., str],
    query: str,
    content_type: str,
    body: bytes,
    pointer: str,
) -> None:
    store = new_store("refusing")
    house.ask("PUT", "/api/v1/mappings/plain", content=PLAIN).raise_for_status()
    headers = {"Content-Type": content_type} if content_type else {}
    path = f"/api/v1/stores/{store}/imports{query}"
    answer = house.ask("POST", path, content=body, headers=headers)
    problem = check_problem(answer, 422)
    assert problem["errors"][0]["pointer"] == pointer
    assert spooled(house) == []
    assert house.done("GET", "/api/v1/imports", store=store)["imports"] == []


def test_a_file_that_is_too_large_is_refused_while_it_comes(
    house: RunningHouse, new_store: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store("large")
    monkeypatch.setattr(house.house.settings, "import_largest_mib", 1)

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    answer = house._http.post(
        f"/api/v1/stores/{store}/imports?mapping=plain",
        headers={"Authorization": f"Bearer {house.operator}"},
        content=endless(),
    )
    check_problem(answer, 413)
    assert spooled(house) == []


def test_nobody_learns_of_imports_of_other_stores(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store, other = new_store("mine"), new_store("others")
    job_id = hand_in(house, store, plain_list([("a", "1.00")]))
    wait_for(house, job_id)
    stranger = house.token("price:read", "price:write", stores=(other,))
    for method, path in (("GET", ""), ("GET", "/report"), ("POST", "/cancel")):
        answer = house.ask(method, f"/api/v1/imports/{job_id}{path}", token=stranger)
        unknown = house.ask(method, f"/api/v1/imports/nobody{path}", token=stranger)
        assert check_problem(answer, 404) == check_problem(unknown, 404)
    assert house.done("GET", "/api/v1/imports", token=stranger)["imports"] == []
    reader = house.token("price:read", stores=(store,))
    assert len(house.done("GET", "/api/v1/imports", token=reader)["imports"]) == 1
    check_problem(house.ask("POST", f"/api/v1/imports/{job_id}/cancel", token=reader), 403)


def test_a_cancelled_import_keeps_what_it_took_and_takes_no_more(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store = new_store("cancelled")
    body = plain_list((f"p{n}", "1.00") for n in range(20_000))
    job_id = hand_in(house, store, body)
    second = hand_in(house, store, plain_list([("z", "1.00")]))
    while not house.done("GET", f"/api/v1/imports/{job_id}")["progress"]["taken"]:
        pass
    assert house.done("POST", f"/api/v1/imports/{second}/cancel")["state"] == "cancelled"
    assert house.done("POST", f"/api/v1/imports/{job_id}/cancel")["state"] == "cancelled"
    job = wait_for(house, job_id)
    taken = job["counts"]["accepted"]
    assert 0 < taken < 20_000
    check_problem(house.ask("POST", f"/api/v1/imports/{job_id}/cancel"), 409)
    after = import_done(house, store, plain_list([("last", "1.00")]))
    assert after["accepted"] == 1
    assert house.done("GET", f"/api/v1/imports/{second}")["counts"]["accepted"] == 0
    [[held]] = house.read("SELECT count(*) FROM price WHERE store_id = ?", store)
    assert held == taken + 1
    assert spooled(house) == []


def test_a_source_that_is_switched_off_or_anothers_imports_nothing(
    house: RunningHouse, new_store: Callable[..., str]
) -> None:
    store, other = new_store("off"), new_store("other-one")
    body = {"name": "Till", "store": other}
    house.done("PUT", "/api/v1/sources/its-till", body)
    house.done("PUT", "/api/v1/sources/off-till", {"name": "x", "store": store, "disabled": True})
    house.done("PUT", "/api/v1/sources/delta-till", {"name": "x", "store": store})
    path = f"/api/v1/stores/{store}/imports?mapping=plain"
    house.ask("PUT", "/api/v1/mappings/plain", content=PLAIN).raise_for_status()
    listed = plain_list([("a", "1.00")])
    check_problem(house.ask("POST", f"{path}&source=its-till", content=listed), 422, "/source")
    check_problem(house.ask("POST", f"{path}&source=off-till", content=listed), 409)
    check_problem(
        house.ask("POST", f"{path}&source=delta-till&mode=full", content=listed), 422, "/mode"
    )
    assert spooled(house) == []
