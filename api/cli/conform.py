"""``esl conform``: judge a gateway by the rules of the protocol, from outside.

Two ways to run it. On an installation whose controller is stopped, it takes that one's key, broker,
counters and revisions, and makes the labels want their own pictures again afterwards. With
``--key`` it stands alone, for a gateway on a table and labels that no controller cares for.
"""

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from api.books import Books, open_books
from api.broker_access.address import broker_at
from api.cli.panels import PanelsFile
from api.cli.serve import DataDir
from api.clock import MachineClock
from api.private_files import signing_key
from esl.domain.errors import EslError, SetupError
from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import Lane
from esl.domain.panel_file import load_panels
from esl.settings import Settings, read_settings
from esl.store import places
from esl.store.labels import labels_by_id, lock_labels, want
from esl.store.revisions import take_revision
from gateway.broker import Waiter, embedded_broker
from gateway.conform.conversation import Numbers
from gateway.conform.hands import Deed
from gateway.conform.line import ConformError
from gateway.conform.mqtt_line import mqtt_line
from gateway.conform.print import as_json, as_text
from gateway.conform.run import Wishes, conform
from gateway.conform.verdicts import Report
from gateway.link import COMMANDS_MOST
from gateway.mqtt import BrokerAddress
from gateway.wire.errors import WireError
from gateway.wire.signing import SigningKey
from gateway.wire.topics import is_id

CANNOT_JUDGE = 2
REVISIONS = 1000  # a run takes about fifty
COUNTERS = 1000  # and as many payloads


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run works with."""

    broker: BrokerAddress
    key: SigningKey
    numbers: Numbers
    epoch_of: Callable[[str], int]


class Terminal:
    """An operator at the terminal."""

    async def do(self, deed: Deed, label: str) -> bool:
        """Ask for a deed and wait until it is done."""
        print(f"\nLabel {label}: {deed}.", file=sys.stderr)
        question = "Press Enter when done, or type s and Enter to skip: "
        return (await asyncio.to_thread(_ask, question)).strip().lower() != "s"


def _ask(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return line or "s"  # nobody is there any more


def conform_command(
    gateway: Annotated[str, typer.Option(help="The gateway's id.")],
    label: Annotated[
        str | None, typer.Option(help="The label to test.", show_default="the first heard")
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(
            help="mqtt://user:password@host and :port; a login that may do what a controller may.",
            show_default="settings",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="PEM file of the key the gateway was enrolled with; stands alone then.",
            show_default="the installation's",
        ),
    ] = None,
    epoch: Annotated[
        int | None, typer.Option(help="Epoch of the labels' pairing.", show_default="known, or 0")
    ] = None,
    labels: Annotated[int, typer.Option(min=1, help="Most labels that may get test pictures.")] = 1,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds an answer may take, painting included.")
    ] = 60.0,
    beacon: Annotated[float, typer.Option(min=1, help="Seconds between a label's beacons.")] = 60.0,
    operator: Annotated[
        bool, typer.Option("--operator", help="Ask me to move and restart the label.")
    ] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    panels_file: PanelsFile = None,
    data: DataDir = None,
) -> None:
    """Check a gateway against the protocol's rules; labels under test get test pictures.

    Status 0: no rule was seen broken and its level was shown; 1: not so; 2: it could not be judged.
    """
    try:
        settings = read_settings(panels_file=panels_file, mqtt_url=broker, data_dir=data)
        if not is_id(gateway):
            raise SetupError("--gateway: 1 to 64 of a-z, 0-9 and '-'")
        with _means(settings, gateway, key) as means:
            epoch_of = means.epoch_of if epoch is None else lambda _: epoch
            wishes = Wishes(
                label=label,
                epoch_of=epoch_of,
                patience_s=patience,
                beacon_s=beacon,
                labels_most=labels,
            )
            run = _run(settings, gateway, means, wishes, Terminal() if operator else None)
            report = asyncio.run(run)
    except (ConformError, EslError) as exc:
        print("esl conform:", " ".join(str(exc).split()), file=sys.stderr)
        raise typer.Exit(CANNOT_JUDGE) from exc
    if as_json_:
        print(json.dumps(as_json(report), ensure_ascii=False, indent=2))
    else:
        print(as_text(report), end="")
    raise typer.Exit(0 if report.passed else 1)


async def _run(
    settings: Settings, gateway: str, means: Means, wishes: Wishes, operator: Terminal | None
) -> Report:
    panels = {str(name): panel for name, panel in load_panels(settings.panels_file).items()}
    _say(f"broker {means.broker}")
    async with mqtt_line(means.broker, gateway, MachineClock()) as line:
        return await conform(
            line,
            gateway,
            key=means.key,
            panels=panels,
            numbers=means.numbers,
            wishes=wishes,
            operator=operator,
            progress=_say,
        )


def _say(words: str) -> None:
    print(f"· {words}", file=sys.stderr, flush=True)


# -- what it works with -----------------------------------------------------------------------


@contextlib.contextmanager
def _means(settings: Settings, gateway: str, key_file: Path | None) -> Iterator[Means]:
    """Find key, broker and numbers; the broker runs while the block does."""
    if key_file is not None:
        yield _standing_alone(settings, key_file)
        return
    if not (settings.data_dir / "keys" / "signing.pem").exists():
        raise SetupError(
            f"{settings.data_dir} is no installation; run this where the controller runs, or give "
            f"--key and --broker"
        )
    with contextlib.ExitStack() as stack:
        books = stack.enter_context(_closed_books(settings))
        numbers = _reserved(books, GatewayId(gateway))
        touched: set[str] = set()
        stack.callback(lambda: _give_back(books, touched))
        if settings.mqtt_url is None:
            waiter = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
            embedded = stack.enter_context(embedded_broker(settings.data_dir / "run", waiter))
            broker = embedded.address
        else:
            broker = broker_at(settings.mqtt_url, settings)
        yield Means(
            broker=broker,
            key=signing_key(settings.data_dir),
            numbers=numbers,
            epoch_of=lambda label: _epoch_of(books, label, touched),
        )


@contextlib.contextmanager
def _closed_books(settings: Settings) -> Iterator[Books]:
    """Open the books, which a running controller keeps to itself."""
    with contextlib.ExitStack() as stack:
        try:
            books = stack.enter_context(open_books(settings))
        except SetupError as exc:
            if "uses" not in str(exc):
                raise
            raise SetupError(
                f"{exc}; stop the controller first: two that speak to one gateway cannot tell "
                f"their answers apart"
            ) from exc
        yield books


def _standing_alone(settings: Settings, key_file: Path) -> Means:
    if settings.mqtt_url is None:
        raise SetupError("with --key, give --broker too: mqtt://user:password@host:port")
    try:
        key = SigningKey.from_pem(key_file.read_bytes())
    except (WireError, OSError) as exc:
        raise SetupError(f"{key_file} is not a usable signing key: {exc}") from exc
    return Means(
        broker=broker_at(settings.mqtt_url, settings),
        key=key,
        numbers=Numbers.standing_alone(round(MachineClock().wall().timestamp() * 1000)),
        epoch_of=lambda _: 0,
    )


def _reserved(books: Books, gateway: GatewayId) -> Numbers:
    """Take counters and revisions of the installation that nobody else will use."""
    with books.database.read() as tx:
        known = {one.gateway_id for one in places.list_gateways(tx)}
    if gateway not in known:
        listed = ", ".join(sorted(known)[:5]) or "none"
        raise SetupError(
            f"gateway {gateway} is not enrolled here (enrolled: {listed}); enrol it, or give --key "
            f"and --broker of where it is"
        )
    first = books.writer.write(lambda tx: places.take_counters(tx, {gateway: COUNTERS}))[gateway]
    revisions = books.writer.write(lambda tx: [take_revision(tx) for _ in range(REVISIONS)])
    return Numbers(
        counters=iter(range(first, first + COUNTERS)),
        ids=itertools.count(first * COMMANDS_MOST),
        revisions=iter(revisions),
    )


def _epoch_of(books: Books, label: str, touched: set[str]) -> int:
    """Look up at which epoch a label is paired; whoever asks is about to send it a picture."""
    touched.add(label)
    name = LabelId(label)
    with books.database.read() as tx:
        found = labels_by_id(tx, [name])
    return found[name].epoch if name in found else 0


def _give_back(books: Books, touched: set[str]) -> None:
    """Make labels that got test pictures want their own again, above all revisions of the run."""

    def give_back(tx: Connection) -> None:
        known = labels_by_id(tx, [LabelId(label) for label in touched]).values()
        for store_id in sorted({label.store_id for label in known}):
            ours = sorted(x.label_id for x in known if x.store_id == store_id and x.paired)
            lock_labels(tx, store_id, ours)
            want(tx, ours, take_revision(tx), books.clock.now(), lane=Lane.NORMAL)

    books.writer.write(give_back)
