"""``esl clock``: the time the controller acts by, and believing the machine's clock."""

from typing import Annotated, Any

import typer

from api.cli.running import running_client
from api.cli.serve import DataDir

app = typer.Typer(
    help="The time the controller acts by.", no_args_is_help=True, pretty_exceptions_enable=False
)


@app.command("show")
def show(data: DataDir = None) -> None:
    """Say what time the controller acts by, and whether it follows the machine's clock."""
    with running_client(data) as client:
        print(_words(client.get("/api/v1/clock")))


@app.command("confirm")
def confirm(
    data: DataDir = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Believe the machine's clock that is more than a day ahead, and go on by it."""
    with running_client(data) as client:
        found = client.get("/api/v1/clock")
        if not found["held"]:
            print(_words(found))
            return
        if not yes:
            typer.confirm(f"Is it really {_short(found['machine'])} UTC now?", abort=True)
        print(_words(client.post("/api/v1/clock/confirm", {})))


def _words(found: dict[str, Any]) -> str:
    now, machine = _short(found["now"]), _short(found["machine"])
    if found["held"]:
        return (
            f"The controller acts by {now} UTC. The machine says {machine} UTC, more than a day "
            f"ahead, and is not followed; if it is right: esl clock confirm"
        )
    return f"The controller acts by {now} UTC; the machine says {machine} UTC."


def _short(instant: str) -> str:
    return instant[:19].replace("T", " ")
