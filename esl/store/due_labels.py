"""The truth for labels that are due: what each must show, and with which template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_

from esl.domain.face import Face
from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, StoreId, TemplateName
from esl.domain.template import TemplateRef
from esl.domain.template_rule import RuleBook, choose_template
from esl.store.bulk import Bulk, as_text
from esl.store.tables import gateways, issued, labels, stores
from esl.store.templates import rules_of, templates_in_use
from esl.store.truth import FACE_COLUMNS, LABELS_WITH_TRUTH, as_shown, face_from
from esl.store.truth_beside import Others, face_beside, others_of, whole_face


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLabel:
    """A label this process has claimed, with the truth of the moment it was read.

    ``face`` and ``template`` are None where the label has no product or its product no price.
    ``issued_digest`` is the picture that ``wanted_rev`` was already sent as, None if it never was.
    ``level`` and ``payload_bytes`` are its gateway's own words, None if it has not said them;
    ``send_full`` says that the next picture must not be a delta, and is sent though it is shown.
    """

    label_id: LabelId
    store_id: StoreId
    gateway_id: GatewayId
    panel_id: PanelId
    epoch: int
    wanted_rev: int
    sent_rev: int
    shown_rev: int
    shown_digest: Digest
    issued_digest: Digest | None
    attempts: int
    read_back_percent: int
    send_full: bool = False
    level: str | None = None
    payload_bytes: int | None = None
    face: Face | None
    template: TemplateRef | None


_OWN_COLUMNS = (
    labels.c.label_id,
    labels.c.gateway_id,
    labels.c.panel_id,
    labels.c.epoch,
    labels.c.wanted_rev,
    labels.c.sent_rev,
    labels.c.shown_rev,
    labels.c.shown_digest,
    labels.c.attempts,
    issued.c.digest.label("issued_digest"),
    stores.c.read_back_percent,
    labels.c.send_full,
    gateways.c.level,
    gateways.c.payload_bytes,
)
_JOINS = LABELS_WITH_TRUTH.outerjoin(
    issued, and_(issued.c.label_id == labels.c.label_id, issued.c.rev == labels.c.wanted_rev)
).outerjoin(gateways, gateways.c.gateway_id == labels.c.gateway_id)
_DUE: Final = Bulk(
    f"SELECT {as_text(*_OWN_COLUMNS, *FACE_COLUMNS)} FROM {{rows}} CROSS JOIN {as_text(_JOINS)}"  # noqa: S608  # nosec B608
    " WHERE label.label_id = j.value->>0"
)
_FACE_BEGINS = len(_OWN_COLUMNS)

_Refs = dict[tuple[StoreId, TemplateName], TemplateRef]


def load_due(tx: Connection, label_ids: Sequence[LabelId]) -> list[DueLabel]:
    """Load what each of these labels must show now, and which template shows it.

    One query a batch for the labels, one for those with several products (two where there are
    such), and two for their stores; none per label.
    """
    rows = _DUE.run(tx, [[label_id] for label_id in label_ids])
    others = others_of(tx, label_ids)
    store_ids = {StoreId(row[_FACE_BEGINS]) for row in rows}
    books = {store_id: RuleBook(rules) for store_id, rules in rules_of(tx, store_ids).items()}
    refs = {key: saved.ref for key, saved in templates_in_use(tx, store_ids).items()}
    return [_due_label(row, books, refs, others) for row in rows]


def _due_label(
    row: Sequence[Any], books: Mapping[StoreId, RuleBook], refs: _Refs, others: Others
) -> DueLabel:
    label_id, gateway_id, panel_id, epoch, wanted_rev, sent_rev, shown_rev = row[:7]
    shown_digest, attempts, issued_digest, read_back_percent, send_full = row[7:12]
    level, payload_bytes, store_id = row[12:15]
    values = as_shown(row[_FACE_BEGINS:])
    if label_id in others:
        face = whole_face(face_beside(values, label_id), others[label_id])
    else:
        face = face_from(values, label_id)
    template: TemplateRef | None = None
    if face is not None:
        by_promotion = None if face.others else values[-1]  # a promotion's template has one product
        name = by_promotion or choose_template(books[store_id], face, panel_id).template
        key = store_id, name
        template = refs.get(key)
        if template is None:  # of the gallery
            template = refs[key] = TemplateRef(store_id=store_id, name=key[1])
    return DueLabel(
        label_id=label_id,
        store_id=store_id,
        gateway_id=gateway_id,
        panel_id=panel_id,
        epoch=epoch,
        wanted_rev=wanted_rev,
        sent_rev=sent_rev,
        shown_rev=shown_rev,
        shown_digest=shown_digest,
        issued_digest=issued_digest,
        attempts=attempts,
        read_back_percent=read_back_percent,
        send_full=bool(send_full),  # SQLite's are numbers
        level=level,
        payload_bytes=payload_bytes,
        face=face,
        template=template,
    )
