"""A draft that was written down becomes signed payloads, in the order of their counters."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId, LabelId
from esl.domain.panel import Panels
from esl.services.deliveries import DueLabel, Recorded
from gateway.batch import Draft, Piece
from gateway.easel import Drawn
from gateway.link import Manifest, Outgoing, command_id, milliseconds, seal_commands
from gateway.roster import Roster
from gateway.wire.codec import digest_bytes
from gateway.wire.messages import Put, Report
from gateway.wire.signing import SigningKey

_DEADLINE_AFTER = timedelta(hours=1)
_SLOT_SHOWN_AT_ONCE = 0


class Sealer:
    """Encodes and signs, and notes in the roster what is under way from then on."""

    def __init__(
        self, *, roster: Roster, panels: Panels, key: SigningKey, clock: EffectiveClock
    ) -> None:
        self._roster = roster
        self._panels = panels
        self._key = key
        self._clock = clock

    def seal_draft(
        self, draft: Draft, payloads: Iterable[Sequence[Piece]], recorded: Recorded
    ) -> tuple[Outgoing, ...]:
        """Make the payloads of what was recorded; the counters of those left out stay unused."""
        counter = dict(recorded.first_counter)
        revs = {s.label_id: s.rev for s in recorded.sendings}
        due = {label.label_id: label for label in draft.batch.due}
        frame_bytes = {
            panel_id: self._panels.named(panel_id).frame_bytes
            for panel_id in {label.panel_id for label in draft.batch.due}
        }
        ids: dict[LabelId, int] = {}
        outgoing: list[Outgoing] = []
        for payload in payloads:
            gateway_id = payload[0].sending.gateway_id
            number = counter[gateway_id]
            counter[gateway_id] += 1
            here = [piece for piece in payload if piece.sending.label_id in revs]
            if not here:
                continue  # their truth changed while they were drawn: they are due already
            if self._roster.store_of(gateway_id) is None:
                continue  # another process speaks with it now; to it, they are due in a while
            deadline = self._deadline(gateway_id, draft.batch.now)
            puts: list[Put] = []
            told: dict[int, list[tuple[LabelId, int]]] = {}
            for position, piece in enumerate(here):
                label = due[piece.sending.label_id]
                rev = revs[label.label_id]
                # All parts of a picture are one command.
                command = ids.setdefault(label.label_id, command_id(number, position))
                drawn = draft.drawn[label.label_id]
                size = frame_bytes[label.panel_id]
                puts.append(_put(label, piece, drawn, rev, command, deadline=deadline, size=size))
                told[command] = [(label.label_id, rev)]
            label_ids = tuple(piece.sending.label_id for piece in here)
            sealed = self._seal(gateway_id, puts, label_ids, number, draft.batch.now)
            shows = tuple((x, revs[x], draft.drawn[x].digest) for x in label_ids)
            told_revs = tuple(rev for _, rev, _ in shows)
            manifest = replace(sealed.manifest, shows=shows) if sealed.manifest else None
            outgoing.append(replace(sealed, revs=told_revs, manifest=manifest))
            waits_s = max(
                (piece.sending.due_at - draft.batch.now).total_seconds() for piece in here
            )
            until_s = self._clock.monotonic_s() + waits_s
            self._roster.note_sent(gateway_id, label_ids, until_s, commands=told)
        return tuple(outgoing)

    def seal_report(self, gateway_id: GatewayId, counter: int, now: datetime) -> Outgoing:
        """Make the payload that asks a gateway what all of its labels show."""
        return self._seal(gateway_id, [Report(id=command_id(counter, 0))], (), counter, now)

    def _deadline(self, gateway_id: GatewayId, now: datetime) -> int:
        _, ahead_ms = self._roster.session_of(gateway_id)
        return milliseconds(now + _DEADLINE_AFTER) + ahead_ms

    def _seal(
        self,
        gateway_id: GatewayId,
        commands: Sequence[Put | Report],
        label_ids: tuple[LabelId, ...],
        counter: int,
        now: datetime,
    ) -> Outgoing:
        session, ahead_ms = self._roster.session_of(gateway_id)
        payload = seal_commands(
            self._key,
            gateway_id,
            commands,
            session=session,
            clock_ahead_ms=ahead_ms,
            counter=counter,
            now=now,
        )
        return Outgoing(
            gateway_id=gateway_id,
            payload=payload,
            label_ids=label_ids,
            manifest=Manifest(session=session, counter=counter, sent_at=now),
        )


def _put(
    label: DueLabel, piece: Piece, drawn: Drawn, rev: int, command: int, *, deadline: int, size: int
) -> Put:
    travels = drawn.travels
    return Put(
        id=command,
        label=label.label_id,
        epoch=label.epoch,
        slot=_SLOT_SHOWN_AT_ONCE,
        rev=rev,
        digest=digest_bytes(drawn.digest),
        size=size,
        encoding=travels.encoding,
        base=digest_bytes(travels.base) if travels.base is not None else None,
        data=travels.data[piece.start : piece.stop],
        offset=piece.start if piece.is_part else None,
        total=len(travels.data) if piece.is_part else None,
        show=True,
        deadline=deadline,
    )
