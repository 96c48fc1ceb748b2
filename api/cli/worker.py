"""``esl worker``: deliver, beside other processes on the same PostgreSQL."""

import asyncio
import re
from typing import Annotated

import typer

from api.cli.serve import DataDir
from api.parent import end_with_parent
from api.worker_process import work
from esl.domain.errors import SetupError
from esl.settings import read_settings

_NAME = re.compile(r"[a-z0-9-]{1,12}")


def worker(
    data: DataDir = None,
    name: Annotated[
        str, typer.Option(help="Which of this folder's workers it is: 1, 2 … or a word.")
    ] = "1",
    database: Annotated[
        str | None, typer.Option(help="postgresql://…", show_default="database_url")
    ] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(
            help="The broker: mqtt://user:password@host and :port.", show_default="mqtt_url"
        ),
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(help="Seconds a label may take to answer.", show_default="60"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port of this machine for /healthz, /readyz and /metrics.", show_default="none"
        ),
    ] = None,
    with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Send and listen, without tills and pages, on a share of the gateways. Needs PostgreSQL.

    Run as many as you like, on as many machines: each holds a fair share of the gateways, and
    takes over those of a worker that dies, within 15 seconds. The folder needs the controller's
    keys. Ends on SIGTERM.
    """
    if not _NAME.fullmatch(name):
        raise SetupError("--name: one to twelve of a-z, 0-9 and -")
    settings = read_settings(
        data_dir=data,
        database_url=database,
        mqtt_url=mqtt,
        patience_s=patience,
        worker_port=port,
    )
    if with_parent:
        end_with_parent()
    asyncio.run(work(settings, name))
