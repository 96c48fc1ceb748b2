"""A simulated shelf as a process of its own, whose glass survives a ``kill -9`` as e-paper does.

    python -m tests.shelf_process FOLDER

    shelf.json     what hangs there; written by the test
    glass.jsonl    [label, incarnation, rev, digest] each time a label's memory changes, before
                   anybody is told: the judge's record
    frames/DIGEST  the pixels of every picture that was on a glass
    standing       the process whose start has read the record, by its pid

At each start every label is what the record says it was. ``forgetful`` is the share of labels that
lose their memory at a start: they come back blank, with a new incarnation.
"""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from api.clock import MachineClock
from api.parent import end_with_parent
from esl.domain.panel import Panel
from esl.domain.panel_file import load_panels
from gateway.wire.enrolment import from_json
from gateway.wire.messages import Put, ShowEntry
from simulator.gateway import GatewayOptions
from simulator.label import Done, Painting, SimLabel
from simulator.picture import Picture, Refusal
from simulator.shop import Shop

GLASS = "glass.jsonl"
SHELF = "shelf.json"
STANDING = "standing"


@dataclass(frozen=True, slots=True)
class Memory:
    """What a label remembers."""

    incarnation: int = 1
    rev: int = 0
    digest: str = ""


class Record:
    """The record of every glass; written before anybody is told."""

    def __init__(self, folder: Path) -> None:
        self.memory: dict[str, Memory] = {}
        self._frames = folder / "frames"
        self._frames.mkdir(exist_ok=True)
        for label, *memory in read_glass(folder):
            self.memory[label] = Memory(*memory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(folder / GLASS, flags)

    def write(self, label: str, memory: Memory, pixels: bytes | None = None) -> None:
        if self.memory.get(label, Memory()) == memory:
            return
        self.memory[label] = memory
        path = self._frames / memory.digest
        if pixels is not None and not path.exists():
            draft = path.with_suffix(".draft")
            draft.write_bytes(pixels)
            draft.rename(path)
        line = json.dumps([label, memory.incarnation, memory.rev, memory.digest])
        os.write(self._file, f"{line}\n".encode())

    def pixels(self, digest: str) -> bytes:
        return (self._frames / digest).read_bytes()


def read_glass(folder: Path) -> list[tuple[str, int, int, str]]:
    """Read the record: label, incarnation, revision, digest, in the order of what happened."""
    path = folder / GLASS
    text = path.read_text() if path.exists() else ""
    return [tuple(json.loads(line)) for line in text.splitlines()]


@dataclass(slots=True, eq=False)
class RecordedLabel(SimLabel):
    """A label whose every change of memory is written down."""

    record: Record | None = field(default=None, repr=False)

    def receive(self, put: Put) -> Done | Painting | Refusal:
        answer = SimLabel.receive(self, put)
        self._note()
        return answer

    def show(self, entry: ShowEntry) -> Done | Painting | Refusal:
        answer = SimLabel.show(self, entry)
        self._note()
        return answer

    def finish_paint(self, painting: Painting) -> bool:
        painted = SimLabel.finish_paint(self, painting)
        self._note()
        return painted

    def restore(self, record: Record, *, forgets: bool) -> None:
        self.record = record
        before = record.memory.get(self.label_id, Memory())
        if forgets and before.rev:
            self.incarnation = before.incarnation + 1
            self._note()
            return
        self.incarnation, self.shown_rev = before.incarnation, before.rev
        self.shown_digest = bytes.fromhex(before.digest)
        if before.digest:
            self.glass = Picture.whole(record.pixels(before.digest))

    def _note(self) -> None:
        assert self.record is not None
        memory = Memory(self.incarnation, self.shown_rev, self.shown_digest.hex())
        pixels = None if self.glass is None else self.glass.frame()
        self.record.write(self.label_id, memory, pixels)


class RecordedShop(Shop):
    """A shop of such labels."""

    def _label(self, label_id: str, panel: Panel, random: Random) -> SimLabel:
        if label_id not in self.labels:
            dbm = random.randint(*self._signal_dbm)
            self.labels[label_id] = RecordedLabel(label_id, panel, rssi_dbm=dbm)
        return self.labels[label_id]


async def run(folder: Path) -> None:
    shelf: dict[str, Any] = json.loads((folder / SHELF).read_text())
    starts = folder / "starts"
    number = int(starts.read_text()) + 1 if starts.exists() else 1
    starts.write_text(str(number))
    random = Random(f"{shelf['seed']}/{number}")
    panels = load_panels()
    shop = RecordedShop(
        [
            (
                from_json(json.dumps(enrolment)),
                [
                    (label, panels.named(panel))
                    for g, label, panel in shelf["labels"]
                    if g == gateway
                ],
            )
            for gateway, enrolment in shelf["gateways"].items()
        ],
        clock=MachineClock(),
        sleep=asyncio.sleep,
        # Sessions follow from the seed: a start must not use those of the one before it.
        seed=random.getrandbits(32),
        options=GatewayOptions(
            paint_s=shelf["paint_s"],
            jitter=0.5,
            beacon_s=shelf["beacon_s"],
            heartbeat_s=shelf["beacon_s"],
        ),
    )
    record = Record(folder)
    for label in shop.labels.values():
        assert isinstance(label, RecordedLabel)
        label.restore(record, forgets=random.random() < shelf["forgetful"])
    (folder / STANDING).write_text(str(os.getpid()))
    async with shop:
        await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(Path(sys.argv[1])))
