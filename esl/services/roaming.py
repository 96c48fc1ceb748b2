"""What gateways hear of labels: routes that follow them, and ids that two labels use.

Memory of one process about what was heard lately, bounded, rebuilt from a few beacons after a
restart. The rules are `esl.domain.roaming` and `esl.domain.doubles`; what lasts of it, how well
each gateway hears a label, is kept in ``label_heard``, seldom.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.doubles import Suspect
from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import LabelState
from esl.domain.report import SeenReport, Sender
from esl.domain.roaming import (
    FRUITLESS_ATTEMPTS,
    STAYS_FOR,
    Ear,
    OwnHearing,
    compare,
    is_better,
)
from esl.store import heard as heard_rows
from esl.store.heard import HeardRow

LABELS_MOST = 200_000
EARS_MOST = 8
SUSPECTS_MOST = 10_000

WRITTEN_AGAIN_AFTER = timedelta(minutes=10)


@dataclass(slots=True)
class _Track:
    ears: dict[GatewayId, Ear] = field(default_factory=dict)
    written_at: dict[GatewayId, datetime] = field(default_factory=dict)
    moved_at: datetime | None = None


class Hearing:
    """Who hears which label how well. Used by one thread at a time.

    Give it every beacon once with `hear`, in the order they came; it says of beacons it had
    already that they are no news.
    """

    def __init__(self) -> None:
        self._tracks: OrderedDict[LabelId, _Track] = OrderedDict()
        self._suspects: OrderedDict[LabelId, Suspect] = OrderedDict()
        self._unwritten: dict[tuple[LabelId, GatewayId], HeardRow] = {}
        self._before: dict[tuple[LabelId, GatewayId], datetime | None] = {}

    # -- every beacon ------------------------------------------------------------------------

    def hear(self, sender: Sender, report: SeenReport, now: datetime) -> bool:
        """Note a beacon; False if it is one that was heard before."""
        label_id, gateway_id = report.label_id, sender.gateway_id
        track = self._tracks.get(label_id)
        if track is None:
            track = self._tracks[label_id] = _Track()
            if len(self._tracks) > LABELS_MOST:
                self._tracks.popitem(last=False)
        ear = track.ears.get(gateway_id)
        if ear is None:
            if len(track.ears) >= EARS_MOST:
                del track.ears[next(iter(track.ears))]
            ear = track.ears[gateway_id] = Ear()
        elif not ear.is_fresh(sender.session, sender.seq):
            return False
        self._before[label_id, gateway_id] = ear.heard_at
        ear.hear(sender.session, sender.seq, report.rssi_dbm, now)
        written_at = track.written_at.get(gateway_id)
        is_old = written_at is None or now - written_at >= WRITTEN_AGAIN_AFTER
        if is_old and len(track.ears) > 1:  # what one gateway alone hears is in the label's row
            track.written_at[gateway_id] = now
            self._unwritten[label_id, gateway_id] = HeardRow(
                label_id=label_id, gateway_id=gateway_id, rssi_dbm=report.rssi_dbm, heard_at=now
            )
        suspect = self._suspects.get(label_id)
        if suspect is not None and suspect.is_good(
            report.incarnation, report.panel_id, report.shown_rev
        ):
            suspect.hear_good()
        return True

    def write(self, tx: Connection) -> None:
        """Keep what is due to be kept, if its labels are known."""
        if self._unwritten:
            heard_rows.note_heard(tx, self._unwritten.values())
            self._unwritten = {}
        self._before.clear()

    # -- routes ------------------------------------------------------------------------------

    def moves(
        self,
        label: LabelState,
        sender: Sender,
        report: SeenReport,
        now: datetime,
        *,
        online: frozenset[GatewayId],
    ) -> bool:
        """Say whether a label is reached through this beacon's gateway from now on.

        `hear` has noted the beacon.
        """
        own = label.gateway_id
        if (
            own == sender.gateway_id
            or label.store_id != sender.store_id
            or report.incarnation < label.incarnation
        ):
            return False
        track = self._tracks.get(label.label_id)
        if label.quarantine:  # which of the two is heard is not known; counted all the same
            self._weigh(track, label, sender)
            return False
        if own is None or own not in online or track is None:
            return self._move(track, now)
        ear = self._weigh(track, label, sender)
        if ear is None:
            return False
        if track.moved_at is not None and now - track.moved_at < STAYS_FOR:
            return False
        own_ear = track.ears.get(own)
        in_vain = own_ear is not None and own_ear.in_vain
        fruitless = label.due_at is not None and (in_vain or label.attempts >= FRUITLESS_ATTEMPTS)
        return self._move(track, now) if fruitless or is_better(ear) else False

    def note_unheard(self, label_id: LabelId, gateway_id: GatewayId) -> None:
        """Note a gateway's own word that it does not hear a label."""
        if (track := self._tracks.get(label_id)) is not None:
            ear = track.ears.setdefault(gateway_id, Ear())
            ear.rssi_dbm = ear.heard_at = None
            ear.in_vain = True
            track.moved_at = None

    def note_unanswered(self, label_id: LabelId, gateway_id: GatewayId) -> None:
        """Note a gateway's own word that a label does not answer it."""
        if (track := self._tracks.get(label_id)) is not None:
            track.ears.setdefault(gateway_id, Ear()).in_vain = True

    # -- two labels with one id --------------------------------------------------------------

    def contradicts(
        self, label: LabelState, sender: Sender, report: SeenReport, now: datetime
    ) -> str | None:
        """Weigh a fresh beacon against what the label is known to be; say why if they are two."""
        if label.store_id != sender.store_id or label.seen_at is None:
            return None
        if report.panel_id != label.panel_id:
            why = f"one of them is a {report.panel_id}"
        elif report.incarnation < label.incarnation:
            why = f"incarnations {label.incarnation} and {report.incarnation} alternate"
        elif report.incarnation == label.incarnation and report.shown_rev < label.shown_rev:
            why = f"revisions {label.shown_rev} and {report.shown_rev} alternate"
        else:
            return None
        suspect = self._suspects.get(label.label_id)
        if suspect is None:
            suspect = self._suspects[label.label_id] = Suspect(
                incarnation=label.incarnation,
                panel=label.panel_id,
                rev=label.shown_rev,
                last_at=now,
            )
            if len(self._suspects) > SUSPECTS_MOST:
                self._suspects.popitem(last=False)
        if not suspect.contradict((sender.gateway_id, sender.session), sender.seq, now):
            return None
        track = self._tracks.get(label.label_id)
        by = ", ".join(sorted(track.ears)) if track is not None else sender.gateway_id
        return f"two labels use this id: {why}; heard by {by}"

    def was_misled(self, label: LabelState, report: SeenReport) -> bool:
        """Say whether a label's incarnation is lower than we were once told.

        To be asked after `contradicts` has heard the beacon.
        """
        suspect = self._suspects.get(label.label_id)
        if suspect is None or report.incarnation >= label.incarnation or not suspect.is_right():
            return False
        del self._suspects[label.label_id]
        return True

    def is_single_again(self, label: LabelState, now: datetime) -> bool:
        """Say whether a label in quarantine may leave it."""
        kept_min = label.quarantine - 1
        suspect = self._suspects.get(label.label_id)
        if suspect is None:  # a restart: what was heard before is known from the label's row alone
            self._suspects[label.label_id] = Suspect(
                incarnation=label.incarnation,
                panel=label.panel_id,
                rev=0,
                last_at=now - timedelta(minutes=kept_min),
                kept_min=kept_min,
            )
            return False
        if kept_min < suspect.kept_min:  # another worker has heard both
            suspect.last_at, suspect.kept_min = now, kept_min
        if suspect.is_cleared(now):
            del self._suspects[label.label_id]
            return True
        return False

    def quiet_min(self, label: LabelState, now: datetime) -> int:
        """Say how many minutes a label in quarantine was heard alone; they are to be kept."""
        suspect = self._suspects.get(label.label_id)
        if suspect is None:
            return label.quarantine - 1
        heard_both = suspect.last_at == now
        suspect.kept_min = 0 if heard_both else max(suspect.quiet_min(now), label.quarantine - 1)
        return suspect.kept_min

    def _weigh(self, track: _Track | None, label: LabelState, sender: Sender) -> Ear | None:
        """Compare what this gateway hears of a label with what the label's own does."""
        ear = track.ears.get(sender.gateway_id) if track is not None else None
        if track is None or ear is None or label.gateway_id is None:
            return None
        before = self._before.get((label.label_id, sender.gateway_id))
        compare(ear, _own(track, label, label.gateway_id), before)
        return ear

    def _move(self, track: _Track | None, now: datetime) -> bool:
        if track is not None:
            track.moved_at = now
            for ear in track.ears.values():
                ear.louder = ear.alone = 0
        return True


def _own(track: _Track, label: LabelState, own: GatewayId) -> OwnHearing:
    ear = track.ears.get(own)
    if ear is not None:
        return OwnHearing(rssi_dbm=ear.rssi_dbm, heard_at=ear.heard_at)
    return OwnHearing(rssi_dbm=label.rssi_dbm, heard_at=label.seen_at, late=True)


def heard_by(tx: Connection, label_id: LabelId) -> Mapping[GatewayId, HeardRow]:
    """Load how well each gateway heard a label lately."""
    return heard_rows.heard_by(tx, label_id)
