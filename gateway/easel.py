"""Where a batch of labels is drawn: face to frame, frame to the bytes that travel.

    label ─▶ frame ─▶ unchanged and nothing unanswered?  ─▶ nothing is sent
       │          └─▶ codes proven ─▶ told apart from what the label shows, or whole
       └─ cannot be drawn, or may show no price ─▶ the same with a neutral face

A delta is made where the label itself said what it shows, nothing unanswered is out, and its
gateway can pass deltas on. A whole picture is compressed only where it may be the smaller one.
Touches no database, so that it may be done in another process (`gateway.render_pool`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import structlog

from esl.domain.errors import EslError, RenderRefused
from esl.domain.ids import Digest
from esl.domain.label import may_skip_sending
from esl.domain.panel import Panel, Panels
from esl.domain.stages import NO_STAGES, Stage, Stages
from esl.domain.template import TemplateRef, TemplateSource
from esl.services.deliveries import DueLabel, StoredFrame
from esl.services.neutral import NeutralBook
from gateway.bases import DEPTH_MOST, Base
from gateway.neutral import draw_neutral
from gateway.painter import Painter
from gateway.pictures import KEEP_LEVEL, deflate, difference
from gateway.wire.messages import XOR_ZLIB
from renderer.frame import Frame

LEVEL_WITH_DELTAS = "full"
"""The level from which a gateway passes deltas on."""

_SURELY_SMALLER = 0.7
"""A delta below this share of the usual whole picture is not compared with the whole one. Of whole
pictures of one template on one panel hardly any is a third smaller than the mean."""

_MEAN_OVER = 16  # whole pictures that the mean size follows

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refused:
    """The label cannot be drawn truthfully; ``problem`` names why."""

    problem: str
    detail: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture to send. ``kept`` is the frame as it is kept, mostly just as it travels.

    ``instead_of`` says what could not be drawn where it is a neutral face.
    """

    digest: Digest
    pixels: bytes
    travels: StoredFrame
    kept: StoredFrame
    template: str
    instead_of: Refused | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The label shows this already, and nothing unanswered is out."""

    digest: Digest
    instead_of: Refused | None = None


Outcome = Drawn | Unchanged | Refused


class Draws(Protocol):
    """What draws a batch: an `Easel`, or a pool of processes with one each."""

    def unknown(self, due: Iterable[DueLabel]) -> frozenset[TemplateRef]:
        """Say which templates of stores these labels need that nobody has shown us yet."""

    def learn(self, sources: Mapping[TemplateRef, TemplateSource]) -> None:
        """Take templates of stores in."""

    def draw(
        self, due: Sequence[DueLabel], bases: Mapping[Digest, Base], neutral: NeutralBook
    ) -> list[Outcome]:
        """Draw labels; return what becomes of each, in their order."""


class _Painted(NamedTuple):
    label: DueLabel  # with the face it was drawn with
    frame: Frame
    instead_of: Refused | None = None


def takes_delta(label: DueLabel) -> bool:
    """Say whether a label's next picture may be a delta to what it said it shows."""
    return (
        label.level == LEVEL_WITH_DELTAS
        and not label.send_full
        and label.shown_digest != ""
        and label.sent_rev <= label.shown_rev
    )


class Easel:
    """Draws with one `Painter`, label by label; used by one thread at a time."""

    def __init__(self, *, painter: Painter, panels: Panels, stages: Stages = NO_STAGES) -> None:
        self._painter = painter
        self._panels = panels
        self._stages = stages
        self._mean_whole: dict[tuple[str, str], float] = {}  # panel, template -> bytes

    def unknown(self, due: Iterable[DueLabel]) -> frozenset[TemplateRef]:
        """Say which templates of stores these labels need that nobody has shown us yet."""
        return self._painter.unknown(due)

    def learn(self, sources: Mapping[TemplateRef, TemplateSource]) -> None:
        """Take templates of stores in; one that cannot be read fails its labels alone."""
        self._painter.learn(sources)

    def draw(
        self, due: Sequence[DueLabel], bases: Mapping[Digest, Base], neutral: NeutralBook
    ) -> list[Outcome]:
        """Draw labels; what fails, fails its own label and no other."""
        began_ns = self._stages.cpu_ns()
        painted = [self._paint(label, bases.get(label.shown_digest), neutral) for label in due]
        self._measure(Stage.RENDER, began_ns, len(due))
        began_ns = self._stages.cpu_ns()
        made: dict[tuple[Digest, Digest | None], tuple[StoredFrame, StoredFrame]] = {}
        outcomes = [
            self._make(one, bases, neutral, made) if isinstance(one, _Painted) else one
            for one in painted
        ]
        self._measure(Stage.PICTURE, began_ns, sum(isinstance(o, Drawn) for o in outcomes))
        return outcomes

    def _paint(
        self, label: DueLabel, base: Base | None, neutral: NeutralBook
    ) -> _Painted | Unchanged | Refused:
        if label.face is None or neutral.is_ordered(label):
            return self._paint_neutral(label, neutral, Refused(*neutral.reason(label)))
        try:
            frame = self._painter.paint(label, base)
        except Exception as exc:  # noqa: BLE001  fails this label and no other
            return self._paint_neutral(label, neutral, _refused(exc, label))
        return _shown_already(_Painted(label, frame))

    def _paint_neutral(
        self, label: DueLabel, neutral: NeutralBook, refused: Refused
    ) -> _Painted | Unchanged | Refused:
        drawn = draw_neutral(label, neutral, self._paint_and_prove)
        return refused if drawn is None else _shown_already(_Painted(*drawn, refused))

    def _paint_and_prove(self, label: DueLabel) -> Frame:
        frame = self._painter.paint(label)
        self._painter.prove(label, frame)
        return frame

    def _make(
        self,
        painted: _Painted,
        bases: Mapping[Digest, Base],
        neutral: NeutralBook,
        made: dict[tuple[Digest, Digest | None], tuple[StoredFrame, StoredFrame]],
    ) -> Outcome:
        if painted.instead_of is None:
            try:
                # Each label, though frames be equal: stores ask for different samples.
                self._painter.prove(painted.label, painted.frame)
            except Exception as exc:  # noqa: BLE001  fails this label and no other
                other = self._paint_neutral(painted.label, neutral, _refused(exc, painted.label))
                if not isinstance(other, _Painted):
                    return other
                painted = other
        label, frame, instead_of = painted
        base = bases.get(label.shown_digest) if takes_delta(label) else None
        if base is not None and base.panel_id != frame.panel_id:
            base = None
        key = frame.digest, label.shown_digest if base is not None else None
        if key not in made:
            made[key] = self._compress(label, frame, base)
        travels, kept = made[key]
        return Drawn(frame.digest, frame.pixels, travels, kept, str(label.template), instead_of)

    def _compress(
        self, label: DueLabel, frame: Frame, base: Base | None
    ) -> tuple[StoredFrame, StoredFrame]:
        """Return the frame as it travels and as it is kept."""
        panel = self._panels.named(frame.panel_id)
        kind = frame.panel_id, str(label.template)
        delta = self._delta(label, frame, base, panel) if base is not None else None
        usual = self._mean_whole.get(kind)
        if delta is not None and usual is not None and len(delta.data) < usual * _SURELY_SMALLER:
            if delta.depth <= DEPTH_MOST:
                return delta, delta
            data = deflate(frame.pixels, panel, level=KEEP_LEVEL)
            return delta, StoredFrame(panel_id=frame.panel_id, data=data, mark=frame.mark)
        data = deflate(frame.pixels, panel)
        whole = StoredFrame(panel_id=frame.panel_id, data=data, mark=frame.mark)
        mean = self._mean_whole.get(kind, float(len(whole.data)))
        self._mean_whole[kind] = mean + (len(whole.data) - mean) / _MEAN_OVER
        if delta is None or len(delta.data) >= len(whole.data):
            return whole, whole
        return delta, delta if delta.depth <= DEPTH_MOST else whole

    def _delta(self, label: DueLabel, frame: Frame, base: Base, panel: Panel) -> StoredFrame:
        return StoredFrame(
            panel_id=frame.panel_id,
            data=deflate(difference(frame.pixels, base.pixels), panel),
            encoding=XOR_ZLIB,
            base=label.shown_digest,
            depth=base.depth + 1,
            mark=frame.mark,
        )

    def _measure(self, stage: Stage, began_ns: int, labels: int) -> None:
        self._stages.add(stage, self._stages.cpu_ns() - began_ns, labels)


def _shown_already(painted: _Painted) -> _Painted | Unchanged:
    label, frame, instead_of = painted
    skips = not label.send_full and may_skip_sending(
        digest=frame.digest,
        shown_digest=label.shown_digest,
        sent_rev=label.sent_rev,
        shown_rev=label.shown_rev,
    )
    return Unchanged(frame.digest, instead_of) if skips else painted


def _refused(exc: Exception, label: DueLabel) -> Refused:
    """Name what kept a label from being drawn, for its problem; a fault of ours is logged."""
    if isinstance(exc, RenderRefused):
        return Refused(exc.code, str(exc))
    if isinstance(exc, EslError):
        return Refused("refused", str(exc))
    log.error("render failed", label=label.label_id, rev=label.wanted_rev, exc_info=exc)
    return Refused("render_error", f"the renderer failed ({type(exc).__name__})")
