"""Hundreds of broken files over HTTP: no fault, no stuck job, no price but the true one."""

import random
import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.imports import wait_for
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house
from tests.unit.esl.intake.mapping.test_hostile_files import FIELDS, TRUTH, csv_list, cuts

FILES = 320
LISTED = f'name: h\nformat: csv\ndelimiter: ";"\ndecimal: ","\nfields: {FIELDS}\n'
OTHERS = {
    "xml": 'name: h\nformat: xml\nitems: "I"\nfields: {sku: sku, price: price}\n',
    "json": "name: h\nformat: json\nfields: {sku: item.sku, price: item.price}\n",
    "xlsx": "name: h\nformat: xlsx\nfields: {sku: sifra, price: cijena}\n",
    "fixed": (
        "name: h\nformat: fixed\n"
        "fields: {sku: {start: 1, length: 4}, price: {start: 5, length: 8}}\n"
    ),
}
SIGNS = (";", '"', "\r", "\n\n", '";"', "\x00", "\x1a", "\ufeff", "\u202e", "=1+1", "-", "\t", "e9")
BODIES = (
    b"",
    b"\0" * 5000,
    b"PK\x03\x04" + b"\xff" * 300,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"[" * 20_000,
    b'{"sku": 1' + b"0" * 5000,
    b'[{"sku": "4700", "price": 1e309}, {"sku": "4701", "price": NaN}]',
    b"sifra;cijena\n" * 2000,
    b"\xff\xfes\0i\0",
    b"4700" + b"9" * 100_000,
    "sifra;naziv;cijena;jm;marka\n4700;\ud7ff;\u0661\u0662,\u0669\u0669;;\n".encode(),
    b"\x1f\x8b\x08\0\0\0\0\0",
)


def hostile() -> Iterator[tuple[str, bytes]]:
    """Make files, each with the mapping it is read through."""
    chance = random.Random(11)
    text = csv_list(quote='"')
    yield from ((LISTED, cut) for cut in cuts(text.encode(), 100))
    for _ in range(110):
        at, sign = chance.randrange(len(text)), chance.choice(SIGNS)
        yield LISTED, (text[:at] + sign + text[at:]).encode()
    for encoding in ("utf-16", "utf-32", "cp1250", "utf-7"):
        yield LISTED, text.encode(encoding)
    for mapping in (LISTED, *OTHERS.values()):
        yield from ((mapping, body) for body in BODIES)
    lines = text.splitlines(keepends=True)
    while True:  # lines lost, repeated and in another order
        yield LISTED, "".join(chance.choices(lines, k=chance.randrange(len(lines)))).encode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("hostile"), with_worker=True) as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        yield running


def hand_in(house: RunningHouse, mapping: str, body: bytes) -> httpx2.Response:
    """Hand a file in; wait where there are as many as may wait."""
    deadline = time.monotonic() + 60
    while True:
        answer = house._http.post(
            "/api/v1/stores/main/imports",
            headers={"Authorization": f"Bearer {house.operator}"},
            data={"mapping": mapping},
            files={"file": ("h.bin", body)},
        )
        if answer.status_code not in {429, 503}:
            return answer
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_three_hundred_hostile_files_are_no_fault_and_no_wrong_price(house: RunningHouse) -> None:
    jobs: list[str] = []
    refused = 0
    files = hostile()
    for _ in range(FILES):
        mapping, body = next(files)
        answer = hand_in(house, mapping, body)
        if answer.status_code == 202:
            jobs.append(answer.json()["id"])
        else:
            assert 400 <= answer.status_code < 500, answer.text
            check_problem(answer, answer.status_code)
            refused += 1
    ended = [wait_for(house, job, 120) for job in jobs]
    states = [job["state"] for job in ended]
    assert set(states) == {"done", "failed"}
    assert all(job["detail"] for job in ended if job["state"] == "failed")
    assert len(jobs) + refused == FILES
    found = house.read("SELECT sku, price_minor FROM price WHERE store_id = 'main'")
    wrong = [(sku, price) for sku, price in found if TRUTH.get(sku, price) != price]
    assert wrong == []
    strange = [price for sku, price in found if sku not in TRUTH and price not in TRUTH.values()]
    assert strange == []
    assert states.count("done") > 50, "some of each list can be believed"
    assert house.ask("GET", "/healthz").status_code == 200
