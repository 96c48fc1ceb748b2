"""``esl token …`` and ``esl sign-in``: access for machines and people.

With a controller running on the data folder they speak HTTP to it; with none they hold the
folder themselves and write to its database.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table
from sqlalchemy import Connection

from api.books import open_books
from api.cli.clients import Days, ends_after
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.client import Client, Refused
from api.private_files import RuntimeFile, read_runtime_file, write_private
from esl.domain.access import Scope
from esl.domain.errors import SetupError, Unavailable
from esl.intake.access_json import NewToken, parse_new_token
from esl.services.tokens import make_token
from esl.settings import Settings, read_settings

_ANSWERS_WITHIN_S = 5.0
_ACTOR = "operator"
"""Whoever holds the data folder."""

_RIGHTS = f"One of {', '.join(Scope)}. A token may have several: give the option once for each."

app = typer.Typer(help="Tokens for tills, ERP systems and scripts.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="Who uses it, for people: “till 3”.")],
    scope: Annotated[list[Scope], typer.Option(metavar="<right>", help=_RIGHTS)],
    store: Annotated[list[str], typer.Option(help="A store's id, or '*' for all; several times.")],
    days: Days = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the token to this file, mode 0600, not the screen.")
    ] = None,
    data: DataDir = None,
) -> None:
    """Make a token. Its text is shown or written this once; the database keeps only a hash."""
    settings = read_settings(data_dir=data)
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise SetupError(f"{out} cannot be written: name a file in a folder that is there")
    body = {"name": name, "scopes": [s.value for s in scope], "stores": store} | ends_after(days)
    running = _controller_on(settings.data_dir)
    if running is not None:
        with Client(running.url, running.token, certificate=running.certificate) as client:
            text = str(client.post("/api/v1/tokens", body)["token"])
    else:
        if not settings.data_dir.is_dir():
            raise SetupError(
                f"there is no controller's data in {settings.data_dir}; start one with: esl serve, "
                f"or name its folder with --data"
            )
        new = parse_new_token(body)
        with open_books(settings) as books:
            now = books.clock.now()
            text = books.writer.write(lambda tx: _create(tx, new, now))
    if out is None:
        print(text)
    else:
        write_private(out, text + "\n")
        print(f"written to {out}")


@app.command("list")
def list_all(data: DataDir = None) -> None:
    """List the tokens."""
    with _running(read_settings(data_dir=data)) as client:
        tokens = client.listed("/api/v1/tokens", "tokens")
    if not tokens:
        print("There are no tokens yet; make one with: esl token create")
        return
    table = Table("id", "name", "scopes", "stores", "made", "ends", "last used", "revoked")
    for t in tokens:
        table.add_row(
            t["id"],
            t["name"],
            " ".join(t["scopes"]),
            " ".join(t["stores"]),
            t["created_at"][:16],
            (t["expires_at"] or "-")[:16],
            (t["last_used_at"] or "-")[:16],
            (t["revoked_at"] or "")[:16],
        )
    print_table(table)


@app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, from: esl token list.")],
    data: DataDir = None,
) -> None:
    """Make a token worthless, at once."""
    with _running(read_settings(data_dir=data)) as client:
        client.delete(f"/api/v1/tokens/{quote(token_id, safe='')}")
    print(f"token {token_id} is worthless now")


def _create(tx: Connection, new: NewToken, now: datetime) -> str:
    return make_token(
        tx,
        new,
        token_id=secrets.token_hex(4),
        secret=secrets.token_urlsafe(32),
        actor=_ACTOR,
        now=now,
    )


def sign_in(data: DataDir = None) -> None:
    """Print a link that signs you in to the live page, once, within 24 hours."""
    settings = read_settings(data_dir=data)
    with _running(settings) as client:
        print(client.post("/api/v1/sign-in-links", {})["url"])


@contextmanager
def _running(settings: Settings) -> Iterator[Client]:
    running = _controller_on(settings.data_dir)
    if running is None:
        raise SetupError(
            f"no controller runs on {settings.data_dir}; start one with: esl serve, "
            f"or name its folder with --data"
        )
    with Client(running.url, running.token, certificate=running.certificate) as client:
        yield client


def _controller_on(data_dir: Path) -> RuntimeFile | None:
    """Return how to reach the controller that runs on a folder; None if none answers.

    One that was killed leaves its runtime file behind, and another program may have its port.
    """
    running = read_runtime_file(data_dir)
    if running is None:
        return None
    try:
        with Client(
            running.url,
            running.token,
            certificate=running.certificate,
            patience_s=_ANSWERS_WITHIN_S,
        ) as client:
            client.get("/api/v1/stores")
    except (SetupError, Unavailable, Refused):
        return None
    return running
