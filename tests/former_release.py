"""``python -m tests.former_release``: the small shop of a release, to be upgraded by the next one.

It is run once for each release, in that release's own tree ([releasing.md]), and leaves

    tests/golden/former_release.sql.xz   the database, as SQL text of SQLite
    tests/golden/former_release.json     what the API answered about it

The shop has what most tables are for: prices, a price of a later day, one that waits for a person,
a promotion, labels that were paired, moved and replaced, a person, a token. Keys are not in it.
"""

import argparse
import json
import lzma
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.running_house import STORE_BODY, RunningHouse, running_house

GOLDEN: Final = Path(__file__).parent / "golden"
DATABASE: Final = GOLDEN / "former_release.sql.xz"
ANSWERS: Final = GOLDEN / "former_release.json"

ASKED: Final = (
    "/api/v1/stores/main",
    *(f"/api/v1/stores/main/products/{sku}" for sku in range(1001, 1013)),
    *(f"/api/v1/labels/l-{number}" for number in range(1, 7)),
    "/api/v1/stores/main/gateways",
    "/api/v1/stores/main/pairing-steps",
    "/api/v1/promotions/bread-week",
    "/api/v1/tokens",
)
"""Addresses whose answers stay as they are over the upgrade; fields may be added."""


def main() -> None:
    """Make the shop, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=GOLDEN, help="the folder for both files")
    folder = parser.parse_args().to
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        with running_house(data) as house:
            fill(house)
            answers = answers_of(house)
        with closing(sqlite3.connect(data / "esl.db")) as database:
            dump = "\n".join(database.iterdump())
    (folder / DATABASE.name).write_bytes(lzma.compress(f"{dump}\n".encode(), preset=9))
    text = json.dumps(answers, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / ANSWERS.name).write_text(f"{text}\n", encoding="utf-8")


def fill(house: RunningHouse) -> None:
    """Run a small shop for a while, through its doors alone."""
    at = "/api/v1/stores/main"
    guards = {"guards": {"on": True}}
    house.done("PUT", at, STORE_BODY)
    house.done("PUT", f"{at}/gateways/gw-1", {})
    products = [
        {
            "sku": str(sku),
            "name": f"Kruh {sku}",
            "price": f"{sku % 10 + 1}.29",
            "category": "Bread",
            "net_content": "400 g",
        }
        for sku in range(1001, 1013)
    ]
    house.done("POST", f"{at}/products", products)
    labels = [
        {"label": f"l-{number}", "panel": "bwry-296x128", "gateway": "gw-1"}
        for number in range(1, 7)
    ]
    house.done("POST", f"{at}/labels", labels)
    pairings = [{"label": f"l-{number}", "sku": f"{1000 + number}"} for number in range(1, 6)]
    house.done("POST", f"{at}/pairings", pairings)
    house.done("POST", f"{at}/pairings", {"label": "l-5", "sku": "1006"})
    for minor in (149, 159):
        change = {
            "sku": "1002",
            "price": f"1.{minor % 100:02}",
            "source": "pos",
            "source_seq": minor,
        }
        house.done(
            "POST", f"{at}/price-changes", change, headers={"Idempotency-Key": f"pos-{minor}"}
        )
    later = {"sku": "1003", "price": "0.99", "was": "4.29", "valid_from": "2099-01-01T06:00:00Z"}
    house.done("POST", f"{at}/price-changes", later)
    promotion = {
        "id": "bread-week",
        "where": {"stores": ["main"]},
        "name": "Bread week",
        "gives": {"percent": 25},
        "selection": {"skus": ["1010", "1011"]},
        "window": {"begins": "2098-03-24T08:00", "ends": "2098-03-28T20:00"},
    }
    house.done("POST", "/api/v1/promotions", promotion)
    house.done("PUT", at, STORE_BODY | guards)
    house.done("POST", f"{at}/price-changes", [{"sku": "1004", "price": "0.01"}])
    house.token("price:write", stores=("main",))


def answers_of(house: RunningHouse) -> dict[str, Any]:
    """Ask for all of `ASKED`."""
    return {path: house.done("GET", path) for path in ASKED}


def former_database(path: Path) -> None:
    """Write the database of the former release as a file of SQLite."""
    script = lzma.decompress(DATABASE.read_bytes()).decode()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
    path.chmod(0o600)


if __name__ == "__main__":
    main()
