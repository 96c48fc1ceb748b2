"""``esl demo``: a whole shop on this machine."""

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.demo import run
from esl.domain.errors import SetupError


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Headless: pair, change one price, compare, end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print one JSON line and nothing else.")
    ] = False,
    labels: Annotated[int, typer.Option(min=1, max=1000, help="Labels on the shelf.")] = run.LABELS,
    port: Annotated[int, typer.Option(help="Port of the live page, 0 for a free one.")] = 8080,
    data: Annotated[Path, typer.Option(help="Folder for the demo; emptied at each start.")] = Path(
        "demo-data"
    ),
) -> None:
    """Start broker, controller and a simulated shop, and open a live shelf to look at."""
    if as_json and not once:
        raise SetupError("--json goes with --once: a demo that lives has nothing to print")
    if not once:
        asyncio.run(run.run_live(data, labels=labels, port=port, say=print))
        return
    with tempfile.TemporaryDirectory(prefix="esl-demo-") as folder:
        say = _quiet if as_json else print
        outcome = asyncio.run(run.run_once(Path(folder), labels=labels, say=say))
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        print(
            f"{outcome.shown} of {outcome.labels} labels show, {outcome.mismatched} of them wrong; "
            f"first fill {outcome.first_fill_s} s, change to glass {outcome.change_to_glass_s} s"
        )
    if not outcome.is_right:
        sys.exit(1)


def _quiet(_words: str) -> None:
    pass
