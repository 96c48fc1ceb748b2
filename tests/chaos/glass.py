"""Pictures that can be read: what a frame says is written into its pixels.

`ReadableRenderer` stands for the product's renderer, whose pixels have tests of their own. An
oracle can then ask a label's glass what it says, without trusting any digest or revision.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.frame import Frame
from renderer.template.template import Template
from tests.builders import the_gallery


@dataclass(frozen=True, slots=True)
class Says:
    """What a glass says: its product and price, or that it may not say one."""

    sku: str | None
    name: str | None
    price_minor: int | None  # None: a neutral face
    was_minor: int | None = None
    badge: str | None = None
    currency: str | None = "EUR"
    member_minor: int | None = None
    several: tuple[int, int] | None = None  # so many cost so much
    template: str = ""  # digest of the store's own; those of the gallery are chosen by rules

    @property
    def is_neutral(self) -> bool:
        """Whether no price stands there."""
        return self.price_minor is None


NEUTRAL = Says(None, None, None, currency=None)
"""Every neutral face, whatever else it says."""


class ReadableRenderer:
    """Draws a face as text in its pixels. ``edition`` is the version of the drawing program."""

    def __init__(self, edition: int = 1) -> None:
        self.edition = edition

    def render(self, face: Face, panel: Panel, template: Template, **_: object) -> Frame:
        """Draw, like `renderer.render.Renderer`."""
        says = Says(
            face.sku,
            face.name,
            face.price_minor,
            face.was_minor,
            face.badge,
            face.currency,
            face.member_price_minor,
            (face.multibuy.quantity, face.multibuy.total_minor) if face.multibuy else None,
            "" if template.digest in _gallery_digests() else template.digest,
        )
        return _draw(says, panel, str(self.edition))


@cache
def _gallery_digests() -> frozenset[str]:
    return frozenset(template.digest for template in the_gallery().values())


@lru_cache(maxsize=512)
def _draw(says: Says, panel: Panel, drawn_by: str) -> Frame:
    text = json.dumps(asdict(says) | {"drawn_by": drawn_by}, separators=(",", ":")).encode()
    return Frame.of(panel.panel_id, text.ljust(panel.frame_bytes, b"\0"))


@lru_cache(maxsize=4096)
def read_glass(pixels: bytes) -> Says | None:
    """Read what a glass says; None if it is blank."""
    if not pixels.startswith(b"{"):
        return None
    fields = json.loads(pixels.rstrip(b"\0"))
    del fields["drawn_by"]
    fields["several"] = tuple(fields["several"]) if fields["several"] else None
    says = Says(**fields)
    return NEUTRAL if says.is_neutral else says
