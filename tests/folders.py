"""Hot folders for tests: sources over HTTP, files put as tills put them, what lies there then."""

import csv
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.imports import PLAIN, plain_list
from tests.running_house import STORE_BODY, RunningHouse

LONGEST_S = 20.0
"""Generous: other work may share the machine."""


def hot_folder(
    house: RunningHouse, source: str, settings: dict[str, str] | None = None, **more: Any
) -> Path:
    """Register a source whose hot folder has its name; return the folder, made."""
    folder = house.house.settings.data_dir / "hot" / source
    folder.mkdir(parents=True, exist_ok=True)
    body = {
        "name": source,
        "store": "main",
        "kind": "hot_folder",
        "mapping": "plain",
        "settings": {"folder": source, "pickup": "rename", "every_s": "1", **(settings or {})},
    }
    house.done("PUT", f"/api/v1/sources/{source}", body | more)
    return folder


def prepare(house: RunningHouse, *stores: str) -> None:
    """Make stores and the mapping `PLAIN`."""
    for store in stores:
        house.done("PUT", f"/api/v1/stores/{store}", STORE_BODY)
    answer = house.ask("PUT", "/api/v1/mappings/plain", content=PLAIN.encode())
    assert answer.is_success, answer.text


def put(folder: Path, name: str, prices: dict[str, str] | bytes) -> Path:
    """Put a list as a careful till does: written under another name, then renamed."""
    body = prices if isinstance(prices, bytes) else plain_list(prices)
    part = folder / f".{os.urandom(4).hex()}.part"
    part.write_bytes(body)
    part.rename(folder / name)
    return folder / name


def until(say: Callable[[], Any], wanted: Any, longest_s: float = LONGEST_S) -> None:
    """Wait until something is as wanted."""
    found: Any = None
    deadline = time.monotonic() + longest_s
    while time.monotonic() < deadline:
        if (found := say()) == wanted:
            return
        time.sleep(0.05)
    assert found == wanted


def lies_in(folder: Path) -> list[str]:
    """List what lies in a folder; nothing where there is none."""
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


def result_of(path: Path) -> list[dict[str, str]]:
    """Read the result file of a file; nothing where there is none yet."""
    result = path.with_name(f"{path.name}.result.csv")
    if not result.exists():
        return []
    return list(csv.DictReader(io.StringIO(result.read_text("utf-8")), delimiter=";"))


def price(house: RunningHouse, sku: str, store: str = "main") -> int | None:
    """Return what a product costs, in minor units."""
    query = "SELECT price_minor FROM price WHERE sku = ? AND store_id = ?"
    found = house.read(query, sku, store)
    return int(found[0][0]) if found else None
