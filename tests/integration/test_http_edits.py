"""What two people may edit has a version: nobody overwrites what they have not read.

Every address that takes PUT or DELETE is taken from the description. It has an ETag and takes
If-Match, or stands below with the reason why not.
"""

import io
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from api.client import EDITS_MOST, Client, Refused
from tests.api_contract import GOLDEN
from tests.api_table import PAGE
from tests.pages import blocks_of
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

pytest_plugins = ["tests.shop_over_http"]

NOT_EDITED = {
    "/api/v1/stores/{store}/gateways/{gateway}": "it adds; a login is renewed and not edited",
    "/api/v1/stores/{store}/neutral": "an order for emergencies: whoever gives it is heard",
    "/api/v1/stores/{store}/inspections/{inspection}/items/{item}": "who looked last has seen it",
    "/api/v1/stores/{store}/paper-tickets/{ticket}": "it hangs or not, as who was there last says",
    "/api/v1/stores/{store}/current-place": "of each asker alone: where somebody stands",
}
"""What is put and is no edit of something that others edit, too."""

NOT_REMOVED = {
    "/api/v1/clients/{client}/secrets/{secret}": "a secret never changes; it is revoked",
    "/api/v1/tokens/{token_id}": "a token never changes; it is revoked",
    "/api/v1/stores/{store}/neutral": "an order for emergencies: whoever ends it is heard",
    "/api/v1/me/sessions/{session}": "the asker's own",
    "/api/v1/stores/{store}/flips/{flip}": "it stops at once, whatever has become of it",
    "/api/v1/stores/{store}/gateways/{gateway}/login": "it ends at once, whoever has it",
    "/api/v1/stores/{store}/labels/{label}": "a step of a label's history",
    "/api/v1/stores/{store}/pairings/{label}": "a step of a label's history, which can be undone",
}
"""What is ended and not edited."""

DEMANDING = {"/api/v1/stores/{store}/template-rules", "/api/v1/promotions/{promotion}"}
"""They want an If-Match and answer 428 without."""

ADDRESS = {
    "store": "main",
    "sku": "1001",
    "template": "own",
    "picture": "logo",
    "source": "till",
    "mapping": "till",
    "group": "north",
    "zone": "coast",
    "promotion": "weekend",
    "subscription": "erp",
    "person": "",
    "client": "",
}
PROMOTION = {
    "name": "Weekend",
    "gives": {"percent": 25},
    "selection": {"everything": True},
    "where": {"stores": ["main"]},
}
CLIENT = {"name": "ERP", "scopes": ["price:read"], "stores": ["main"]}
STALE = '"0"'
ANYTHING = {"If-Match": "*"}


def _addresses(method: str) -> list[str]:
    contract = json.loads(GOLDEN.read_text())
    return sorted(door.split()[1] for door in contract if door.startswith(f"{method} "))


EDITED = [path for path in _addresses("PUT") if path not in NOT_EDITED]
REMOVED = [path for path in _addresses("DELETE") if path not in NOT_REMOVED]


def _takes(document: dict[str, Any], method: str, path: str) -> set[str]:
    operation = document["paths"].get(path, {}).get(method, {})
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}


def test_everything_that_is_edited_says_so_in_the_description(shop: RunningHouse) -> None:
    document = shop.done("GET", "/api/v1/openapi.json")
    assert "patch" not in {method for item in document["paths"].values() for method in item}
    put = {path for path, item in document["paths"].items() if "put" in item}
    assert put == {*EDITED, *NOT_EDITED}, "python -m tests.api_contract writes the list anew"
    for path in EDITED:
        assert "If-Match" in _takes(document, "put", path), path
        assert "If-None-Match" in _takes(document, "get", path), path
        answers = document["paths"][path]["get"]["responses"]
        assert "ETag" in answers["200"]["headers"], path
        assert "304" in answers, path
    removed = {path for path, item in document["paths"].items() if "delete" in item}
    assert removed == {*REMOVED, *NOT_REMOVED}
    for path in REMOVED:
        assert path in EDITED, path
        assert "If-Match" in _takes(document, "delete", path), path
    demanding = {
        path
        for path in EDITED
        for one in document["paths"][path]["put"]["parameters"]
        if one["name"] == "If-Match" and one["required"]
    }
    assert demanding == DEMANDING


@pytest.fixture(scope="module")
def filled(shop: RunningHouse) -> Callable[[str], str]:
    """Fill an address of the description: all of it is there, or may be put there."""
    person = shop.done("POST", "/api/v1/people", {"name": "mira", "roles": []})["id"]
    client = shop.done("POST", "/api/v1/clients", CLIENT)["id"]
    shop.done("POST", "/api/v1/promotions", PROMOTION | {"id": ADDRESS["promotion"]})
    links = {"base": "https://go.a.example", "hosts": ["a.example"], "rule": "https://a.example/"}
    shop.done("PUT", "/api/v1/stores/main/short-links", links)
    zone = {"name": "Coast", "currency": "EUR", "stores": []}
    shop.done("PUT", f"/api/v1/zones/{ADDRESS['zone']}", zone)
    values = ADDRESS | {"person": person, "client": client}
    return lambda path: path.format(**values)


def _body(shop: RunningHouse, path: str) -> bytes:
    if path.endswith("/pictures/{picture}"):
        out = io.BytesIO()
        Image.new("RGB", (40, 20), "black").save(out, "PNG")
        return out.getvalue()
    if path in DEMANDING and "promotion" in path:
        return json.dumps(PROMOTION).encode()
    operation = shop.done("GET", "/api/v1/openapi.json")["paths"][path]["put"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    if path.endswith("/short-links/{sku}"):
        example = {"target": None}
    return json.dumps(example).encode()


def _put(shop: RunningHouse, address: str, body: bytes, **headers: str) -> httpx2.Response:
    return shop.ask("PUT", address, content=body, headers=headers)


@pytest.mark.parametrize("path", EDITED)
def test_an_edit_of_another_version_is_refused_with_the_one_there_is(
    shop: RunningHouse, filled: Callable[[str], str], path: str
) -> None:
    address, body = filled(path), _body(shop, path)
    anyhow = _put(shop, address, body, **(ANYTHING if path in DEMANDING else {}))
    assert anyhow.is_success, anyhow.text
    read = shop.ask("GET", address)
    present = read.headers["etag"]

    before = shop.everything_stored()
    refused = _put(shop, address, body, **{"If-Match": STALE})
    problem = check_problem(refused, 412)
    assert refused.headers["etag"] == present
    assert "Read it again" in problem["fix"]
    if path not in DEMANDING:
        there = _put(shop, address, body, **{"If-None-Match": "*"})
        check_problem(there, 412)
        assert there.headers["etag"] == present
        check_problem(_put(shop, address, body, **{"If-None-Match": present}), 422, "")
    else:
        check_problem(_put(shop, address, body), 428)
    assert shop.everything_stored() == before

    again = shop.ask("GET", address, headers={"If-None-Match": f'"other", W/{present}'})
    assert again.status_code in (200, 304)
    assert again.headers["etag"] == present
    assert (again.content == b"") == (again.status_code == 304)
    assert shop.ask("GET", address, headers={"If-None-Match": STALE}).content

    edited = _put(shop, address, body, **{"If-Match": present})
    assert edited.is_success, edited.text


def test_what_says_only_what_people_set_is_not_sent_twice(
    shop: RunningHouse, filled: Callable[[str], str]
) -> None:
    kept = set()
    for path in EDITED:
        address = filled(path)
        present = shop.ask("GET", address).headers["etag"]
        answer = shop.ask("GET", address, headers={"If-None-Match": present})
        if answer.status_code == 304:
            kept.add(path.rpartition("/")[2])
    assert kept >= {"{store}", "guards", "policy", "till", "walk", "zone", "{picture}"}


@pytest.mark.parametrize("path", REMOVED)
def test_what_was_changed_meanwhile_is_not_removed(
    shop: RunningHouse, filled: Callable[[str], str], path: str
) -> None:
    address = filled(path)
    assert _put(shop, address, _body(shop, path)).is_success
    present = shop.ask("GET", address).headers["etag"]
    before = shop.everything_stored()
    refused = shop.ask("DELETE", address, headers={"If-Match": STALE})
    check_problem(refused, 412)
    assert refused.headers["etag"] == present
    assert shop.everything_stored() == before
    removed = shop.ask("DELETE", address, headers={"If-Match": present})
    assert removed.is_success or removed.status_code == 409, removed.text  # what others name stays


def test_who_means_to_add_never_replaces(shop: RunningHouse) -> None:
    address, body = "/api/v1/groups/south", json.dumps({"name": "South", "stores": ["main"]})
    check_problem(shop.ask("PUT", address, content=body, headers={"If-Match": '"1"'}), 412)
    check_problem(shop.ask("PUT", address, content=body, headers=ANYTHING), 412)
    assert _put(shop, address, body.encode(), **{"If-None-Match": "*"}).is_success
    check_problem(_put(shop, address, body.encode(), **{"If-None-Match": "*"}), 412)
    assert shop.ask("DELETE", address).is_success


def test_what_the_controller_adds_is_no_edit(shop: RunningHouse) -> None:
    address = "/api/v1/stores/main/products/1002"
    shop.done("PUT", address, {"name": "Mlijeko"})
    first = shop.ask("GET", address)
    shop.done("POST", "/api/v1/stores/main/price-changes", {"sku": "1002", "price": "1.11"})
    second = shop.ask("GET", address)
    assert (first.json()["price"], second.json()["price"]) == ("0.99", "1.11")
    assert first.headers["etag"] == second.headers["etag"]
    shop.done("PUT", address, {"name": "Mlijeko 1 l"})
    assert shop.ask("GET", address).headers["etag"] != first.headers["etag"]


# ── The client ─────────────────────────────────────────────────────────────────────────────


def test_the_client_makes_its_edit_to_what_somebody_else_has_made_meanwhile(
    shop: RunningHouse,
) -> None:
    address = "/api/v1/groups/edited"
    shop.done("PUT", address, {"name": "first", "stores": ["main"]})
    seen: list[str] = []

    def change(group: dict[str, Any]) -> dict[str, Any]:
        seen.append(group["name"])
        if len(seen) < 3:  # somebody else is faster, twice
            shop.done("PUT", address, {"name": f"theirs {len(seen)}", "stores": ["main"]})
        return {"name": f"{group['name']} and mine", "stores": group["stores"]}

    with Client(shop.url, shop.operator) as client:
        assert client.edit(address, change)["name"] == "theirs 2 and mine"
    assert seen == ["first", "theirs 1", "theirs 2"]


def test_the_client_gives_up_where_others_are_always_faster(shop: RunningHouse) -> None:
    address = "/api/v1/groups/contested"
    shop.done("PUT", address, {"name": "0", "stores": ["main"]})
    tried: list[int] = []

    def change(group: dict[str, Any]) -> dict[str, Any]:
        tried.append(1)
        shop.done("PUT", address, {"name": f"theirs {len(tried)}", "stores": ["main"]})
        return {"name": "mine", "stores": group["stores"]}

    with Client(shop.url, shop.operator) as client, pytest.raises(Refused) as refused:
        client.edit(address, change)
    assert refused.value.status == 412
    assert len(tried) == EDITS_MOST
    assert shop.done("GET", address)["name"] == f"theirs {EDITS_MOST}"


# ── The page ───────────────────────────────────────────────────────────────────────────────


def test_the_example_of_the_page_edits_what_it_has_read(shop: RunningHouse, tmp_path: Path) -> None:
    [block] = [one for one in blocks_of(PAGE) if one.kind == "sh"]
    address = "/api/v1/stores/main/guards"
    off = {"on": False, "reason": "tests invent prices"}
    shop.done("PUT", address, off)
    before = shop.done("GET", address)
    around = os.environ | {"ESL": shop.url, "TOKEN": shop.operator, "NO_PROXY": "*"}

    def run(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", text],
            cwd=tmp_path,
            env=around,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    mended = f"echo '{json.dumps(off)}' > guards.json\n"
    reading, sign, writing = block.text.partition('curl --fail "$ESL')
    ran = run(reading + mended + sign + writing)
    assert ran.returncode == 0, ran.stderr
    assert shop.done("GET", address) == before
    shop.done("PUT", address, {"on": True, "limits": {"fall_percent": 50}})
    late = run(f"ETAG='\"0\"'\n{mended}{sign}{writing}")
    assert late.returncode == 22, "curl --fail says so of a 412"
    assert "412" in late.stderr
    shop.done("PUT", address, off)


# ── Two people ─────────────────────────────────────────────────────────────────────────────

EDITS = 12
PEOPLE = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def processes(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[RunningHouse, RunningHouse]]:
    """Where two people edit: one application on SQLite, two on PostgreSQL."""
    if request.param == "sqlite":
        with running_house(tmp_path / "one") as one:
            yield one, one
        return
    url = request.getfixturevalue("fresh_postgres_url")
    with running_house(tmp_path / "one", database_url=url) as one:
        shutil.copytree(tmp_path / "one" / "keys", tmp_path / "two" / "keys")
        with running_house(tmp_path / "two", database_url=url) as two:
            yield one, two


@pytest.mark.asvs("2.3.4")
def test_of_all_who_edit_the_same_version_at_once_one_is_heard(
    processes: tuple[RunningHouse, RunningHouse],
) -> None:
    processes[0].done("PUT", "/api/v1/stores/main", STORE_BODY)
    address = "/api/v1/groups/north"
    processes[0].done("PUT", address, {"name": "0", "stores": ["main"]})
    for round_ in range(EDITS):
        present = processes[round_ % 2].ask("GET", address).headers["etag"]
        begin = threading.Barrier(PEOPLE)

        def edit(
            person: int, *, seen: str = present, number: int = round_, go: Any = begin
        ) -> httpx2.Response:
            body = json.dumps({"name": f"{number + 1} of {person}", "stores": ["main"]})
            go.wait()
            return processes[person % 2].ask(
                "PUT", address, content=body, headers={"If-Match": seen}
            )

        with ThreadPoolExecutor(PEOPLE) as pool:
            answers = list(pool.map(edit, range(PEOPLE)))
        heard = [one for one in answers if one.is_success]
        assert len(heard) == 1, [one.text for one in answers]
        after = processes[0].ask("GET", address)
        assert after.json()["name"] == heard[0].json()["name"]
        for one in answers:
            if not one.is_success:
                check_problem(one, 412)
                assert one.headers["etag"] == after.headers["etag"]
