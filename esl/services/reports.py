"""Take in what gateways report: whole batches, on two roads that do the same.

    reports ─┬─ a label's only one, and just as expected ─▶ one statement for all of them
             └─ all others ─▶ `esl.services.weighing`: load, judge one by one, write

`esl.domain.report` is the truth about what a report is worth. The statements take only what it
would believe without a second thought; a test runs both roads on the same reports.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import GatewayId
from esl.domain.panel import Panels
from esl.domain.report import SeenReport, Sender, ShownReport, Verdict
from esl.services.roaming import Hearing
from esl.services.staging import correct_early
from esl.services.telemetry import Telemetry
from esl.services.weighing import Circumstances, Heard, Taken, display_entry, vitals_of, weigh_all
from esl.store import shown

__all__ = ["Heard", "Taken", "take_in"]


def take_in(
    tx: Connection,
    heard: Sequence[Heard],
    now: datetime,
    *,
    online: frozenset[GatewayId],
    backoff: Callable[[int], timedelta],
    telemetry: Telemetry | None = None,
    hearing: Hearing | None = None,
    patience: timedelta | None = None,
    panels: Panels | None = None,
) -> Taken:
    """Take in a batch of reports, in their order.

    ``online`` are the gateways that live: a label beaconing through one of them while its own
    is away, or while it has none, is reached through that one from now on. ``backoff`` says how
    long to wait after so many attempts. ``telemetry`` gathers what beacons say besides; without
    it that is written at once. ``hearing`` is what gateways heard before; ``patience`` is how
    long a label that lives may take to answer; ``panels`` are the models that may be adopted.
    """
    hearing = hearing if hearing is not None else Hearing()
    shown.lock_reported(tx, [h.report.label_id for h in heard])
    gathered = Telemetry(most=0) if telemetry is None else telemetry
    taken, left = _take_ordinary(tx, heard, now, gathered, hearing)
    if left:
        by = Circumstances(
            online=online, backoff=backoff, hearing=hearing, patience=patience, panels=panels
        )
        taken = taken.and_then(weigh_all(tx, left, now, by, gathered))
    if correct_early(tx, taken.changed, now):
        taken = replace(taken, due=True)
    hearing.write(tx)
    gathered.write_ripe(tx, now)
    return taken


def _take_ordinary(
    tx: Connection,
    heard: Sequence[Heard],
    now: datetime,
    telemetry: Telemetry,
    hearing: Hearing,
) -> tuple[Taken, list[Heard]]:
    """Take in what is as it should be, a statement for all of it; return what is left to weigh.

    Only of labels that speak once: with two reports of a label, the first decides about the
    second.
    """
    times = Counter([h.report.label_id for h in heard])
    painted: list[tuple[Sender, ShownReport]] = []
    beacons: list[tuple[Sender, SeenReport]] = []
    for h in heard:
        if times[h.report.label_id] == 1:
            match h.report:
                case ShownReport() as report:
                    painted.append((h.sender, report))
                case SeenReport() as report:
                    beacons.append((h.sender, report))
                case _:
                    pass
    confirmed = shown.confirm_shown(tx, painted, now)
    believed = [(sender, r) for sender, r in painted if r.label_id in confirmed]
    shown.log_displays(
        tx, [display_entry(sender, r, r.rev, r.digest) for sender, r in believed], now
    )
    quiet = shown.known_beacons(tx, beacons)
    known = [(sender, r) for sender, r in beacons if r.label_id in quiet]
    for sender, r in known:
        hearing.hear(sender, r, now)
    telemetry.note(vitals for _, r in known for vitals in vitals_of(r, now))
    verdicts = {Verdict.BELIEVED: len(believed), Verdict.KNOWN: len(known)}
    taken = Taken(
        verdicts=+Counter(verdicts),
        answered=tuple(
            [(s.gateway_id, r.label_id) for s, r in believed]
            + [(s.gateway_id, r.label_id) for s, r in known]
        ),
        changed=tuple([r.label_id for _, r in believed]),
        due=False,
    )
    done = confirmed | quiet
    return taken, [h for h in heard if h.report.label_id not in done] if done else list(heard)
