"""``esl notify …``: who is told of problems, and whether messages reach them."""

import json
import time
from typing import Annotated, Any, Final

import typer

from api.cli.running import running_client
from api.cli.serve import DataDir
from esl.domain.errors import SetupError

app = typer.Typer(help="Who is told of problems, by mail or chat.", no_args_is_help=True)

PATIENCE_S: Final = 60.0
"""A message may take 40 s, and is begun within two."""

Store = Annotated[str, typer.Argument(help="The store's id.")]


@app.command("show")
def show(store: Store, data: DataDir = None) -> None:
    """Print who is told of what, without secrets, and the last messages, as JSON."""
    with running_client(data) as client:
        print(json.dumps(client.get(_at(store)), ensure_ascii=False, indent=2))


@app.command("test")
def send_test(
    store: Store,
    to: Annotated[str | None, typer.Option(help="This recipient alone; left out: all.")] = None,
    data: DataDir = None,
) -> None:
    """Send a test message, and say what came of it."""
    with running_client(data) as client:
        made = client.post(f"{_at(store)}/test", {"recipient": to} if to is not None else {})
        numbers = {one["message"] for one in made["messages"]}
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            listed = client.get(_at(store))["messages"]
            messages = [one for one in listed if one["message"] in numbers]
            if all(map(_is_tried, messages)) or time.monotonic() >= deadline_s:
                break
            time.sleep(0.3)
    for one in messages:
        error = one["error"] or "it waits behind other messages"
        print(f"{one['recipient']}: {'taken' if one['state'] == 'sent' else error}")
    if any(one["state"] != "sent" for one in messages):
        raise SetupError("not every message was taken; mend it: PUT …/notifications")


def _is_tried(one: dict[str, Any]) -> bool:
    return one["state"] != "open" or one["error"] is not None


def _at(store: str) -> str:
    return f"/api/v1/stores/{store}/notifications"
