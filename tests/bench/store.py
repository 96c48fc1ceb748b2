"""``python -m tests.bench.store``: what the database costs for each label, as one line of JSON.

CPU of the calling thread in µs a label, one stage of the round trip after the other, on a real
file with full durability: a price change is applied, its label claimed, loaded, recorded as sent,
and its report taken in; then every label beacons. No rendering, no wire, no threads. The machines
are noisy: the best of several rounds counts. On PostgreSQL the server's own CPU is not in it, so
the time that passes is given too.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from esl.domain.ids import Digest, GatewayId
from esl.domain.report import SeenReport, Sender, ShownReport
from esl.services import deliveries
from esl.services.deliveries import Plan, Sending, Share, StoredFrame
from esl.services.pricing import apply_price_changes
from esl.services.reports import Heard, take_in
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.wall_counts import count_paired
from tests.bench.store_rows import row_by_row_us
from tests.builders import NOON, PANEL, STORE, a_change, build_shelf, label_id
from tests.services import Postgres

BATCH = 500
STAGES = ("intake", "claim", "load", "record", "inbox")
PICTURE_BYTES = 400  # about what a delta has
T = TypeVar("T")


class Round:
    """One price for every label, all the way and back."""

    def __init__(self, database: Database, labels: int, gateways: Sequence[GatewayId]) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)
        self.wall_s: dict[str, float] = defaultdict(float)
        self._database = database
        self._labels = labels
        self._gateways = gateways
        self._seq = 0

    def run(self, prices: Random, now_s: int) -> None:
        """Change every price, deliver, and let every label beacon."""
        now = NOON + timedelta(seconds=now_s)
        for first in range(0, self._labels, BATCH):
            skus = range(first, min(first + BATCH, self._labels))
            changes = [
                a_change(f"sku-{n}", prices.randint(100, 9000), source_seq=now_s) for n in skus
            ]
            self._write(
                "intake",
                lambda tx, c=changes: apply_price_changes(tx, STORE, c, now, actor="bench"),
            )
        share = BATCH // len(self._gateways)
        shares = [Share(gateway_id=g, most=share) for g in self._gateways]
        until = now + timedelta(seconds=60)
        while claimed := self._write(
            "claim", lambda tx: deliveries.claim(tx, shares, now, until=until)
        ):
            with self._database.read() as tx:
                due = self._timed("load", lambda tx=tx, c=claimed: deliveries.load(tx, c))
            plan = _plan(due, until)
            recorded = self._write(
                "record",
                lambda tx, p=plan: deliveries.record(tx, p, dict.fromkeys(self._gateways, 8), now),
            )
            shown = [self._shown(sending) for sending in recorded.sendings]
            self._take_in("inbox", shown, now)
            self._take_in("beacon", [self._seen(s) for s in recorded.sendings], now)

    def _take_in(self, stage: str, heard: Sequence[Heard], now: object) -> None:
        taken = self._write(
            stage,
            lambda tx: take_in(
                tx,
                heard,
                now,  # type: ignore[arg-type]
                online=frozenset(self._gateways),
                backoff=lambda _: timedelta(60),
            ),
        )
        fine = taken.verdicts["believed"] + taken.verdicts["known"]
        assert fine == len(heard), taken.verdicts

    def _shown(self, sending: Sending) -> Heard:
        report = ShownReport(
            label_id=sending.label_id,
            rev=sending.rev,
            digest=sending.digest,
            incarnation=1,
            painted_at=NOON,
            battery_mv=2980,
            temperature_c=21,
        )
        return Heard(sender=self._sender(sending.gateway_id), report=report)

    def _seen(self, sending: Sending) -> Heard:
        report = SeenReport(
            label_id=sending.label_id,
            panel_id=PANEL,
            shown_rev=sending.rev,
            shown_digest=sending.digest,
            incarnation=1,
            battery_mv=2980,
            temperature_c=21,
            rssi_dbm=-60,
            firmware="1.0",
        )
        return Heard(sender=self._sender(sending.gateway_id), report=report)

    def _sender(self, gateway_id: GatewayId) -> Sender:
        self._seq += 1
        return Sender(gateway_id=gateway_id, session="boot-1", store_id=STORE, seq=self._seq)

    def _write(self, stage: str, work: Callable[[Connection], T]) -> T:
        def written() -> T:
            with self._database.writing.begin() as tx:
                return work(tx)

        return self._timed(stage, written)

    def _timed(self, stage: str, work: Callable[[], T]) -> T:
        cpu_s, wall_s = time.thread_time(), time.perf_counter()
        try:
            return work()
        finally:
            self.cpu_s[stage] += time.thread_time() - cpu_s
            self.wall_s[stage] += time.perf_counter() - wall_s


def _plan(due: Sequence[deliveries.DueLabel], until: object) -> Plan:
    """Pretend to have drawn every face: another picture for each price of each label."""
    sendings, pictures = [], {}
    for label in due:
        assert label.face is not None
        seed = hashlib.sha256(f"{label.label_id} {label.face.price_minor}".encode())
        digest = Digest(seed.hexdigest())
        data = (seed.digest() * (PICTURE_BYTES // 32 + 1))[:PICTURE_BYTES]
        pictures[digest] = StoredFrame(panel_id=label.panel_id, data=data)
        sendings.append(
            Sending(
                label_id=label.label_id,
                gateway_id=label.gateway_id,
                rev=label.wanted_rev,
                digest=digest,
                due_at=until,  # type: ignore[arg-type]
                template="standard",
                bytes=len(data),
            )
        )
    return Plan(sendings=sendings, pictures=pictures)


def measure(url: str, *, labels: int, gateways: int, rounds: int) -> dict[str, object]:
    """Measure every stage on an empty database; the first round only warms up."""
    names = [GatewayId(f"gw-{n}") for n in range(gateways)]
    database = Database(url)
    with closing(database):
        migrate(database, NOON)
        with database.writing.begin() as tx:
            build_shelf(tx, labels_count=labels, gateways=names)
        prices = Random(1)
        measured: list[Round] = []
        for number in range(rounds + 1):
            measured.append(Round(database, labels, names))
            measured[-1].run(prices, (number + 1) * 1000)
        counting_ms = [_count_ms(database, (labels, 0)) for _ in range(rounds)]
        with database.writing.begin() as tx:
            changes = [a_change(f"sku-{n}", 1, source_seq=10**6) for n in range(labels)]
            apply_price_changes(tx, STORE, changes, NOON, actor="bench")
        counting_all_due_ms = [_count_ms(database, (labels, labels)) for _ in range(rounds)]
        some = range(min(labels, BATCH))
        rows_us = row_by_row_us(
            database, [label_id(n) for n in some], [f"sku-{n}" for n in some], batch=BATCH
        )
    stages = (*STAGES, "beacon")
    best = {s: min(r.cpu_s[s] for r in measured[1:]) / labels * 1e6 for s in stages}
    round_trip = sum(best[stage] for stage in STAGES)
    passed = {s: min(r.wall_s[s] for r in measured[1:]) / labels * 1e6 for s in stages}
    return {
        "bench": "store",
        "database": "sqlite" if database.is_sqlite else "postgresql",
        "labels": labels,
        "gateways": gateways,
        "cpu_us": {stage: round(value, 1) for stage, value in best.items()},
        "wall_us": {stage: round(value, 1) for stage, value in passed.items()},
        "round_trip_cpu_us": round(round_trip, 1),
        "row_by_row_cpu_us": round(rows_us, 1),
        "ratio": round(rows_us / round_trip, 1),
        "summary_ms": {
            "settled": round(min(counting_ms), 2),
            "all_due": round(min(counting_all_due_ms), 2),
        },
    }


def _count_ms(database: Database, expected: tuple[int, int]) -> float:
    with database.read() as tx:
        began_s = time.perf_counter()
        counted = count_paired(tx, STORE)
        took_ms = (time.perf_counter() - began_s) * 1000
    assert counted == expected, counted
    return took_ms


def main() -> None:
    """Print a line for SQLite and, if asked, one for PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--gateways", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgresql", action="store_true", help="measure PostgreSQL too")
    asked = parser.parse_args()
    how = {"labels": asked.labels, "gateways": asked.gateways, "rounds": asked.rounds}
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as folder:
        _print(measure(f"sqlite:///{Path(folder) / 'bench.db'}", **how))
    if asked.postgresql:
        server = Postgres()
        server.start()
        try:
            _print(measure(server.url(server.create_database()), **how))
        finally:
            server.discard()


def _print(figures: dict[str, object]) -> None:
    json.dump(figures, sys.stdout)
    print(flush=True)


if __name__ == "__main__":
    main()
