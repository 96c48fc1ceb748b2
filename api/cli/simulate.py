"""``esl simulate``: gateways and labels without hardware, on the real topics."""

import asyncio
import json
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from api.cli.panels import PanelsFile
from api.clock import MachineClock
from api.parent import end_with_parent
from esl.domain.errors import SetupError
from esl.domain.panel import Panel
from esl.domain.panel_file import load_panels
from esl.settings import read_settings
from gateway.wire.enrolment import Enrolment, from_json
from gateway.wire.errors import WireError
from simulator.ceiling import Ceiling
from simulator.faults import Faults
from simulator.gateway import GatewayOptions
from simulator.shop import Shop
from simulator.thin import ThinShop


def simulate(
    enrolment: Annotated[
        list[Path],
        typer.Argument(help="Enrolment files, one a gateway: the answer of PUT …/gateways/{id}."),
    ],
    labels: Annotated[int, typer.Option(help="Labels in the range of each gateway.")] = 24,
    panel: Annotated[
        list[str] | None,
        typer.Option(help="Panel models, used in turn.", show_default="bwry-296x128"),
    ] = None,
    panels_file: PanelsFile = None,
    paint: Annotated[float, typer.Option(help="Seconds a label takes to paint.")] = 2.0,
    beacon: Annotated[float, typer.Option(help="Seconds between a label's beacons.")] = 60.0,
    lose: Annotated[float, typer.Option(help="Share of messages that get lost.")] = 0.0,
    duplicate: Annotated[float, typer.Option(help="Share of messages that come twice.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Where all chance comes from.")] = 1,
    thin: Annotated[
        bool,
        typer.Option(
            "--thin", help="Gateways without labels, that acknowledge everything at once."
        ),
    ] = False,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Run simulated gateways and labels until Ctrl-C.

    Labels are named GATEWAY-0001, GATEWAY-0002 … and say what they show like real ones. On
    SIGUSR1 a line of JSON says what travelled and what went wrong so far.
    """
    if with_parent:
        end_with_parent()
    if thin:
        enrolments = [read_enrolment(path) for path in enrolment]
        acknowledging = ThinShop(enrolments, clock=MachineClock(), sleep=asyncio.sleep, seed=seed)
        what = f"{len(enrolments)} gateways that acknowledge at once"
        asyncio.run(_run(acknowledging, what, lambda: _travelled(acknowledging)))
        return
    known = load_panels(read_settings(panels_file=panels_file).panels_file)
    panels = [known.named(name) for name in panel or ["bwry-296x128"]]
    fittings = [
        (read_enrolment(path), _labels(read_enrolment(path).gateway, labels, panels))
        for path in enrolment
    ]
    faults = Faults(Random(seed), lose=lose, duplicate=duplicate) if lose or duplicate else None  # noqa: S311  seeded chance
    shop = Shop(
        fittings,
        clock=MachineClock(),
        sleep=asyncio.sleep,
        seed=seed,
        options=GatewayOptions(paint_s=paint, beacon_s=beacon),
        faults=faults,
    )
    what = f"{len(fittings)} gateways with {labels} labels each"
    asyncio.run(_run(shop, what, lambda: {"counts": dict(shop.counts)}))


def read_enrolment(path: Path) -> Enrolment:
    """Read an enrolment file.

    Raises:
        SetupError: It is missing or not usable.
    """
    try:
        return from_json(path.read_text())
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{path} cannot be read: {exc}") from exc
    except WireError as exc:
        raise SetupError(f"{path} is not an enrolment file: {exc}") from exc


def _labels(gateway: str, count: int, panels: list[Panel]) -> list[tuple[str, Panel]]:
    return [(f"{gateway}-{n + 1:04d}", panels[n % len(panels)]) for n in range(count)]


def _travelled(shop: ThinShop) -> Mapping[str, object]:
    travelled = shop.travelled
    return {
        "down_payloads": travelled.down_payloads,
        "down_bytes": travelled.down_bytes,
        "picture_bytes": travelled.picture_bytes,
        "envelope_bytes": travelled.envelope_bytes,
        "pictures": travelled.pictures,
        "encodings": dict(travelled.encodings),
        "counts": dict(shop.counts),
    }


async def _run(shop: Ceiling, what: str, figures: Callable[[], Mapping[str, object]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: print(json.dumps(figures()), flush=True))
    async with shop:
        print(f"simulating {what}; stop with Ctrl-C", flush=True)
        await stop.wait()
