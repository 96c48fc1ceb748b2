"""``python -m tests.proof.pages --labels 10000 --products 100000 --json``: how long pages take.

A controller of its own is filled over HTTP: products, labels that are paired with some of them and
hang in aisles, a promotion, people. Then somebody signs in and opens every page of the console,
again and again, one after the other. Times are from the request to the last byte on this machine;
the least, the middle and the slowest of twenty are said of each.
"""

import argparse
import asyncio
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2

from api.client import Client
from tests.browser.every_page import routes
from tests.browser.whole_shop import PASSWORD
from tests.shelf import controller_on

STORE: Final = "main"
AT: Final = f"/api/v1/stores/{STORE}"
PANELS: Final = ("bwry-296x128", "bwry-250x122", "bwry-400x300", "bwr-296x128")
PROMOTION: Final = "weekend"
P95_MOST_MS: Final = 150.0
SEARCHES: Final = {
    "products-none": "/products?q=nothing-has-this",
    "products-digits": "/products?q=999999",
    "products-no-label": "/products?only=without-label",
    "products-delisted": "/products?only=delisted",
}
"""Pages that look through all products."""
_STORE: Final = {
    "name": "Vrsar",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
    "guards": {"on": False, "reason": "the proof invents prices"},
}
_A_REQUEST: Final = 1000
_SHELVES_AN_AISLE: Final = 200
_GATEWAYS: Final = 20


def measure(labels: int, products: int, times: int, folder: Path) -> dict[str, Any]:
    """Fill a shop, open every page, and return the figures."""
    os.environ["ESL_EXPORTS_PER_MINUTE"] = "0"  # nobody opens the report twenty times a minute
    return asyncio.run(_measure(labels, products, times, folder))


async def _measure(labels: int, products: int, times: int, folder: Path) -> dict[str, Any]:
    async with controller_on(folder) as (_, client):
        made = await asyncio.to_thread(_fill, client, labels, products)
        link = (await asyncio.to_thread(client.post, "/api/v1/people/set-up-link", {}))["url"]
        pages = await asyncio.to_thread(_open_all, client.url, str(link), times, made)
    slow = {key: page["p95_ms"] for key, page in pages.items() if page["p95_ms"] > P95_MOST_MS}
    return {
        "labels": labels,
        "products": products,
        "times": times,
        "pages": pages,
        "slowest_p95_ms": max(page["p95_ms"] for page in pages.values()),
        "over_150_ms": slow,
    }


def _fill(client: Client, labels: int, products: int) -> dict[str, str]:
    """Make the shop; return the ids of one of its people and of a list that was handed in."""
    client.put(AT, _STORE)
    client.put(f"{AT}/till", {"channel": "own"})
    for gateway in range(_GATEWAYS):
        client.put_text(f"{AT}/gateways/gw-{gateway}", {})
    for some in _some(products):
        client.post(
            f"{AT}/products",
            [
                {
                    "sku": str(n),
                    "name": f"Kruh {n}",
                    "price": f"{1 + n % 90}.29",
                    "category": f"Shelf {n % 40}",
                }
                for n in some
            ],
        )
    for some in _some(labels):
        client.post(
            f"{AT}/labels",
            [
                {"label": f"l-{n:05}", "panel": PANELS[n % 4], "gateway": f"gw-{n % _GATEWAYS}"}
                for n in some
            ],
        )
        client.post(
            f"{AT}/pairings",
            [
                {
                    "label": f"l-{n:05}",
                    "sku": str(n % products),
                    "place": f"{1 + n // _SHELVES_AN_AISLE}/{1 + n % _SHELVES_AN_AISLE}",
                }
                for n in some
            ],
        )
    client.post(
        "/api/v1/promotions",
        {
            "id": PROMOTION,
            "name": "Weekend",
            "gives": {"percent": 10},
            "selection": {"categories": ["Shelf 7"]},
            "where": {"stores": [STORE]},
            "window": {"begins": "2031-03-06T08:00", "ends": "2031-03-08T20:00"},
        },
    )
    roles = [{"store": STORE, "role": "technician"}]
    made = client.post("/api/v1/people", {"name": "bo", "display_name": "Bo", "roles": roles})
    text = str(client.get(f"{AT}/templates/standard")["text"])
    for ending in ("", "# more\n"):
        own = text.replace("name: standard", "name: shelf", 1) + ending
        client.put(f"{AT}/templates/shelf", {"text": own})
    mapping = {"name": "list", "format": "csv", "fields": {"sku": "sku", "price": "price"}}
    client.put("/api/v1/mappings/list", mapping)
    rows = io.BytesIO(b"sku,price\n" + b"".join(b"%d,2.29\n" % n for n in range(200)))
    options = {"mapping": "list", "dry_run": "true"}
    job = client.post_file(f"{AT}/imports", rows, name="list.csv", options=options)
    walk = client.post(f"{AT}/inspections", {"size": 100})
    return {
        "person": str(made["id"]),
        "import_id": str(job["id"]),
        "inspection": str(walk["inspection"]),
    }


def _some(count: int) -> Iterator[range]:
    for start in range(0, count, _A_REQUEST):
        yield range(start, min(start + _A_REQUEST, count))


def _open_all(
    url: str, link: str, times: int, made: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    known = {"label": "l-00007", "promotion": PROMOTION, "sku": "7", "template": "shelf"} | made
    found: dict[str, dict[str, float]] = {}
    headers = {"Accept": "text/html"}
    with httpx2.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as browser:
        _sign_up(browser, link)
        for key, route in (routes() | SEARCHES).items():
            path = route.format_map(known)
            took: list[float] = []
            for _ in range(times + 1):
                begins = time.perf_counter()
                answer = browser.get(path)
                took.append((time.perf_counter() - begins) * 1000)
                assert answer.status_code == 200, f"{path}: {answer.status_code}"
            first, rest = took[0], sorted(took[1:])
            found[key] = {
                "first_ms": round(first, 1),
                "p50_ms": round(rest[len(rest) // 2], 1),
                "p95_ms": round(rest[max(0, -(-95 * len(rest) // 100) - 1)], 1),
                "kb": round(len(answer.content) / 1000, 1),
            }
    return found


def _sign_up(browser: httpx2.Client, link: str) -> None:
    """Make the first account, which has every page."""
    once = parse_qs(urlsplit(link).query)["link"][0]
    typed = {"name": "ana", "display_name": "Ana", "password": PASSWORD, "again": PASSWORD}
    origin = {"Origin": str(browser.base_url).rstrip("/")}
    answer = browser.post("/welcome", data={"link": once} | typed, headers=origin)
    assert answer.status_code == 303, answer.text


def main() -> None:
    """Measure, print, and fail where a page is slow."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.pages", description=__doc__)
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(asked.labels, asked.products, asked.times, Path(folder) / "data")
    if asked.json:
        print(json.dumps(figures))  # noqa: T201
    else:
        for key, page in figures["pages"].items():
            print(f"{key:24} {page}")  # noqa: T201
        print(f"slowest p95: {figures['slowest_p95_ms']} ms")  # noqa: T201
    sys.exit(1 if figures["over_150_ms"] else 0)


if __name__ == "__main__":
    main()
