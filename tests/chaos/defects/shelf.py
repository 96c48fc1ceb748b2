"""Defects of gateways and labels, several at once: each layer alone is covered by the others.

A gateway that forgot revisions is saved by its labels, both by the session and the counter of
payloads. What each layer does by itself is tested where it lives.
"""

from typing import Any

from gateway.wire.signing import Gatekeeper, open_sealed
from simulator.label import SimLabel
from simulator.queue import WorkQueue
from tests.chaos.defects.defect import Patch, a_defect


def plant_no_session_check(patch: Patch) -> None:
    """A gateway obeys payloads of earlier sessions, and labels paint whatever comes."""
    _labels_paint_anything(patch)
    _gateways_remember_nothing(patch)

    def admit(keeper: Gatekeeper, payload: bytes, _now_ms: int) -> bytes:
        return open_sealed(payload, keeper.keys)[1]

    patch.setattr(Gatekeeper, "admit", admit)


def _labels_paint_anything(patch: Patch) -> None:
    judge = SimLabel._judge_rev

    def any_rev(label: SimLabel, rev: int, digest: bytes, *rest: Any) -> Any:
        refusal = judge(label, rev, digest, *rest)
        return refusal if label.painting is not None or rev > label.shown_rev else None

    patch.setattr(SimLabel, "_judge_rev", any_rev)


def _gateways_remember_nothing(patch: Patch) -> None:
    begin = WorkQueue._begin

    def without_memory(queue: WorkQueue, *rest: Any) -> Any:
        queue._confirmed.clear()
        return begin(queue, *rest)

    patch.setattr(WorkQueue, "_begin", without_memory)


DEFECTS = (a_defect(plant_no_session_check, "I2"),)
