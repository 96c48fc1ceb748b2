"""``esl doctor``: try everything that a shop depends on, and say what to do."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli.serve import DataDir
from api.clock import MachineClock
from api.doctor.books import look_at_books
from api.doctor.broker import look_at_broker, read_enrolment
from api.doctor.finding import Finding, Result
from api.doctor.machine import look_at_machine
from api.doctor.provider import look_at_provider
from api.doctor.running import look_at_running
from esl.settings import Settings, read_settings
from gateway.wire.enrolment import Enrolment


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
    found = asyncio.run(_look(settings, enrolment))
    if as_json:
        fields = [
            {"name": one.name, "result": one.result, "words": one.words, "fix": one.fix}
            for one in found
        ]
        print(json.dumps({"result": _worst(found), "findings": fields}))
    else:
        for one in found:
            print(f"{one.result.value.upper():5} {one.name}: {one.words}")
            if one.fix and one.result is not Result.PASS:
                print(f"      → {one.fix}")
    if _worst(found) is Result.FAIL:
        raise typer.Exit(1)


async def _look(settings: Settings, as_gateway: Enrolment | None) -> list[Finding]:
    now = MachineClock().wall()
    found = list(look_at_machine(settings, now))
    if not settings.data_dir.is_dir():
        return found
    found += look_at_books(settings, now)
    found += [one async for one in look_at_broker(settings, as_gateway)]
    found += [one async for one in look_at_provider(settings)]
    found += look_at_running(settings)
    return found


def _worst(found: list[Finding]) -> Result:
    results = {one.result for one in found}
    return next((r for r in (Result.FAIL, Result.WARN) if r in results), Result.PASS)
