"""The label under test: puts for it, and what its gateway has said it shows."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from esl.domain.panel import Panel
from gateway.conform.conversation import Answer, Conversation
from gateway.conform.pictures import Picture, stripes
from gateway.wire.messages import ZLIB, Put, Seen, Shown

LIFETIME_MS = 3_600_000
ASK_AGAIN_S = 1.0


@dataclass(slots=True)
class Subject:
    """One label, and the conversation with its gateway.

    ``glass_s`` is how long its last painting took from command to `Shown`; ``others`` are further
    labels of that gateway whose panels are known.
    """

    talk: Conversation
    label: str
    panel: Panel
    epoch_of: Callable[[str], int]  # at which epoch a label is paired
    slots: int  # that the label told or its model has
    others: dict[str, Panel] = field(default_factory=dict)
    revs: dict[str, int] = field(default_factory=dict)  # the highest each label was seen to show
    shown: Picture | None = None
    shown_rev: int = 0
    glass_s: float = 0.0
    distrusts_shown: bool = False  # its gateway says `shown` too early: ask the label itself
    _pictures: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def picture(self, panel: Panel | None = None) -> Picture:
        """A picture unlike the last ones."""
        return stripes(panel or self.panel, next(self._pictures))

    def next_rev(self) -> int:
        """A revision above all that the labels under test show."""
        return self.talk.next_rev(max([self.shown_rev, *self.revs.values()]))

    def put(self, picture: Picture, **changes: Any) -> Put:
        """A good put for this label with a fresh id and revision, unless changed."""
        encoding = changes.get("encoding", ZLIB)
        fields: dict[str, Any] = {
            "label": self.label,
            "epoch": self.epoch_of(changes.get("label", self.label)),
            "slot": 0,
            "digest": picture.digest,
            "size": len(picture.frame),
            "encoding": encoding,
            "show": True,
            "deadline": self.talk.gateway_ms() + LIFETIME_MS,
        }
        for name, fresh in (("id", self.talk.next_id), ("rev", self.next_rev)):
            if name not in changes:
                fields[name] = fresh()
        if "data" not in changes:
            fields["data"] = picture.encoded(encoding, self.shown if "base" in changes else None)
        return Put(**(fields | changes))

    async def paint(self, picture: Picture, **changes: Any) -> tuple[Put, Answer | None]:
        """Have a picture painted, and wait for what comes of it."""
        put = self.put(picture, **changes)
        began_s = self.talk.line.monotonic_s()
        await self.talk.send(put)
        answer = await self.talk.answer_to(put.id)
        if isinstance(answer, Shown):
            self.note_shown(answer, picture)
            if self.distrusts_shown:
                await self._await_glass(answer)
            self.glass_s = self.talk.line.monotonic_s() - began_s
        return put, answer

    async def _await_glass(self, answer: Shown) -> None:
        """Wait until the label itself says what its gateway said for it."""
        end_s = self.talk.line.monotonic_s() + self.talk.patience_s
        while self.talk.line.monotonic_s() < end_s:
            seen = await self.seen()
            if seen is not None and seen.shown_rev >= answer.rev:
                return
            await self.talk.listen(ASK_AGAIN_S)

    def note_shown(self, answer: Shown, picture: Picture) -> None:
        """Remember what the label shows now."""
        if answer.label == self.label and answer.rev >= self.shown_rev:
            self.shown_rev = answer.rev
            self.shown = picture

    async def seen(self) -> Seen | None:
        """What the label says it shows."""
        return await self.talk.ask_seen(self.label)


def words(answer: Answer | None, patience_s: float) -> str:
    """An answer as a person reads it."""
    match answer:
        case None:
            return f"nothing within {patience_s:g} s"
        case Shown():
            return f"shown (revision {answer.rev})"
        case _ if answer.name == "stored":
            return "stored"
    code = getattr(answer, "code", "")
    detail = getattr(answer, "detail", "")
    return f"failed {code}{f' ({detail})' if detail else ''}"
