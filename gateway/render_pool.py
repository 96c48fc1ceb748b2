"""Rendering in processes beside the controller, for batches where that pays.

    batch ─┬─▶ this process: new prices over pictures that hang, and its share of the rest
           ├─▶ worker 1 ─┐
           └─▶ worker n ─┴─▶ one list, in the batch's order

A face drawn from the beginning costs several times what its way to another process and back does;
a price painted over a known picture costs less. So only the former goes away, and only where many
are due. A label always goes to the same worker, whose caches know it.

A worker that dies or hangs, also in the middle of a message through its pipe, is replaced, and its
labels are drawn again one by one: the one that does it again fails with a problem, and no other.
Workers are spawned, never forked, and end when their end of the pipe does, whatever kills the
controller.
"""

import gc
import os
import signal
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import structlog

from esl.domain.ids import Digest
from esl.domain.panel_file import load_panels
from esl.domain.template import TemplateRef, TemplateSource
from esl.services.deliveries import DueLabel
from esl.services.neutral import NeutralBook
from gateway.bases import Base
from gateway.easel import Easel, Outcome, Refused
from gateway.painter import LAYERS_KEPT, TEMPLATES_KEPT, Painter
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.text.fonts import Fonts

PAYS_FROM = 200
"""Faces to be drawn from the beginning in one batch, from which sharing them out pays."""

WORKERS_MOST = 4
"""Of `count_workers`: a batch of 500 is not worth more."""

PATIENCE_S = 20.0
"""How long a worker may take over its share; a hundred times the usual."""

START_S = 60.0
"""How long a worker may take to start; two seconds are usual on a machine with nothing to do."""

_READY = "ready"
_BROKEN = Refused("render_error", "drawing it ended or stopped the process that drew it")

log = structlog.get_logger()


def count_workers(wanted: int | Literal["auto"]) -> int:
    """Say how many workers there should be: as many as wanted, or what the machine has to spare.

    Not on two cores: controller and broker keep these busy, and a worker's start alone takes the
    processor time of some thousand pictures.
    """
    if wanted != "auto":
        return wanted
    return max(0, min(WORKERS_MOST, len(os.sched_getaffinity(0)) - 2))


def open_easel(fonts_folder: Path | None, panels_file: Path | None) -> Easel:
    """Make what a worker draws with, from what the controller was started with."""
    panels = load_panels(panels_file)
    renderer = Renderer(fonts=Fonts(fonts_folder), products_kept=LAYERS_KEPT)
    painter = Painter(renderer=renderer, panels=panels, gallery=load_gallery())
    return Easel(painter=painter, panels=panels)


class RenderPool:
    """An `Easel` that shares out; used by one thread at a time, and closed in the end.

    ``make`` is called in each worker, so it must be a function of a module, or a `partial` of one.
    """

    def __init__(
        self,
        here: Easel,
        make: Callable[[], Easel],
        *,
        workers: int,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._here = here
        self._make = make
        self._count = workers
        self._patience_s = patience_s
        self._sources: OrderedDict[TemplateRef, TemplateSource] = OrderedDict()
        self._workers: list[_Worker] = []

    def start(self) -> None:
        """Start the workers. The first batch that is worth it does so, and goes without them."""
        while len(self._workers) < self._count:
            self._workers.append(_Worker(self._make, self._patience_s))

    def close(self) -> None:
        """End the workers; nothing is drawn after it."""
        for worker in self._workers:
            worker.end()
        self._workers, self._count = [], 0

    def unknown(self, due: Iterable[DueLabel]) -> frozenset[TemplateRef]:
        """Say which templates of stores these labels need that nobody has shown us yet."""
        return self._here.unknown(due)

    def learn(self, sources: Mapping[TemplateRef, TemplateSource]) -> None:
        """Take templates of stores in, for here and for the workers."""
        self._here.learn(sources)
        self._sources.update(sources)
        while len(self._sources) > TEMPLATES_KEPT:
            self._sources.popitem(last=False)

    def draw(
        self, due: Sequence[DueLabel], bases: Mapping[Digest, Base], neutral: NeutralBook
    ) -> list[Outcome]:
        """Draw labels; return what becomes of each, in their order."""
        if sum(_from_the_beginning(label, bases) for label in due) < PAYS_FROM:
            return self._here.draw(due, bases, neutral)
        self.start()
        ready = [worker for worker in self._workers if worker.is_ready()]
        if not ready:
            return self._here.draw(due, bases, neutral)
        outcomes: dict[int, Outcome] = {}
        shares: list[list[int]] = [[] for _ in range(len(ready) + 1)]
        for at, label in enumerate(due):
            turn = crc32(label.label_id.encode()) % len(shares)
            shares[turn if _from_the_beginning(label, bases) else 0].append(at)
        begun = [
            (worker, share, worker.begin(self._task([due[at] for at in share], bases, neutral)))
            for worker, share in zip(ready, shares[1:], strict=True)
        ]
        mine = self._here.draw([due[at] for at in shares[0]], bases, neutral)
        outcomes.update(zip(shares[0], mine, strict=True))
        for worker, share, has_begun in begun:
            theirs = worker.finish() if has_begun else None
            if theirs is None:
                theirs = self._draw_singly(worker, [due[at] for at in share], bases, neutral)
            outcomes.update(zip(share, theirs, strict=True))
        return [outcomes[at] for at in range(len(due))]

    def _task(
        self, due: Sequence[DueLabel], bases: Mapping[Digest, Base], neutral: NeutralBook
    ) -> "_Task":
        sources = {
            ref: self._sources[ref]
            for ref in {label.template for label in due}
            if ref is not None and ref in self._sources
        }
        known = {d: bases[d] for d in {label.shown_digest for label in due} if d in bases}
        return list(due), known, neutral, sources

    def _draw_singly(
        self,
        worker: "_Worker",
        due: Sequence[DueLabel],
        bases: Mapping[Digest, Base],
        neutral: NeutralBook,
    ) -> list[Outcome]:
        """Draw the share of a worker that failed, label by label, in one that is new."""
        outcomes: list[Outcome] = []
        for label in due:
            begun = worker.begin(self._task([label], bases, neutral))
            drawn = worker.finish() if begun else None
            if drawn is None:
                log.error("a label broke its renderer", label=label.label_id, rev=label.wanted_rev)
            outcomes += drawn if drawn is not None else [_BROKEN]
        return outcomes


_Task = tuple[list[DueLabel], dict[Digest, Base], NeutralBook, dict[TemplateRef, TemplateSource]]


class _Worker:
    """One process, and the next when it ends."""

    def __init__(self, make: Callable[[], Easel], patience_s: float) -> None:
        self._make = make
        self._patience_s = patience_s
        self._spawn()

    def is_ready(self) -> bool:
        """Say whether it has started, without waiting for it."""
        return self._ready or self._wait_ready(0)

    def begin(self, task: "_Task") -> bool:
        """Give it something to draw; say whether it took it."""
        if not self._ready and not self._wait_ready(START_S):
            self._replace("did not start")
            return False
        try:
            self._pipe.send(task)
        except OSError:
            self._replace("has ended")
            return False
        return True

    def finish(self) -> list[Outcome] | None:
        """Take what it drew; None where it ended or took too long, and there is another now."""
        try:
            if self._pipe.poll(self._patience_s):
                drawn: list[Outcome] = self._pipe.recv()
                return drawn
        except (EOFError, OSError):
            self._replace("has ended")
        else:
            self._replace("takes too long")
        return None

    def end(self) -> None:
        """End the process, and wait for its end."""
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def _spawn(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_work, args=(theirs, self._make), name="render worker", daemon=True
        )
        self._process.start()
        theirs.close()
        _bound(self._pipe, self._patience_s)
        self._ready = False

    def _wait_ready(self, patience_s: float) -> bool:
        try:
            self._ready = self._pipe.poll(patience_s) and self._pipe.recv() == _READY
        except (EOFError, OSError):
            self._replace("did not start")
        return self._ready

    def _replace(self, why: str) -> None:
        log.warning("render worker replaced", reason=why)
        self.end()
        self._spawn()


def _bound(pipe: "Connection[Any, Any]", patience_s: float) -> None:
    """Let no write into a full pipe and no read of half a message wait for longer than this.

    A pipe both ways is a pair of sockets; both ends share the limits with their copies.
    """
    whole_s, part_us = int(patience_s), int(patience_s % 1 * 1_000_000)
    limit = struct.pack("@ll", whole_s, part_us)  # struct timeval
    with socket.socket(fileno=os.dup(pipe.fileno())) as same:
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            same.setsockopt(socket.SOL_SOCKET, option, limit)


def _from_the_beginning(label: DueLabel, bases: Mapping[Digest, Base]) -> bool:
    base = bases.get(label.shown_digest)
    return base is None or not base.mark


def _work(pipe: "Connection[Any, Any]", make: Callable[[], Easel]) -> None:
    """Draw what comes through the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    easel = make()
    gc.freeze()
    try:
        pipe.send(_READY)
        while True:
            due, bases, neutral, sources = pipe.recv()
            easel.learn(sources)
            pipe.send(easel.draw(due, bases, neutral))
    except (EOFError, OSError):
        return
