"""``esl zones …`` and ``esl groups …``: price zones, what they say, and groups of stores."""

import json
import time
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table

_ZONES = "/api/v1/zones"
_GROUPS = "/api/v1/groups"
_STORES = "/api/v1/stores"
_PAGE = 1000
_LOOK_S = 0.5

app = typer.Typer(help="Price zones: one word for many stores.", no_args_is_help=True)
groups = typer.Typer(help="Groups of stores, for promotions.", no_args_is_help=True)

Zone = Annotated[str, typer.Argument(help="The zone's id; chain is every store.")]
Group = Annotated[str, typer.Argument(help="The group's id.")]
StoreArgument = Annotated[str, typer.Argument(help="The store's id.")]
Skus = Annotated[list[str], typer.Argument(help="Products.")]
Stores = Annotated[str, typer.Option(help="Their ids, with commas between; none: no store.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


@app.command("list")
def list_zones(as_json: AsJson = False, data: DataDir = None) -> None:
    """List the price zones and their stores."""
    with running_client(data) as client:
        found = client.listed(_ZONES, "zones")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    table = Table("zone", "name", "currency", "stores", box=None)
    for one in found:
        stores = "all" if one["zone"] == "chain" else ", ".join(one["stores"])
        table.add_row(one["zone"], one["name"], one["currency"] or "", stores)
    print_table(table)


@app.command("put")
def put_zone(
    zone: Zone,
    currency: Annotated[str, typer.Option(help="Of its prices, and of its stores.")],
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    stores: Stores = "",
    data: DataDir = None,
) -> None:
    """Add a zone, or replace its name and its stores; their prices follow."""
    body = {"name": name or zone, "currency": currency, "stores": _split(stores)}
    with running_client(data) as client:
        found = client.put(f"{_ZONES}/{zone}", body)
    print(f"{zone} has {len(found['stores'])} store(s).")
    _print_follow(zone, found["change"])


@app.command("delete")
def delete_zone(zone: Zone, data: DataDir = None) -> None:
    """Forget a zone without stores, and what it said."""
    with running_client(data) as client:
        client.delete(f"{_ZONES}/{zone}")
    print(f"{zone} is gone.")


@app.command("move")
def move(
    store: StoreArgument,
    zone: Annotated[str, typer.Option(help="Into this zone.", show_default="none")] = "",
    data: DataDir = None,
) -> None:
    """Put a store into another zone in one step, or into none: then the chain's prices hold."""
    with running_client(data) as client:
        found = client.put(f"{_STORES}/{store}/zone", {"zone": zone or None})
    print(f"{store} is in {found['zone'] or 'no zone'}.")
    _print_follow(zone or "chain", found["change"])


@app.command("price")
def price(
    zone: Zone,
    sku: Annotated[str, typer.Argument(help="The product.")],
    amount: Annotated[str, typer.Argument(help="Its price, such as 1.29.")],
    currency: Annotated[
        str, typer.Option(help="Of the chain, where its stores have several.")
    ] = "",
    data: DataDir = None,
) -> None:
    """Say a price in a zone; its stores follow within seconds."""
    body: dict[str, Any] = {"changes": [{"sku": sku, "price": amount}]}
    if currency:
        body["currency"] = currency
    with running_client(data) as client:
        found = client.post(f"{_ZONES}/{zone}/price-changes", body)
    print(f"{found['results'][0]}: {zone} says {amount} for {sku}, {found['stores']} store(s).")
    _print_follow(zone, found["change"])


@app.command("clear")
def clear(zone: Zone, skus: Skus, data: DataDir = None) -> None:
    """Let a zone say prices no longer: what the chain says holds again."""
    with running_client(data) as client:
        found = client.post(f"{_ZONES}/{zone}/cleared-prices", {"skus": skus})
    for sku, decision in zip(skus, found["results"], strict=True):
        print(f"{sku}: {decision}")
    _print_follow(zone, found["change"])


@app.command("prices")
def prices(zone: Zone, as_json: AsJson = False, data: DataDir = None) -> None:
    """List what a zone says, since when, and by whom."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    with running_client(data) as client:
        while after is not None:
            page = client.get(f"{_ZONES}/{zone}/prices", after=after, limit=_PAGE)
            found += page["prices"]
            after = page["after"]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print(f"No price was set for zone {zone} yet; set one with: esl zones price")
        return
    table = Table("sku", "price", "set by", "at", "change", box=None)
    for one in found:
        money = f"{one['price']} {one['currency']}"
        table.add_row(one["sku"], money, one["set_by"], one["set_at"][:19], str(one["change"]))
    print_table(table)


@app.command("watch")
def watch(
    zone: Zone,
    change: Annotated[int, typer.Argument(help="The change's number.")],
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Wait until all stores of a zone were told a change, and say what became of it."""
    with running_client(data) as client:
        while True:
            found = client.get(f"{_ZONES}/{zone}/price-changes/{change}")
            if found["done"] >= found["stores"]:
                break
            time.sleep(_LOOK_S)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"All of {found['stores']} store(s) were told.")
    for what, number in sorted(found["counts"].items()):
        print(f"  {what}: {number}")
    for store in found["told"]:
        for one in store["held"]:
            print(f"{store['store']}: {one['sku']}: {one['decision']} ({one['why']})")


@app.command("follow")
def follow(store: StoreArgument, skus: Skus, data: DataDir = None) -> None:
    """Let what zone or chain says hold again in place of a store's own prices."""
    with running_client(data) as client:
        found = client.post(f"{_STORES}/{store}/cleared-prices", {"skus": skus})
    for one in found["results"]:
        why = f" ({', '.join(one['reasons'])})" if one["reasons"] else ""
        print(f"{one['sku']}: {one['decision'].replace('_', ' ')}{why}")


@app.command("level")
def level(
    store: StoreArgument,
    sku: Annotated[str, typer.Argument(help="The product.")],
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Say at which level a store's price of a product was said, and what the others say."""
    with running_client(data) as client:
        found = client.get(f"{_STORES}/{store}/levels/{quote(sku, safe='')}")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if found["price"] is None:
        print(f"{sku} has no price in {store}.")
    else:
        money = f"{found['price']} {found['currency']}"
        print(f"{sku} costs {money} in {store}: said at the level {found['level']}.")
    for one in found["beneath"]:
        money = f"{one['price']} {one['currency']}"
        print(f"  {one['zone']} says {money}, set by {one['set_by']} at {one['set_at'][:19]}")


# -- groups --------------------------------------------------------------------------------------


@groups.command("list")
def list_groups(as_json: AsJson = False, data: DataDir = None) -> None:
    """List the groups and their stores."""
    with running_client(data) as client:
        found = client.listed(_GROUPS, "groups")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print("There are no groups yet; make one with: esl groups put")
        return
    table = Table("group", "name", "stores", box=None)
    for one in found:
        table.add_row(one["group"], one["name"], ", ".join(one["stores"]))
    print_table(table)


@groups.command("put")
def put_group(
    group: Group,
    stores: Stores,
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    data: DataDir = None,
) -> None:
    """Add a group of stores, or replace it."""
    with running_client(data) as client:
        found = client.put(f"{_GROUPS}/{group}", {"name": name or group, "stores": _split(stores)})
    print(f"{group} has {len(found['stores'])} store(s).")


@groups.command("delete")
def delete_group(group: Group, data: DataDir = None) -> None:
    """Forget a group that no promotion names."""
    with running_client(data) as client:
        client.delete(f"{_GROUPS}/{group}")
    print(f"{group} is gone.")


def _split(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _print_follow(zone: str, change: int | None) -> None:
    if change is not None:
        print(f"How far its stores follow: esl zones watch {zone} {change}")
