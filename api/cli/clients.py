"""``esl clients …``: machines that fetch short-lived tokens with a secret (docs/machines.md)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.private_files import write_private
from esl.domain.access import Scope
from esl.domain.errors import SetupError

_RIGHTS = f"One of {', '.join(Scope)}. A client may have several: give the option once for each."
_PAGE = 1000
_OF_SECRETS = ("id", "expires_at", "last_used_at")
DAYS_MOST = 3650

app = typer.Typer(help="Machines that fetch short-lived tokens.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(help="Its id, from: esl clients list.")]
Days = Annotated[
    int | None,
    typer.Option(
        "--days", min=1, max=DAYS_MOST, help="Let it end by itself; left out: once it is revoked."
    ),
]
Out = Annotated[
    Path | None, typer.Option(help="Write id:secret to this file, mode 0600, not the screen.")
]


@app.command("add")
def add(
    name: Annotated[str, typer.Option(help="Who uses it, for people: “ERP”.")],
    scope: Annotated[list[Scope], typer.Option(metavar="<right>", help=_RIGHTS)],
    store: Annotated[list[str], typer.Option(help="A store's id, or '*' for all; several times.")],
    days: Days = None,
    out: Out = None,
    data: DataDir = None,
) -> None:
    """Add a client, and show its id and secret as id:secret, this once."""
    _check(out)
    body = {"name": name, "scopes": [s.value for s in scope], "stores": store} | ends_after(days)
    with running_client(data) as client:
        made = client.post("/api/v1/clients", body)
    _show(f"{made['id']}:{made['secret']}", out)


@app.command("list")
def list_all(data: DataDir = None) -> None:
    """List the clients."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    with running_client(data) as client:
        while after is not None:
            query: dict[str, str | int] = {"limit": _PAGE, "after": after}
            page = client.get("/api/v1/clients", **query)
            found += page["clients"]
            after = page["after"]
    if not found:
        print("There are no clients yet; add one with: esl clients add")
        return
    table = Table("id", "name", "scopes", "stores", "secrets", "end", "last used", "disabled")
    for one in found:
        active = [secret for secret in one["secrets"] if not secret["revoked_at"]]
        table.add_row(
            one["id"],
            one["name"],
            " ".join(one["scopes"]),
            " ".join(one["stores"]),
            *("\n".join(_part(secret, name) for secret in active) for name in _OF_SECRETS),
            (one["disabled_at"] or "")[:16],
        )
    print_table(table)


@app.command("rotate")
def rotate(client_id: ClientId, days: Days = None, out: Out = None, data: DataDir = None) -> None:
    """Give a client a second secret, and show it as id:secret, this once. The first still holds."""
    _check(out)
    with running_client(data) as client:
        made = client.post(f"/api/v1/clients/{quote(client_id, safe='')}/secrets", ends_after(days))
    _show(f"{client_id}:{made['secret']}", out)


@app.command("revoke")
def revoke(
    client_id: ClientId,
    secret_id: Annotated[str, typer.Argument(help="The secret's id, from: esl clients list.")],
    data: DataDir = None,
) -> None:
    """Make a secret worthless, at once, with every token that was fetched with it."""
    path = f"/api/v1/clients/{quote(client_id, safe='')}/secrets/{quote(secret_id, safe='')}"
    with running_client(data) as client:
        client.delete(path)
    print(f"secret {secret_id} is worthless now")


@app.command("disable")
def disable(client_id: ClientId, data: DataDir = None) -> None:
    """Let a client in no more, for good; its tokens are worthless at once."""
    with running_client(data) as client:
        client.delete(f"/api/v1/clients/{quote(client_id, safe='')}")
    print(f"client {client_id} is let in no more")


def ends_after(days: int | None) -> dict[str, str]:
    """Return the field of a request that lets a token or secret end after so many days."""
    if days is None:
        return {}
    return {"expires_at": (datetime.now(UTC) + timedelta(days=days)).isoformat()}


def _part(secret: dict[str, Any], name: str) -> str:
    return str(secret[name] or "-")[:16]


def _check(out: Path | None) -> None:
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise SetupError(f"{out} cannot be written: name a file in a folder that is there")


def _show(line: str, out: Path | None) -> None:
    if out is None:
        print(line)
        return
    write_private(out, line + "\n")
    print(f"written to {out}")
