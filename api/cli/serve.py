"""``esl serve``: run a controller."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.parent import end_with_parent
from api.server import serve as run_server
from esl.settings import read_settings

# The defaults are named here because None means: from the environment or the settings file.
DataDir = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of database, keys and logins.", show_default="esl-data"),
]


def serve(
    data: DataDir = None,
    host: Annotated[
        str | None, typer.Option(help="Address to bind.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on, 0 for a free one.", show_default="8080"),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="sqlite:///… or postgresql://…", show_default="a file in --data"),
    ] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(
            help="mqtt://user:password@host and :port", show_default="the embedded broker"
        ),
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(help="Seconds a label may take to answer.", show_default="60"),
    ] = None,
    plain_http_allowed: Annotated[
        bool | None,
        typer.Option(
            "--plain-http-allowed", help="Bind beyond this machine without TLS, knowingly."
        ),
    ] = None,
    tls: Annotated[
        bool | None,
        typer.Option("--tls", help="Speak HTTPS; certificates: esl tls init.", show_default=False),
    ] = None,
    simulator: Annotated[
        Path | None,
        typer.Option(
            help="Control file of a simulated shop: its fault buttons on the live page.",
            show_default="none",
        ),
    ] = None,
    delivery: Annotated[
        bool, typer.Option(help="Without: `esl worker` sends and listens, on PostgreSQL.")
    ] = True,
    with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run a controller: HTTP API, live page, dispatcher, inbox and clock. Ends on SIGTERM."""
    settings = read_settings(
        data_dir=data,
        host=host,
        port=port,
        database_url=database,
        mqtt_url=mqtt,
        patience_s=patience,
        plain_http_allowed=plain_http_allowed,
        tls=tls,
        simulator_control=simulator,
    )
    if with_parent:
        end_with_parent()
    asyncio.run(run_server(settings, delivers=delivery))
