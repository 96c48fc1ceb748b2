"""``esl links …``: short links in QR codes, where they lead, and the export for a web server."""

import json
import sys
from typing import Annotated
from urllib.parse import quote

import typer

from api.cli.quarantine import AsJson, Store, client_for, store_for
from api.cli.serve import DataDir

app = typer.Typer(
    help="Short links: QR addresses that stay while where they lead changes.",
    no_args_is_help=True,
)

Sku = Annotated[str, typer.Argument(help="The product.")]


@app.command("set-up")
def set_up(
    base: Annotated[str, typer.Option(help="Start of the addresses: https://go.shop.example.")],
    host: Annotated[list[str], typer.Option(help="A host that links may lead to; repeat it.")],
    rule: Annotated[str, typer.Option(help="Where links lead: https://www.shop.example/p/{gtin}.")],
    in_faces: Annotated[
        bool, typer.Option("--in-faces/--long", help="Labels say short links, or the long ones.")
    ] = False,
    store: Store = "",
    data: DataDir = None,
) -> None:
    """Set a store's short links up.

    Example: esl links set-up --base https://go.shop.example --host www.shop.example
    --rule "https://www.shop.example/p/{gtin}" --in-faces
    """
    body = {"base": base, "hosts": host, "rule": rule, "in_faces": in_faces}
    with client_for(data, None) as client:
        found = client.put(f"/api/v1/stores/{store_for(client, store)}/short-links", body)
    print(f"Done; {found['labels']:,} label(s) get another QR code.")


@app.command("target")
def target(
    sku: Sku,
    address: Annotated[
        str, typer.Argument(help="Where it leads from now on.", show_default="the store's rule")
    ] = "",
    store: Store = "",
    data: DataDir = None,
) -> None:
    """Let a product's link lead elsewhere. No label is painted for it.

    Example: esl links target 4711 https://www.shop.example/summer
    """
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/short-links/{quote(sku, safe='')}"
        found = client.put(path, {"target": address or None})
    print(f"{found['address']} leads to {found['leads_to'] or 'nowhere'}.")


@app.command("show")
def show(sku: Sku, store: Store = "", as_json: AsJson = False, data: DataDir = None) -> None:
    """Say where a product's link leads, and how often it was followed.

    Example: esl links show 4711
    """
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/short-links/{quote(sku, safe='')}"
        found = client.get(path)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{found['address']} leads to {found['leads_to'] or 'nowhere'}.")
    for one in found["visits"]:
        print(f"{one['day']}: {one['visits']:,}")


@app.command("export")
def export(
    form: Annotated[str, typer.Option("--format", help="nginx, apache, netlify or csv.")] = "csv",
    store: Store = "",
    data: DataDir = None,
) -> None:
    """Print all redirects for a public web server, which a shopper's phone can reach.

    Example: esl links export --format nginx > esl-links.conf
    """
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/short-link-redirects"
        for piece in client.download(path, format=form):
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()
