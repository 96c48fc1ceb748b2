"""A renderer that remembers which price each of its pictures says: the judge of what hangs."""

from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.frame import Frame
from renderer.template.template import Template
from tests.builders import FakeGateway, PlainRenderer


class Witness(PlainRenderer):
    """Draws as its base does; ``price_of`` is by the picture's digest, None where it says none."""

    def __init__(self) -> None:
        super().__init__()
        self.price_of: dict[bytes, int | None] = {}

    def render(self, face: Face, panel: Panel, template: Template, **how: object) -> Frame:
        frame = super().render(face, panel, template, **how)
        self.price_of[bytes.fromhex(frame.digest)] = face.price_minor
        return frame


def prices(gateway: FakeGateway, witness: Witness) -> list[int | None]:
    """Read the glass: the price on each label, by id, and None where there is none."""
    return [witness.price_of[digest] for _, (_, digest) in sorted(gateway.showing.items())]
