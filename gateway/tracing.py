"""The way of single changes through the sending and the listening half, for the log at level debug.

Called only where `esl.store.traces.is_on`: else a label costs nothing here. ``change`` is the
revision that a picture is of; it says that change and all before it of the label's products.
"""

from collections.abc import Collection, Sequence

import structlog

from esl.domain.ids import LabelId
from esl.domain.report import ShownReport
from esl.services.deliveries import Recorded
from esl.services.reports import Heard
from gateway.batch import Draft

log = structlog.get_logger()

_DIGEST_SHOWN = 12  # hex digits: enough to tell pictures apart in a log


def trace_draft(draft: Draft, recorded: Recorded) -> None:
    """Say what became of each label of a step, after that was written down."""
    wanted = {label.label_id: label.wanted_rev for label in draft.batch.due}
    for label_id, rev, digest in draft.unchanged:
        log.debug("shown already", change=rev, label=label_id, digest=digest[:_DIGEST_SHOWN])
    for label_id, rev, problem, _ in draft.refused:
        log.debug("picture refused", change=rev, label=label_id, problem=problem)
    for label_id, rev, problem, _ in draft.replaced:
        log.debug("neutral face instead", change=rev, label=label_id, problem=problem)
    for sending in recorded.sendings:
        drawn = draft.drawn[sending.label_id]
        log.debug(
            "picture drawn",
            change=wanted[sending.label_id],
            label=sending.label_id,
            template=drawn.template,
            digest=drawn.digest[:_DIGEST_SHOWN],
        )
        if sending.rev != wanted[sending.label_id]:  # drawn anew under another revision
            log.debug(
                "change renewed",
                change=wanted[sending.label_id],
                label=sending.label_id,
                renewed=sending.rev,
            )
        log.debug(
            "picture on its way",
            change=sending.rev,
            label=sending.label_id,
            gateway=sending.gateway_id,
            encoding=sending.encoding,
            bytes=sending.bytes,
        )


def trace_shown(heard: Sequence[Heard], changed: Collection[LabelId]) -> None:
    """Say which labels said that they show a picture, and were believed."""
    believed = frozenset(changed)
    for one in heard:
        match one.report:
            case ShownReport(label_id=label_id, rev=rev, digest=digest) if label_id in believed:
                log.debug(
                    "picture shown",
                    change=rev,
                    label=label_id,
                    gateway=one.sender.gateway_id,
                    digest=digest[:_DIGEST_SHOWN],
                )
            case _:
                pass
