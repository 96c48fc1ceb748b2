"""``python -m tests.bench.intake``: what taking prices in costs, as one line of JSON.

Through the real writer, on a real file with full durability, with guards and audit on: single
changes of 32 clients at once, each answered after its commit; bulk requests of 10,000 changes, from
their bytes to their results; and a list of entries, new, again, and with every price moved.
"""

import argparse
import gc
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.guards import Guards, Limits
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import PriceChange
from esl.domain.source import unregistered
from esl.intake.price_json import parse_price_changes
from esl.intake.strict_json import parse_strict_json
from esl.services import batches, guarding
from esl.services.listening import Taken, take_entries
from esl.services.pricing import Applied, apply_price_changes
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.writer import Priority, Writer
from tests.builders import NOON, STORE, a_change, build_shelf
from tests.services import Postgres

CLIENTS = 32
ERP = SourceId("erp")
LIMITS = Guards(limits=Limits(changes_a_day=None))


def measure(database: Database, *, products: int, singles: int) -> dict[str, float]:
    """Measure everything on one database."""
    migrate(database, NOON)
    writer = Writer(database, time.monotonic)
    writer.start()
    try:
        writer.write(lambda tx: build_shelf(tx, labels_count=products, price_minor=1000))
        writer.write(
            lambda tx: guarding.put_guards(tx, STORE, LIMITS, NOON, actor="bench", reason="")
        )
        if not database.is_sqlite:  # as autovacuum does within a minute
            with database.writing.connect() as connection:
                own = connection.execution_options(isolation_level="AUTOCOMMIT")
                own.exec_driver_sql("ANALYZE")
        gc.collect()
        gc.freeze()  # as the server does
        return (
            _bulk(writer, products)
            | _entries(writer, products)
            | _single(writer, products, singles)
        )
    finally:
        writer.close()


def _bulk(writer: Writer, products: int) -> dict[str, float]:
    rates: list[float] = []
    for number in range(1, 6):
        said = [
            {"sku": f"sku-{n}", "price": f"{10 + number / 100:.2f}", "source_seq": number}
            for n in range(min(products, 10_000))
        ]
        body = json.dumps(said).encode()

        def request(body: bytes = body) -> None:
            changes = parse_price_changes(parse_strict_json(body), store_id=STORE, currency="EUR")

            def work(tx: Connection) -> tuple[Applied, int | None]:
                return batches.apply_batch(tx, STORE, changes, NOON, actor="bench")

            applied, _ = writer.write(work, priority=Priority.BULK)
            if {r.decision.value for r in applied.results} != {"accepted"}:
                raise AssertionError("a bulk change was not accepted")

        rates.append(len(said) / _seconds(request))
    return {"bulk_per_s": round(max(rates)), "bulk_median_per_s": round(statistics.median(rates))}


def _entries(writer: Writer, products: int) -> dict[str, float]:
    def take(price_minor: int) -> float:
        entries = [
            Entry(
                store_id=STORE,
                sku=Sku(f"row-{n}"),
                currency="EUR",
                name=f"Jogurt {n}",
                brand="Vindija",
                category="Mlijeko",
                price_minor=price_minor,
            )
            for n in range(products)
        ]

        def work() -> None:
            for first in range(0, products, 1000):
                part = entries[first : first + 1000]
                writer.write(partial(_take, entries=part), priority=Priority.BULK)

        return round(products / _seconds(work))

    return {
        "entries_new_per_s": take(1000),
        "entries_again_per_s": take(1000),
        "entries_moved_per_s": take(1010),
    }


def _single(writer: Writer, products: int, singles: int) -> dict[str, float]:
    took_ms: list[float] = []
    noting = threading.Lock()

    def client(number: int) -> None:
        for turn in range(singles // CLIENTS):
            now = NOON + timedelta(seconds=turn)
            change = a_change(f"sku-{(number + CLIENTS * turn) % products}", 1050 + turn % 5)
            began = time.perf_counter()
            writer.write(partial(_apply, change=change, now=now))
            ms = (time.perf_counter() - began) * 1000
            with noting:
                took_ms.append(ms)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    seconds = _seconds(run)
    took_ms.sort()
    return {
        "single_per_s": round(len(took_ms) / seconds),
        "single_p50_ms": round(took_ms[len(took_ms) // 2], 2),
        "single_p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 2),
    }


def _apply(tx: Connection, *, change: PriceChange, now: datetime) -> Applied:
    return apply_price_changes(tx, STORE, [change], now, actor="bench")


def _take(tx: Connection, *, entries: Sequence[Entry]) -> Taken:
    source = unregistered(ERP, STORE)
    return take_entries(tx, source, entries, NOON, actor="bench", batch_id=None)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--singles", type=int, default=3200)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    sizes = {"products": arguments.products, "singles": arguments.singles}
    if arguments.postgresql:
        server = Postgres()
        server.start()
        try:
            with closing(Database(server.url(server.create_database()))) as database:
                figures = measure(database, **sizes)
        finally:
            server.discard()
    else:
        with (
            tempfile.TemporaryDirectory(prefix="esl-bench-") as folder,
            closing(Database(f"sqlite:///{Path(folder) / 'esl.db'}")) as database,
        ):
            figures = measure(database, **sizes)
    kind = "postgresql" if arguments.postgresql else "sqlite"
    print(json.dumps({"bench": "intake", "database": kind} | sizes | figures))


if __name__ == "__main__":
    main()
