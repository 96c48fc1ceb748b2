"""The finished picture of one label, named by its content."""

import hashlib
from dataclasses import dataclass
from typing import Self

from esl.domain.ids import Digest, PanelId
from renderer.codes.place import PlacedCode


@dataclass(frozen=True, slots=True)
class Frame:
    """Packed pixels for one panel model.

    The digest is SHA-256 over ``pixels`` alone, as 64 lower-case hex digits: what a label can
    compute itself from its picture memory, without knowing the name of its model.
    """

    panel_id: PanelId
    pixels: bytes
    digest: Digest
    codes: tuple[PlacedCode, ...] = ()  # what must be readable in the pixels
    mark: bytes = b""  # of its product layer (`renderer.repaint`), where that was asked for

    @classmethod
    def of(
        cls,
        panel_id: PanelId,
        pixels: bytes,
        codes: tuple[PlacedCode, ...] = (),
        mark: bytes = b"",
    ) -> Self:
        """Name the pixels and keep them."""
        return cls(panel_id, pixels, Digest(hashlib.sha256(pixels).hexdigest()), codes, mark)
