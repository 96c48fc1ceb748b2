"""Events of the wire as reports of the domain: translated once, at the edge.

Everything a report holds was checked when its payload was decoded; what it is worth is judged by
`esl.domain.report` and nowhere else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, StoreId
from esl.domain.report import FailureReport, OnFailure, SeenReport, ShownReport
from esl.domain.touch import Touch, TouchKind
from gateway.commands import Told
from gateway.wire.failures import FailureCode, Policy, policy_of
from gateway.wire.messages import Failed, Pressed, Seen, Shown, Tapped

_BY_POLICY: Final = {
    Policy.RETRY: OnFailure.RETRY,
    Policy.RESEND_FULL: OnFailure.RESEND,
    Policy.GIVE_UP: OnFailure.GIVE_UP,
    Policy.SETTLED_BY_REPORT: OnFailure.ASK,
}
_BY_CODE: Final = {
    FailureCode.BASE_MISMATCH: OnFailure.REBASE,
    FailureCode.REFRESH_FAILED: OnFailure.REFRESH,
}

_EARLIEST_MS: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
_LATEST_MS: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)


def shown_report(event: Shown) -> ShownReport:
    """Translate a label's report of a picture."""
    return ShownReport(
        label_id=LabelId(event.label),
        rev=event.rev,
        digest=Digest(event.digest.hex()),
        incarnation=event.incarnation,
        painted_at=instant(event.at),
        battery_mv=event.battery_mv,
        temperature_c=event.temperature_c,
    )


def seen_report(event: Seen) -> SeenReport:
    """Translate a beacon."""
    return SeenReport(
        label_id=LabelId(event.label),
        panel_id=PanelId(event.panel),
        shown_rev=event.shown_rev,
        shown_digest=Digest(event.shown_digest.hex()),
        incarnation=event.incarnation,
        battery_mv=event.battery_mv,
        temperature_c=event.temperature_c,
        rssi_dbm=event.rssi_dbm,
        firmware=event.firmware,
        slots=tuple(event.slots),
    )


def failure_reports(event: Failed, told: Sequence[Told]) -> list[FailureReport]:
    """Translate a failure for every label it concerns; ``told`` is what its command told whom.

    A failure that names no label concerns all of its command's. A refresh that failed counts
    against the glass only under a command that we know to be under way: once for each.
    """
    known = {label for label, _ in told}
    if event.label is not None and event.rev is not None:
        concerned = [(LabelId(event.label), event.rev)]
    elif event.label is not None:
        concerned = [(label, rev) for label, rev in told if label == event.label]
    else:
        concerned = list(told)
    return [
        FailureReport(
            label_id=label_id,
            rev=rev,
            code=event.code,
            detail=event.detail,
            on_failure=_lessened(on_failure(event.code), is_known=label_id in known),
        )
        for label_id, rev in concerned
    ]


def on_failure(code: str) -> OnFailure:
    """Say what a failure calls for; of a code we do not know, that it is tried again."""
    try:
        special = _BY_CODE.get(FailureCode(code))
    except ValueError:
        special = None
    return special or _BY_POLICY[policy_of(code)]


def _lessened(wanted: OnFailure, *, is_known: bool) -> OnFailure:
    return OnFailure.RETRY if wanted is OnFailure.REFRESH and not is_known else wanted


def touch(event: Pressed | Tapped, gateway_id: GatewayId, store_id: StoreId) -> Touch:
    """Translate a touch of a label."""
    pressed = isinstance(event, Pressed)
    return Touch(
        label_id=LabelId(event.label),
        store_id=store_id,
        gateway_id=gateway_id,
        kind=TouchKind.PRESSED if pressed else TouchKind.TAPPED,
        button=event.button if isinstance(event, Pressed) else None,
        at=instant(event.at),
    )


def instant(milliseconds_since_1970: int) -> datetime | None:
    """Read an instant of the wire; None if it is of no year from 2000 to 2099.

    No clock that was ever set says so, and what lies at the end of the calendar fails in whatever
    is reckoned from it.
    """
    if not _EARLIEST_MS <= milliseconds_since_1970 < _LATEST_MS:
        return None
    return datetime.fromtimestamp(milliseconds_since_1970 / 1000, UTC)
