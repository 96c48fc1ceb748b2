"""From a due label to a proven frame: its template, its picture, its codes read back.

    due label ─▶ template ─▶ renderer ─▶ frame ─▶ every code compared, pixel by pixel, or known
                                               └▶ some decoded by a second reader

Templates are parsed once and then known by store, name, version and digest. Which frames are
decoded is decided by their digest, so a picture that is sent again is treated as before.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import structlog

from esl.domain.errors import EslError, TemplateUnusable
from esl.domain.panel import Panels
from esl.domain.template import TemplateRef, TemplateSource
from esl.services.deliveries import DueLabel
from gateway.bases import Base
from gateway.proofs import Proofs, token_of
from renderer.codes.read_back import check_codes, decode_codes, must_decode
from renderer.frame import Frame
from renderer.pictures.picture import Picture
from renderer.render import Renderer
from renderer.template.template import Template, parse_template

TEMPLATES_KEPT = 1024
"""Bound of the parsed templates; above the labels of a step, so a step forgets none of its own."""

LAYERS_KEPT = 2_048
"""Product layers that a controller's `Renderer` keeps. New prices are painted over the picture that
hangs; a layer is of use where that is unknown, or a template's prices stand on product ink."""

log = structlog.get_logger()


class Painter:
    """Draws due labels; used by one thread at a time.

    Keeps the last `TEMPLATES_KEPT` templates of stores, by `TemplateRef`; of those that cannot be
    read any more, the reason. Keeps what it proved (`gateway.proofs`).
    """

    def __init__(
        self, *, renderer: Renderer, panels: Panels, gallery: Mapping[str, Template]
    ) -> None:
        self._renderer = renderer
        self._panels = panels
        self._gallery = gallery
        self._known: OrderedDict[TemplateRef, Template | str] = OrderedDict()
        self._proofs = Proofs()

    def unknown(self, due: Iterable[DueLabel]) -> frozenset[TemplateRef]:
        """Say which templates of stores these labels need that nobody has shown us yet."""
        return frozenset(
            label.template
            for label in due
            if label.template is not None
            and label.template.version is not None
            and label.template not in self._known
        )

    def learn(self, sources: Mapping[TemplateRef, TemplateSource]) -> None:
        """Parse templates of stores; one that cannot be read fails its labels and nothing else."""
        for ref, source in sources.items():
            self._known[ref] = _parse(source)
            while len(self._known) > TEMPLATES_KEPT:
                self._known.popitem(last=False)

    def paint(self, label: DueLabel, base: Base | None = None) -> Frame:
        """Draw a label that has a face, over what it shows if that saves work.

        A frame painted over a base names no codes: they are the base's, which was proven. If it
        is to be decoded, it is drawn from the beginning.

        Raises:
            RenderRefused: The face cannot be shown truthfully, or its template is not usable.
        """
        if label.face is None or label.template is None:
            raise ValueError("a label without a face has no picture")
        panel = self._panels.named(label.panel_id)
        template = self._template(label.template)
        repainted: Frame | None = None
        if base is not None and base.mark and base.panel_id == label.panel_id:
            repainted = self._renderer.repaint(base.pixels, base.mark, label.face, panel, template)
            if repainted is not None and not must_decode(repainted.digest, label.read_back_percent):
                return repainted
        frame = self._renderer.render(label.face, panel, template, marked=True)
        if repainted is not None and repainted.digest != frame.digest:
            drawn_with = str(label.template)
            log.error("repainted otherwise than drawn", label=label.label_id, template=drawn_with)
        return frame

    def prove(self, label: DueLabel, frame: Frame) -> None:
        """Make sure that every code on a frame about to be sent is the one that was meant.

        Raises:
            CodeUnreadable: A module differs, something stands in a quiet zone, or a decoder
                reads something else.
        """
        if not frame.codes:
            return
        panel = self._panels.named(label.panel_id)
        token = token_of(frame.pixels, panel, frame.codes)
        if not self._proofs.has(token):
            check_codes(frame.pixels, panel, frame.codes)
            self._proofs.add(token)
        if must_decode(frame.digest, label.read_back_percent):
            decode_codes(frame.pixels, panel, frame.codes)

    def _template(self, ref: TemplateRef) -> Template:
        if ref.version is None:
            of_gallery = self._gallery.get(ref.name)
            if of_gallery is None:
                raise TemplateUnusable(f"there is no template {ref.name!r}")
            return of_gallery
        known = self._known.get(ref)
        if known is None:
            raise TemplateUnusable(f"the template {ref} is gone")
        self._known.move_to_end(ref)
        if isinstance(known, str):
            raise TemplateUnusable(f"the template {ref} cannot be read: {known}")
        return known


def _parse(source: TemplateSource) -> Template | str:
    try:
        pictures = {name: Picture.stored(name, png) for name, png in source.pictures.items()}
        return parse_template(source.text, pictures=pictures)
    except (EslError, ValueError, OSError) as exc:
        return str(exc)
