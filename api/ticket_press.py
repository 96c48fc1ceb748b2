"""Drawing paper tickets: the pictures that labels should show at this moment, or why there is none.

One query for all labels, and one reading of each template; the drawing itself is done beside the
database, in a turn of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.house import House
from api.template_checks import read_template, template_text
from esl.domain.errors import RenderRefused
from esl.domain.face import Face
from esl.domain.ids import LabelId, StoreId, TemplateName
from esl.domain.paper import PaperTicket
from esl.services import deliveries
from esl.store.due_labels import DueLabel
from esl.store.paper_tickets import Printed
from renderer.codes.read_back import check_codes, decode_codes
from renderer.paper import ticket_png
from renderer.render import Renderer
from renderer.template.template import Template

_Texts = Mapping[TemplateName, tuple[str, Mapping[str, bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprinted:
    """A label that gets no ticket, why, and what to do."""

    label_id: LabelId
    reason: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDraw:
    """What the labels of a request should show."""

    due: Mapping[LabelId, DueLabel]
    texts: _Texts


def load(tx: Connection, house: House, store_id: StoreId, label_ids: Sequence[LabelId]) -> ToDraw:
    """Load what labels of a store should show; those of others are left out."""
    due = {one.label_id: one for one in deliveries.load(tx, label_ids) if one.store_id == store_id}
    names = {one.template.name for one in due.values() if one.template is not None}
    texts = {name: template_text(tx, house, store_id, name, None) for name in sorted(names)}
    return ToDraw(due=due, texts=texts)


def draw(
    house: House, asked: ToDraw, label_ids: Sequence[LabelId]
) -> Iterator[Printed | Unprinted]:
    """Draw each label's ticket, in their order."""
    templates: dict[TemplateName, Template] = {}
    renderer = Renderer(fonts=house.fonts, products_kept=1)
    for label_id in label_ids:
        one = asked.due.get(label_id)
        if one is None:
            yield Unprinted(
                label_id=label_id, reason="the store has no such label", fix="Check the label's id."
            )
        elif one.face is None or one.template is None or not _is_priced(one.face):
            yield Unprinted(
                label_id=label_id,
                reason="it has no price to show",
                fix="Pair it with a product that has a price, or end what keeps its price off.",
            )
        else:
            name = one.template.name
            try:
                if name not in templates:
                    text, pngs = asked.texts[name]
                    templates[name] = read_template(text, dict(pngs))
                yield _drawn(house, renderer, templates[name], one, one.face)
            except RenderRefused as exc:
                fix = "Mend the product's data or the template; the label is refused as well."
                yield Unprinted(label_id=label_id, reason=str(exc), fix=fix)


def words_below(ticket: PaperTicket, at: str) -> str:
    """Say whose a ticket is, where it goes, and when it was printed."""
    return " · ".join(
        part for part in (ticket.place, ticket.label_id, at, f"#{ticket.ticket_id}") if part
    )


def _drawn(
    house: House, renderer: Renderer, template: Template, one: DueLabel, face: Face
) -> Printed:
    panel = house.panels.named(one.panel_id)
    frame = renderer.render(face, panel, template)
    check_codes(frame.pixels, panel, frame.codes)
    decode_codes(frame.pixels, panel, frame.codes)
    return Printed(
        label_id=one.label_id,
        rev=one.wanted_rev,
        name=face.name[:200],
        width_tenths_mm=round(panel.width_mm * 10),
        height_tenths_mm=round(panel.height_mm * 10),
        picture=ticket_png(frame.pixels, panel),
    )


def _is_priced(face: Face) -> bool:
    return all(one.price_minor is not None for one in (face, *face.others))
