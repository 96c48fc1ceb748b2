"""``esl doctor``: try everything that a shop depends on, and say what to do."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli.serve import DataDir
from api.doctor.broker import read_enrolment
from api.doctor.finding import Result
from api.doctor.whole import look_at_all, worst_of
from esl.settings import read_settings


def doctor(
    as_gateway: Annotated[
        Path | None,
        typer.Option(
            help="Enrolment file of a gateway: try at the broker what it must not do.",
            show_default="not tried",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    data: DataDir = None,
) -> None:
    """Try folder, disk, database, backup, certificate, broker, provider, clocks; 1 if any fails."""
    settings = read_settings(data_dir=data)
    enrolment = read_enrolment(as_gateway) if as_gateway is not None else None
    found = asyncio.run(look_at_all(settings, enrolment))
    if as_json:
        fields = [
            {"name": one.name, "result": one.result, "words": one.words, "fix": one.fix}
            for one in found
        ]
        print(json.dumps({"result": worst_of(found), "findings": fields}))
    else:
        for one in found:
            print(f"{one.result.value.upper():5} {one.name}: {one.words}")
            if one.fix and one.result is not Result.PASS:
                print(f"      → {one.fix}")
    if worst_of(found) is Result.FAIL:
        raise typer.Exit(1)
