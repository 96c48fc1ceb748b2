"""``esl bench sealing``: how fast the audit chain is sealed and verified, and what that takes.

Prices in a database of SQLite in a temporary folder; sealing runs without its rests, on one core.
In a controller it takes a fiftieth of a core while little waits (``rows_a_second_at_rest``) and
more while much does (``rows_a_second_most``): at 3,500 changes a second ``share_at_3500`` of a
core, with ``waits_at_3500`` records that wait.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, insert

from api.audit.pace import SHARE_LEAST, SHARE_MOST, backlog_at
from api.clock import MachineClock
from esl.domain.clock import EffectiveClock
from esl.services.sealing import Sealing
from esl.services.verifying import verify_chain
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.tables import price_events
from esl.store.writer import Writer
from gateway.wire.signing import SigningKey

_ROWS_A_WRITE: Final = 10_000
_CHANGES_A_SECOND: Final = 3_500


def measure_sealing(rows: int) -> dict[str, Any]:
    """Write so many prices down, seal them, and verify the chain."""
    machine = MachineClock()
    clock = EffectiveClock(machine)
    key = SigningKey.generate()
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'esl.db'}")
        migrate(database, machine.wall())
        writer = Writer(database, machine.monotonic_s)
        writer.start()
        try:
            _fill(writer, rows, machine.wall())
            before_bytes = _size(writer)
            sealing = Sealing(database=database, writer=writer, clock=clock)
            began_s, steps_s = time.perf_counter(), []
            more = True
            while more:
                step_s = time.perf_counter()
                more = sealing.step(now=True)
                steps_s.append(time.perf_counter() - step_s)
            sealed_s = time.perf_counter() - began_s
            grew = _size(writer) - before_bytes
            sealing.checkpoint(key.sign, key.public_key)
            began_s = time.perf_counter()
            verdict = verify_chain(database, is_trusted=lambda _: True, now=machine.wall())
            verified_s = time.perf_counter() - began_s
        finally:
            writer.close()
            database.close()
    return {
        "rows": rows,
        "blocks": verdict.blocks,
        "holds": verdict.wrong is None,
        "sealed_a_second": round(rows / sealed_s),
        "us_a_row": round(sealed_s / rows * 1e6, 2),
        "longest_step_ms": round(max(steps_s) * 1000, 1),
        "rows_a_second_at_rest": round(rows / sealed_s * SHARE_LEAST),
        "rows_a_second_most": round(rows / sealed_s * SHARE_MOST),
        "share_at_3500": round(_CHANGES_A_SECOND * sealed_s / rows, 3),
        "waits_at_3500": backlog_at(_CHANGES_A_SECOND, sealed_s / rows),
        "bytes_a_row": round(grew / rows, 1),
        "verified_a_second": round(rows / verified_s),
    }


def _fill(writer: Writer, rows: int, now: datetime) -> None:
    at = now.astimezone(UTC)
    for start in range(0, rows, _ROWS_A_WRITE):
        some = [
            {
                "store_id": "bench",
                "sku": f"sku-{n}",
                "source": "till",
                "source_seq": n,
                "price_minor": 100 + n % 900,
                "currency": "EUR",
                "decision": "accepted",
                "rev": n + 1,
                "actor": "token:1",
                "received_at": at + timedelta(microseconds=n),
            }
            for n in range(start, min(rows, start + _ROWS_A_WRITE))
        ]

        def work(tx: Connection, some: list[dict[str, Any]] = some) -> None:
            tx.execute(insert(price_events), some)

        writer.write(work)


def _size(writer: Writer) -> int:
    """Bytes of the database's pages, whether they are in its file yet or not."""

    def work(tx: Connection) -> int:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(tx.exec_driver_sql("PRAGMA page_size").scalar_one())

    return writer.write(work)
