"""Find what is wrong, open it once, and close it when it is over. Nothing is written otherwise."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.fleet import EMPTY_MV, Device, FleetState, Patience, fleet_state
from esl.domain.ids import GatewayId, StoreId
from esl.domain.problem import WHAT_TO_DO, Finding, ProblemKind
from esl.domain.promotion.offer import PLAIN_WORDS
from esl.domain.staged import Flip
from esl.services import flips, happenings
from esl.services.access_times import find_access_problems
from esl.services.fleet import patience_of
from esl.services.intake_problems import find_intake_problems
from esl.services.notifying import find_notify_problems
from esl.services.papering import find_paper_problems
from esl.services.subscriptions import find_event_problems
from esl.services.till_problems import find_till_problems
from esl.store import backup_state, fleet, offers, places, problems, remove_tasks
from esl.store.certificate_state import certificate_problem

LOW_ABOVE_EMPTY_MV = 100
"""A battery this near its end is changed before it fails."""

AWAY_AFTER = timedelta(minutes=2)
"""A gateway that restarts is no problem."""

UNHEARD_AFTER = timedelta(minutes=15)
"""Time to carry an enrolment file to its gateway and to switch that on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs between what is wrong and what is written down as such."""

    opened: tuple[Finding, ...]
    closed: tuple[int, ...]

    def __bool__(self) -> bool:
        """Say whether there is anything to write."""
        return bool(self.opened or self.closed)


def find_changes(
    tx: Connection,
    now: datetime,
    *,
    silent_after: timedelta,
    clock_held: bool = False,
) -> Changes:
    """Look for problems in every store, and compare with those that are open. Only reads.

    ``clock_held`` says that the machine's clock is too far ahead to be followed.

    Which gateways live is read from what is written down of their heartbeats: one worker does
    not hear the gateways of another.
    """
    online = problems.live_gateways(tx, now - AWAY_AFTER)
    found = {
        (f.kind.value, f.subject): f
        for store in places.all_stores(tx)
        for f in find_problems(tx, store.store_id, now, online=online, silent_after=silent_after)
    }
    if clock_held:
        reason = f"It says that it is more than a day after {now:%Y-%m-%d %H:%M} UTC."
        for store in places.all_stores(tx):
            one = _finding(
                store.store_id,
                ProblemKind.CONTROLLER_CLOCK,
                f"controller/{store.store_id}",
                reason,
            )
            found[one.kind.value, one.subject] = one
    held = problems.open_problems(tx)
    return Changes(
        opened=tuple(f for key, f in found.items() if key not in held),
        closed=tuple(number for key, number in held.items() if key not in found),
    )


def write_changes(tx: Connection, changes: Changes, now: datetime) -> None:
    """Open and close problems, and let others hear of it."""
    closed = problems.close_problems(tx, changes.closed, now)
    opened = problems.open_findings(tx, changes.opened, now)
    happenings.note_problems(tx, opened, closed, now)


def find_problems(
    tx: Connection,
    store_id: StoreId,
    now: datetime,
    *,
    online: AbstractSet[GatewayId],
    silent_after: timedelta,
) -> list[Finding]:
    """Find what is wrong in a store at this moment."""
    patience = patience_of(tx, store_id, silent_after)
    troubled = fleet.troubled_devices(
        tx,
        store_id,
        silent_before=now - silent_after,
        late_before=now - patience.verdict_within,
        battery_below_mv=EMPTY_MV + LOW_ABOVE_EMPTY_MV,
    )
    found = list(_of_gateways(tx, store_id, now, online))
    for device in troubled:
        found += _of_device(store_id, device, now, online, patience)
    found += [
        _finding(store_id, ProblemKind.PICTURE_REFUSED, label_id, f"It shows no price: {why}")
        for label_id, why in problems.refused_labels(tx, store_id)
    ]
    found += [
        _finding(store_id, ProblemKind.FLIP_FAILED, f"flip/{flip.flip_id}", _why_failed(flip))
        for flip in flips.failures_untended(tx, store_id, now)
    ]
    found += _of_promotions(tx, store_id)
    if (why := backup_state.backup_problem(tx)) is not None:
        found.append(_finding(store_id, ProblemKind.BACKUP_FAILS, f"backup/{store_id}", why))
    if (why := certificate_problem(tx)) is not None:
        found.append(_finding(store_id, ProblemKind.CERTIFICATE, f"certificate/{store_id}", why))
    found += [
        _finding(store_id, ProblemKind.REMOVE, task.label_id, task.reason)
        for task in remove_tasks.list_tasks(tx, store_id)
    ]
    found += [_finding(store_id, *wrong) for wrong in find_intake_problems(tx, store_id, now)]
    found += [_finding(store_id, *wrong) for wrong in find_till_problems(tx, store_id, now)]
    found += [_finding(store_id, *wrong) for wrong in find_event_problems(tx, store_id, now)]
    found += [_finding(store_id, *wrong) for wrong in find_access_problems(tx, store_id, now)]
    found += [_finding(store_id, *wrong) for wrong in find_paper_problems(tx, store_id)]
    found += [_finding(store_id, *wrong) for wrong in find_notify_problems(tx, store_id)]
    return found


def _of_promotions(tx: Connection, store_id: StoreId) -> Iterator[Finding]:
    """Name the promotions whose prices labels show plainly, as the law does not let them claim."""
    for names, why, count, sku in offers.troubles_of(tx, store_id):
        whose = "of its products" if names else "products whose tills state a former price"
        reason = (
            f"{count} {whose} are shown without former price, percentage and badge, such"
            f" as {str(sku)[:40]}: {PLAIN_WORDS.get(why, why)}."
        )
        subject = f"promotion/{names.replace(' ', '+')[:60] or 'till'}/{why}/{store_id}"
        yield _finding(store_id, ProblemKind.PROMOTION_PLAIN, subject[:140], reason)


def _of_gateways(
    tx: Connection, store_id: StoreId, now: datetime, online: AbstractSet[GatewayId]
) -> Iterator[Finding]:
    for known in problems.gateways_in_doubt(tx, store_id):
        enrolled_at, heard_at = known.enrolled_at, known.heard_at
        if heard_at is None:
            if enrolled_at is None or now - enrolled_at > UNHEARD_AFTER:
                when = f" at {enrolled_at:%Y-%m-%d %H:%M} UTC" if enrolled_at else ""
                reason = f"It was enrolled{when} and has not been heard since."
                yield _finding(store_id, ProblemKind.GATEWAY_UNHEARD, known.gateway_id, reason)
        elif known.gateway_id not in online and now - heard_at > AWAY_AFTER:
            reason = f"It was last heard at {heard_at:%Y-%m-%d %H:%M} UTC."
            yield _finding(store_id, ProblemKind.GATEWAY_AWAY, known.gateway_id, reason)
        elif not known.clock_trusted:
            reason = "Its clock is far from the controller's."
            yield _finding(store_id, ProblemKind.GATEWAY_CLOCK, known.gateway_id, reason)


def _of_device(
    store_id: StoreId,
    device: Device,
    now: datetime,
    online: AbstractSet[GatewayId],
    patience: Patience,
) -> Sequence[Finding]:
    state = fleet_state(device, now, online=device.gateway_id in online, patience=patience)
    found: list[Finding] = []

    def note(kind: ProblemKind, reason: str) -> None:
        found.append(_finding(store_id, kind, device.label_id, reason))

    if state is FleetState.QUARANTINED:
        note(ProblemKind.DUPLICATE_ID, "Two labels use this id, so nothing is sent to either.")
    elif state is FleetState.SILENT and device.seen_at is not None:
        note(ProblemKind.LABEL_SILENT, f"It was last heard at {device.seen_at:%Y-%m-%d %H:%M} UTC.")
    elif state is FleetState.HARDWARE_FAULT:
        note(ProblemKind.HARDWARE_FAULT, f"Its glass failed {device.refresh_failures} times.")
    if device.problem is not None:
        words = device.problem_detail or device.problem
        note(
            ProblemKind.NOT_SHOWN, f"{device.problem}: {words}" if device.problem_detail else words
        )
    elif device.settled_rev < device.wanted_rev and state is not FleetState.QUARANTINED:
        is_late = device.wanted_at is not None and now - device.wanted_at >= patience.verdict_within
        if is_late:
            note(ProblemKind.LATE, _why_late(device))
    if device.battery_mv is not None and device.battery_mv < EMPTY_MV + LOW_ABOVE_EMPTY_MV:
        note(ProblemKind.BATTERY_LOW, f"Its battery is down to {device.battery_mv} mV.")
    return found


def _why_late(device: Device) -> str:
    if device.gateway_id is None:
        return "No gateway of the shop has heard it."
    if device.sent_rev < device.wanted_rev:
        return "Its picture was not sent yet: its gateway is away, or has much else to send."
    return f"It was sent its picture {device.attempts} times in vain."


def _why_failed(flip: Flip) -> str:
    return f"Its prices of {flip.show_at:%Y-%m-%d %H:%M} UTC do not hold: {flip.detail}"


def _finding(store_id: StoreId, kind: ProblemKind, subject: str, reason: str) -> Finding:
    return Finding(
        store_id=store_id,
        kind=kind,
        subject=subject,
        reason=reason,
        what_to_do=WHAT_TO_DO[kind],
    )
