"""``esl quarantine``: a person looks at what was held back and decides, by number or by batch."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.private_files import RuntimeFile, runtime_file
from tests.running_house import STORE_BODY, Command, RunningHouse

pytest_plugins = ["tests.shop_over_http"]

pytestmark = pytest.mark.timeout(120)

STORE = "/api/v1/stores/waits"


@pytest.fixture(scope="module")
def data(shop: RunningHouse) -> Iterator[Path]:
    """The folder of a controller with a guarded store, where nothing waits yet."""
    body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
    shop.done("PUT", STORE, body)
    products = [{"sku": f"w{n}", "name": f"Kruh {n}", "price": "1.29"} for n in range(4)]
    shop.done("POST", f"{STORE}/products", products)
    data_dir = shop.house.settings.data_dir
    with runtime_file(data_dir, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        yield data_dir


def hold_back(shop: RunningHouse, *, token: str | None = None) -> int:
    changes = [{"sku": f"w{n}", "price": "12.90"} for n in range(4)]
    how = {} if token is None else {"token": token}
    return int(shop.done("POST", f"{STORE}/price-changes", changes, **how)["batch"])


def test_nobody_decides_by_the_command_line_about_what_they_sent(
    shop: RunningHouse, data: Path, command: Command, tmp_path: Path
) -> None:
    batch = hold_back(shop)  # by the operator, who is also who runs the command
    listed = command("quarantine", "list", "--store", "waits", "--data", data, COLUMNS="80")
    assert listed.status == 0
    assert "12.90" in listed.stdout
    assert f"esl quarantine approve --batch {batch} --store waits" in listed.stdout
    mine = command("quarantine", "approve", "--batch", batch, "--store", "waits", "--data", data)
    assert mine.status == 1
    assert "--token FILE" in mine.stderr
    other = tmp_path / "ana.token"
    other.write_text(shop.token("price:approve") + "\n")
    where = ("--batch", batch, "--store", "waits", "--data", data, "--note", "spring")
    done = command("quarantine", "approve", *where, "--token", other, "--json")
    assert json.loads(done.stdout) == {"store": "waits", "approve": 4, "labels": 0}
    assert shop.done("GET", f"{STORE}/products/w3")["price"] == "12.90"
    [first, *_] = shop.done("GET", f"{STORE}/quarantine", state="all")["prices"]
    assert (first["state"], first["note"]) == ("approved", "spring")
    empty = command("quarantine", "list", "--store", "waits", "--data", data)
    assert empty.stdout == "Nothing waits in store waits.\n"


def test_single_prices_are_rejected_by_number(
    shop: RunningHouse, data: Path, command: Command
) -> None:
    asked = {"sku": "w0", "price": "0.13"}
    sender = shop.token("price:write")
    [held] = shop.done("POST", f"{STORE}/price-changes", asked, token=sender)["results"]
    where = (held["price_id"], "--store", "waits", "--data", data)
    done = command("quarantine", "reject", *where)
    assert (done.status, done.stdout) == (
        0,
        "1 price rejected in store waits; labels that change: 0.\n",
    )
    again = command("quarantine", "reject", *where)
    assert again.status == 1
    assert "decided about before" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("approve", "--store", "waits"), "neither numbers nor a batch"),
        (("approve", "7", "--batch", "1", "--store", "waits"), "both numbers and a batch"),
        (("approve", "--batch", "999999", "--store", "waits"), "the store has no such batch"),
        (("reject", "999999", "--store", "waits"), "no such price in quarantine"),
        (("approve", "7", "--store", "nowhere"), "404"),
        (("approve", "7", "--store", "No Slug"), "--store"),
        (("approve", "7"), "name one with --store"),
        (("approve", "7", "--store", "waits", "--token", "/nowhere/at-all"), "cannot be read"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    data: Path, command: Command, arguments: tuple[str, ...], words: str
) -> None:
    ran = command("quarantine", *arguments, "--data", data)
    assert ran.status == 1
    assert words in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
