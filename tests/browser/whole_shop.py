"""A running shop that has something on every page, and the addresses of all of them.

`tests.browser.every_page` says which pages there are; what their addresses need is made here.
"""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from playwright.async_api import Page

from api.client import Client
from api.console.frame import THEME_COOKIE
from api.console.languages import COOKIE as LANGUAGE_COOKIE
from api.demo.sample_shop import STORE, STORE_BODY
from tests.browser.shelf import Shelf, running_shelf
from tests.shelf import until, until_settled

LABELS: Final = 12
PASSWORD: Final = "a heron stood by the weir"
AT: Final = f"/api/v1/stores/{STORE}"
ON_ITS_WAY, HELD_BACK, UNDRAWABLE = 3, 4, 6
FONTLESS: Final = "Fresh oranges ♥ Valencia"
"""A name with a character that no font of the labels holds."""

EVERYTHING_IN_SIGHT_IS_DRAWN: Final = """Promise.all(
    [...document.images]
        .filter((image) => image.getBoundingClientRect().top < innerHeight)
        .map((image) => image.decode())
)"""


@asynccontextmanager
async def whole_shop(data_dir: Path) -> AsyncIterator[Shelf]:
    """Run a shop with something on every page."""
    async with running_shelf(data_dir, labels=LABELS, paint_s=0.2) as shelf:
        await until_settled(shelf.demo)
        await asyncio.to_thread(_fill, shelf)
        slow = shelf.demo.places[ON_ITS_WAY].label_id
        shelf.demo.shop.labels[slow].dead = True
        await shelf.change_price(ON_ITS_WAY, "1.99")
        await until(lambda: _needs_somebody(shelf.client), 30, "a label that needs somebody")
        yield shelf


async def sign_up(shelf: Shelf, page: Page) -> None:
    """Make the first account as a person does, and be signed in as it."""
    made = await asyncio.to_thread(shelf.client.post, "/api/v1/people/set-up-link", {})
    await page.goto(str(made["url"]))
    await page.get_by_label("Name to sign in with").fill("ana")
    await page.get_by_label("Your name").fill("Ana Novak")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("The same again").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await page.wait_for_url(f"{shelf.url}/")


async def prefer(page: Page, url: str, *, theme: str, language: str) -> None:
    """Choose colours and language as somebody does who wants these."""
    chosen = {THEME_COOKIE: theme, LANGUAGE_COOKIE: language}
    await page.context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in chosen.items()]
    )


def addresses(shelf: Shelf, routes: Mapping[str, str]) -> dict[str, str]:
    """Return the address of every page of ``routes`` (by key) with what it needs filled in."""
    client, place = shelf.client, shelf.demo.places[0]
    people = client.listed("/api/v1/people", "people")
    known = {
        "label": place.label_id,
        "promotion": "weekend",
        "person": next(one["id"] for one in people if one["name"] == "bo"),
        "sku": place.sku,
        "inspection": str(client.post(f"{AT}/inspections", {"size": 50, "seed": 7})["inspection"]),
        "template": "shelf",
        "import_id": client.get("/api/v1/imports")["imports"][0]["id"],
    }
    return {key: route.format_map(known) for key, route in routes.items()}


def key_of(route: str) -> str:
    """Name a page for files: ``/labels/{label}`` is ``labels-label``."""
    return re.sub(r"[^a-z]+", "-", route).strip("-") or "home"


def _fill(shelf: Shelf) -> None:
    client, places = shelf.client, shelf.demo.places
    now = datetime.now(ZoneInfo(STORE_BODY["timezone"]))  # type: ignore[arg-type]
    today = now.replace(minute=0, second=0, microsecond=0, tzinfo=None)
    client.put(f"{AT}/till", {"channel": "own"})
    _promote(client, "weekend", "Weekend: a tenth off", places[1].sku, today, days=2)
    client.post("/api/v1/promotions/weekend/schedule", {})
    _promote(client, "advent", "Advent", places[2].sku, today + timedelta(days=9), days=3)
    for name, called, role in (("bo", "Bo Horvat", "technician"), ("iva", "Iva Marić", "manager")):
        person = {"name": name, "display_name": called, "mail": f"{name}@shop.example"}
        client.post("/api/v1/people", person | {"roles": [{"store": STORE, "role": role}]})
    client.post("/api/v1/clients", {"name": "ERP", "scopes": ["price:write"], "stores": [STORE]})
    client.put(f"{AT}/guards", {})  # the usual limits again
    till = client.post(
        "/api/v1/tokens", {"name": "till", "scopes": ["price:write"], "stores": [STORE]}
    )
    with Client(client.url, till["token"]) as sender:
        sender.post(f"{AT}/price-changes", [{"sku": places[HELD_BACK].sku, "price": "0.01"}])
    client.put(f"{AT}/products/{places[UNDRAWABLE].sku}", {"name": FONTLESS})
    _write_a_template(client)
    _print_one_that_is_old(client, places[5].label_id, places[5].sku)
    _hand_in(client, [places[number].sku for number in range(7, 11)])


def _write_a_template(client: Client) -> None:
    text = str(client.get(f"{AT}/templates/standard")["text"]).replace(
        "name: standard", "name: shelf", 1
    )
    for title in ("Standard", "Shelf"):
        client.put(
            f"{AT}/templates/shelf", {"text": text.replace("title: Standard", f"title: {title}")}
        )


def _print_one_that_is_old(client: Client, label_id: str, sku: str) -> None:
    client.post(f"{AT}/paper-tickets", {"labels": [label_id]})
    client.post(f"{AT}/price-changes", {"sku": sku, "price": "1.69"})


def _hand_in(client: Client, skus: Sequence[str]) -> None:
    fields = {"sku": "sku", "price": "price"}
    client.put("/api/v1/mappings/list", {"name": "list", "format": "csv", "fields": fields})
    rows = [f"{sku},{number}.49" for number, sku in enumerate(skus, 1)]
    file = io.BytesIO("\n".join(["sku,price", *rows, "99,4x99"]).encode())
    options = {"mapping": "list", "dry_run": "true"}
    client.post_file(f"{AT}/imports", file, name="prices.csv", options=options)


def _promote(
    client: Client, promotion: str, name: str, sku: str, begins: datetime, *, days: int
) -> None:
    body = {
        "id": promotion,
        "name": name,
        "gives": {"percent": 10},
        "selection": {"skus": [sku]},
        "where": {"stores": [STORE]},
        "window": {
            "begins": f"{begins:%Y-%m-%dT%H:%M}",
            "ends": f"{begins + timedelta(days=days):%Y-%m-%dT%H:%M}",
        },
    }
    client.post("/api/v1/promotions", body)


def _needs_somebody(client: Client) -> bool:
    return bool(client.get(f"{AT}/summary")["phases"]["failed"])
