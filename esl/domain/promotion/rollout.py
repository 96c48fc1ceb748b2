"""Rolling a promotion out in steps: an aisle, some labels of a hundred, then all.

The promotion holds for its products from its beginning, and the till charges it; a label that is
not in a step yet shows the plain price, which is never below. A label stays in once it is in: a
higher share takes more labels and lets none go, as each label's place in the line is a hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from esl.domain.ids import LabelId

_OF: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStep:
    """Who joins: the labels of some areas, and so many percent of all the others."""

    areas: frozenset[str] = frozenset()
    percent: int = 0


def is_reached(
    promotion_id: str,
    steps: Sequence[RolloutStep],
    reached: int,
    *,
    label_id: LabelId,
    area: str | None,
) -> bool:
    """Say whether a label is in one of the steps until ``reached``, which counts from 0.

    Past the last step, and without any, every label is.
    """
    if reached >= len(steps):
        return True
    joined = steps[: reached + 1]
    if area is not None and any(area in step.areas for step in joined):
        return True
    percent = max((step.percent for step in joined), default=0)
    return place_in_line(promotion_id, label_id) * 100 < percent * _OF


def place_in_line(promotion_id: str, label_id: LabelId) -> int:
    """Return a label's place, 0 to 9999: the same for ever, and another for each promotion."""
    digest = blake2b(f"{promotion_id}\0{label_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _OF
