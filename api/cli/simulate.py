"""``esl simulate``: gateways and labels without hardware, on the real topics."""

import asyncio
import contextlib
import difflib
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import msgspec
import typer

from api.cli.panels import PanelsFile
from api.clock import MachineClock
from api.demo.control import serve_control
from api.parent import end_with_parent
from esl.domain.errors import FieldProblem, InvalidInput, SetupError
from esl.domain.panel import Panel, Panels
from esl.domain.panel_file import load_panels
from esl.settings import read_settings
from gateway.wire.enrolment import Enrolment, from_json
from gateway.wire.errors import WireError
from simulator.buttons import AnyButton
from simulator.ceiling import Ceiling
from simulator.fast_clock import fast_sleep
from simulator.faults import Faults
from simulator.gateway import GatewayOptions
from simulator.scenario import LABELS_MOST, Event
from simulator.scenario_text import ReadScenario, read_scenario, shipped_scenarios
from simulator.shop import Shop
from simulator.thin import ThinShop
from simulator.timeline import build_shop, check_events, run_events

_DONE_SHOWN = 3


def simulate(
    enrolment: Annotated[
        list[Path] | None,
        typer.Argument(help="Enrolment files, one a gateway: the answer of PUT …/gateways/{id}."),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(help="A scenario: a file of yours, or the name of one that is listed."),
    ] = None,
    list_them: Annotated[
        bool, typer.Option("--list", help="List the scenarios that come along, and how to run one.")
    ] = False,
    labels: Annotated[
        int, typer.Option(min=0, max=30_000, help="Labels in the range of each gateway.")
    ] = 24,
    panel: Annotated[
        list[str] | None,
        typer.Option(help="Panel models, used in turn.", show_default="bwry-296x128"),
    ] = None,
    panels_file: PanelsFile = None,
    paint: Annotated[float, typer.Option(min=0, help="Seconds a label takes to paint.")] = 2.0,
    beacon: Annotated[
        float, typer.Option(min=0.1, help="Seconds between a label's beacons.")
    ] = 60.0,
    lose: Annotated[
        float, typer.Option(min=0, max=1, help="Share of messages that get lost.")
    ] = 0.0,
    duplicate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of messages that come twice.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Where all chance comes from.")] = 1,
    control: Annotated[
        Path | None,
        typer.Option(help="Serve the fault buttons; address and token go to this file."),
    ] = None,
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
    SIGUSR1 a line of JSON says what travelled and what went wrong so far. A scenario says all of
    this in a file, and more: docs/simulator.md. One process takes 30,000 labels.
    """
    if with_parent:
        end_with_parent()
    if list_them:
        print(describe_shipped())
        return
    if scenario is not None and enrolment:
        raise SetupError("give enrolment files or --scenario, not both: a scenario names its own")
    if scenario is None and not enrolment:
        raise SetupError("give enrolment files, or --scenario with a file that names them")
    if thin:
        _run_thin([read_enrolment(path) for path in enrolment or []], seed)
        return
    known = load_panels(read_settings(panels_file=panels_file).panels_file)
    if scenario is not None:
        _run_scenario(scenario, known, control)
        return
    if labels * len(enrolment or []) > LABELS_MOST:
        raise SetupError(
            f"{labels * len(enrolment or [])} labels in all, and one process takes {LABELS_MOST}: "
            f"give fewer --labels, or run another process for the other gateways"
        )
    panels = [known.named(name) for name in panel or ["bwry-296x128"]]
    fittings = [
        (read_enrolment(path), _labels(read_enrolment(path).gateway, labels, panels))
        for path in enrolment or []
    ]
    faulty = lose or duplicate or control is not None
    shop = Shop(
        fittings,
        clock=MachineClock(),
        sleep=asyncio.sleep,
        seed=seed,
        options=GatewayOptions(paint_s=paint, beacon_s=beacon),
        faults=Faults(Random(seed), lose=lose, duplicate=duplicate) if faulty else None,  # noqa: S311  seeded chance
    )
    what = f"{len(fittings)} gateways with {labels} labels each"
    asyncio.run(_run(shop, what, lambda: {"counts": dict(shop.counts)}, control=control))


def read_enrolment(path: Path) -> Enrolment:
    """Read an enrolment file.

    Raises:
        SetupError: It is missing or not usable.
    """
    try:
        return from_json(path.read_text())
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise SetupError(
            f"{path} cannot be read: {reason}. It is the answer of "
            f"PUT /api/v1/stores/STORE/gateways/{path.stem}"
        ) from exc
    except WireError as exc:
        raise SetupError(f"{path} is not an enrolment file: {exc}") from exc


def _labels(gateway: str, count: int, panels: list[Panel]) -> list[tuple[str, Panel]]:
    return [(f"{gateway}-{n + 1:04d}", panels[n % len(panels)]) for n in range(count)]


def _run_thin(enrolments: Sequence[Enrolment], seed: int) -> None:
    shop = ThinShop(enrolments, clock=MachineClock(), sleep=asyncio.sleep, seed=seed)
    what = f"{len(enrolments)} gateways that acknowledge at once"
    asyncio.run(_run(shop, what, lambda: _travelled(shop)))


def read_plan(path: Path) -> tuple[ReadScenario, Path]:
    """Read a scenario, and say in which folder its enrolment files are looked for.

    Of a shipped one, named without a folder, that is the present one.

    Raises:
        SetupError: There is none, or it is wrong; several mistakes are printed before.
    """
    shipped = shipped_scenarios()
    folder = path.parent
    if not path.exists() and str(path) in shipped:
        path, folder = shipped[str(path)], Path()
    try:
        return read_scenario(path.read_text()), folder
    except FileNotFoundError as exc:
        near = difflib.get_close_matches(path.stem, shipped, 1)
        hint = (
            f"did you mean {near[0]}?" if near else f"those that come along: {', '.join(shipped)}"
        )
        raise SetupError(f"{path} is missing; {hint}") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{path} cannot be read: {exc}") from exc
    except InvalidInput as exc:
        told = [_mistake(problem) for problem in exc.problems]
        if len(told) == 1:
            raise SetupError(f"{path}: {told[0]}") from exc
        for line in told:
            print(f"{path}: {line}", file=sys.stderr)
        raise SetupError(f"{path}: {len(told)} mistakes, so nothing was started") from exc


def _mistake(problem: FieldProblem) -> str:
    fix = f". {problem.fix}" if problem.fix else ""
    return f"{problem.detail} ({problem.path or '/'}){fix}"


def describe_shipped() -> str:
    """List the scenarios that come along, and say how one is run."""
    lines: list[str] = []
    for name, path in shipped_scenarios().items():
        plan = read_scenario(path.read_text()).scenario
        files = ", ".join(gateway.enrolment for gateway in plan.gateways)
        lines.append(f"{name:14} {plan.title}; needs {files}")
    return "\n".join(
        [
            *lines,
            "",
            "An enrolment file is the answer of PUT /api/v1/stores/STORE/gateways/aisle-1 to a",
            "token with the right gateway:enrol. With those files in this folder:",
            "  esl simulate --scenario bad-morning",
            "To change one, copy it: it is",
            *(f"  {path}" for path in shipped_scenarios().values()),
        ]
    )


def _run_scenario(path: Path, known: Panels, control: Path | None) -> None:
    read, folder = read_plan(path)
    plan = read.scenario
    enrolments = [read_enrolment(folder / gateway.enrolment) for gateway in plan.gateways]
    shop = build_shop(plan, enrolments, known, clock=MachineClock(), sleep=asyncio.sleep)
    check_events(read.events, shop)
    what = f"{plan.title or path.stem}: {len(enrolments)} gateways, {len(shop.labels)} labels"
    asyncio.run(
        _run(
            shop,
            what,
            lambda: {"counts": dict(shop.counts)},
            control=control,
            events=read.events,
            speed=plan.speed,
        )
    )


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


async def _run(
    shop: Ceiling,
    what: str,
    figures: Callable[[], Mapping[str, object]],
    *,
    control: Path | None = None,
    events: Sequence[Event] = (),
    speed: float = 1.0,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: print(json.dumps(figures()), flush=True))
    async with shop, contextlib.AsyncExitStack() as running:
        if control is not None and isinstance(shop, Shop):
            await running.enter_async_context(serve_control(shop, control))
        print(f"simulating {what}; stop with Ctrl-C", flush=True)
        async with asyncio.TaskGroup() as tasks:
            happening = tasks.create_task(_happen(shop, events, speed), name="scenario events")
            await stop.wait()
            happening.cancel()


async def _happen(shop: Ceiling, events: Sequence[Event], speed: float) -> None:
    if isinstance(shop, Shop) and events:
        await run_events(events, shop, fast_sleep(asyncio.sleep, speed), _tell)


def _tell(button: AnyButton, done_to: Sequence[str]) -> None:
    what = msgspec.to_builtins(button)["do"]
    more = f" and {len(done_to) - _DONE_SHOWN} more" if len(done_to) > _DONE_SHOWN else ""
    print(f"{what}: {', '.join(done_to[:_DONE_SHOWN])}{more}", flush=True)
