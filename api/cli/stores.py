"""``esl stores …``: the stores of this installation; all that one can be told: docs/stores.md."""

import json
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from api.cli.quarantine import AsJson
from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.client import Client, Refused
from esl.domain.errors import SetupError

_ROOT = "/api/v1/stores"

app = typer.Typer(help="Stores: name, currency, language and time zone.", no_args_is_help=True)

Store = Annotated[str, typer.Argument(help="The store's id: a-z, 0-9 and '-'.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="<field=value>",
        help="Another field of docs/stores.md, such as law=hr; empty takes its default. Repeat it.",
    ),
]


@app.command("list")
def list_stores(as_json: AsJson = False, data: DataDir = None) -> None:
    """List the stores."""
    with running_client(data) as client:
        found = client.listed(_ROOT, "stores")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print("There are no stores yet; add one with: esl stores put")
        return
    table = Table("store", "name", "currency", "locale", "time zone", box=None)
    for one in found:
        table.add_row(
            *(one["store_id"], one["name"], one["currency"], one["locale"], one["timezone"])
        )
    print_table(table)


@app.command("show")
def show(store: Store, data: DataDir = None) -> None:
    """Print all settings of a store, as JSON."""
    with running_client(data) as client:
        print(json.dumps(client.get(_path(store)), ensure_ascii=False, indent=2))


@app.command("put")
def put(
    store: Store,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217: EUR.")] = None,
    locale: Annotated[str | None, typer.Option(help="Language and country: hr_HR.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA: Europe/Zagreb.")] = None,
    others: Set = None,
    data: DataDir = None,
) -> None:
    """Add a store, or change what is named of one; its labels follow.

    Example: esl stores put s1 --name "High Street" --currency EUR --locale hr_HR
    --timezone Europe/Zagreb
    """
    asked = {"name": name, "currency": currency, "locale": locale, "timezone": timezone}
    changes: dict[str, Any] = {field: text for field, text in asked.items() if text is not None}
    changes |= dict(_field_of(one) for one in others or ())
    with running_client(data) as client:
        is_new = not _is_there(client, store)
        if is_new:
            missing = [f"--{field}" for field, text in asked.items() if text is None]
            if missing:
                raise SetupError(f"{store} is new: name {', '.join(missing)} too")
            client.put(_path(store), _changed({}, changes))
        else:
            client.edit(_path(store), lambda before: _changed(before, changes))
    print(f"{store} is {'there' if is_new else 'as you said'}; see: esl stores show {store}")


def _is_there(client: Client, store: str) -> bool:
    try:
        client.get(_path(store))
    except Refused as exc:
        if exc.status != HTTPStatus.NOT_FOUND:
            raise
        return False
    return True


def _changed(before: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the settings to be put: null is no value of a field, and means its default."""
    both = before | changes
    return {name: value for name, value in both.items() if name != "store_id" and value is not None}


def _field_of(text: str) -> tuple[str, Any]:
    """Read ``field=value``; what reads as a number or an object of JSON is one."""
    name, is_there, value = text.partition("=")
    if not name or not is_there:
        raise SetupError(f"--set {text}: write field=value, such as law=hr")
    if not value:
        return name, None
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    return name, read if isinstance(read, int | dict) else value


def _path(store: str) -> str:
    return f"{_ROOT}/{quote(store, safe='')}"
