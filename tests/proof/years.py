"""``python -m tests.proof.years --labels 10000 --years 3 --json``: years of a shop, what is left.

A shop lives day by day (`tests.proof.years_shop`), its controller forgets each night, and the rows
and bytes of every table are taken at the end of each year. Then a controller is started on what is
left, as a process of its own, and `esl audit verify` looks through the chain.

What is not as in a shop, and why it does not change what is measured: pictures of the last 440
days alone are drawn (`--drawn-days`), as no other is left at the end, but for one of each label;
with fewer the run is faster, and each picture that is not drawn takes some 500 bytes too little. A
label says how it is once a day in place of every few minutes, as only the first of a day writes a
row; and a night's steps follow each other at once, where the controller rests five seconds after
each.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import structlog
from sqlalchemy import text

from api.audit.files import AuditFolder
from api.private_files import write_private
from esl.domain.keeping import Keeping
from esl.services.verifying import verify_chain
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.builders import KEY
from tests.proof.years_shop import YearsShop, bytes_of, file_bytes, is_ours, rows_of
from tests.served import Served, esl
from tests.services import Postgres

YEAR_DAYS: Final = 365
DRAWN_DAYS: Final = 440
START_MOST_S: Final = 3.0
_READY_WITHIN_S: Final = 60.0
_SAID_EVERY: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How large a shop is, and how long it lives."""

    labels: int
    days: int
    keeping: Keeping
    seed: int = 1
    stride: int = 1  # days from one that is lived to the next
    drawn_days: int = 0  # the last so many with the product's own pictures
    taken_every: int = YEAR_DAYS  # days from one look at the tables to the next


def live(database: Database, folder: Path, life: Life) -> dict[str, Any]:
    """Live so long in an empty, migrated database; say what was in it as time went by.

    The checkpoints of the chain are written into the folder ``audit`` of ``folder``, as a
    controller does.
    """
    audit = AuditFolder(folder)
    audit.note_key(KEY.public_key)
    began_s = time.perf_counter()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = today - timedelta(days=life.days)
    shop = YearsShop(
        database, begins=begins, labels=life.labels, seed=life.seed, keeping=life.keeping
    )
    looks: list[dict[str, Any]] = []
    is_drawn = False
    try:
        while shop.day < life.days:
            if not is_drawn and shop.day >= life.days - life.drawn_days:
                shop.draw_in_earnest()
                is_drawn = True
            shop.live(days=life.stride)
            audit.append(shop.new_checkpoints())
            if shop.day % _SAID_EVERY < life.stride:
                _say(life, shop, began_s)
            if shop.day % life.taken_every < life.stride or shop.day >= life.days:
                looks.append({"day": shop.day, "rows": rows_of(database), **_sizes(database)})
    finally:
        shop.close()
    nights = shop.nights
    return {
        "labels": life.labels,
        "days": life.days,
        "prices_kept_days": life.keeping.prices.days,
        "audit_kept_days": life.keeping.audit.days,
        "price_changes": shop.changes,
        "pictures_shown": shop.shown,
        "nights": nights.rounds,
        "night_s_most": round(nights.round_s_most, 2),
        "night_steps_most": nights.steps_most,
        "longest_forgetting_write_ms": round(nights.longest_ms, 1),
        "longest_upkeep_write_ms": round(shop.upkeep_cost.longest_ms, 1),
        "blocks_cut": nights.cut,
        "looks": looks,
        "lived_s": round(time.perf_counter() - began_s),
    }


def growth(found: dict[str, Any], *, since: int) -> dict[str, int]:
    """Say how many rows each table grew by from a day on; those that did not are left out."""
    first = next(look for look in found["looks"] if look["day"] >= since)
    last = found["looks"][-1]
    grew = {name: last["rows"][name] - rows for name, rows in first["rows"].items()}
    return {name: more for name, more in grew.items() if more > 0}


def judge_chain(database: Database, folder: Path) -> dict[str, Any]:
    """Verify the whole chain, with the checkpoints that stand outside of the database."""
    began_s = time.perf_counter()
    verdict = verify_chain(
        database,
        is_trusted=is_ours,
        now=datetime.now(UTC),
        outside=AuditFolder(folder).checkpoints(),
    )
    return {
        "wrong": verdict.wrong,
        "blocks": verdict.blocks,
        "cut": verdict.cut,
        "records": verdict.records,
        "pruned": verdict.pruned,
        "not_sealed_yet": verdict.unsealed,
        "took_s": round(time.perf_counter() - began_s, 1),
    }


def measure_start(folder: Path, *arguments: str) -> dict[str, Any]:
    """Start a controller on a data folder thrice; say how long until it was ready, at best."""
    took: list[float] = []
    for _ in range(3):
        served = Served(folder, *arguments)
        began_s = time.perf_counter()
        reached = served.start()
        try:
            while httpx2.get(f"{reached.url}/readyz", trust_env=False).status_code != 200:
                if time.perf_counter() - began_s > _READY_WITHIN_S:
                    raise TimeoutError(served.stderr.read_text())
                time.sleep(0.02)
            took.append(time.perf_counter() - began_s)
        finally:
            served.end(signal.SIGTERM)
    return {"start_s": round(min(took), 2), "starts_s": [round(one, 2) for one in took]}


def prove_years(life: Life, folder: Path, address: str | None) -> dict[str, Any]:
    """Live, start a controller on what is left, verify and check it."""
    (folder / "keys").mkdir(mode=0o700)
    write_private(folder / "keys" / "signing.pem", KEY.to_pem().decode())
    database = Database(address or f"sqlite:///{folder / 'esl.db'}")
    try:
        migrate(database, datetime.now(UTC) - timedelta(days=life.days))
        found = live(database, folder, life)
        if database.is_sqlite:
            with database.read() as tx:
                found["integrity"] = tx.execute(text("PRAGMA integrity_check")).scalar_one()
    finally:
        database.close()
    if address is None:
        found["file_bytes"] = file_bytes(folder / "esl.db")
    found["checkpoints_file_bytes"] = AuditFolder(folder).checkpoints_file.stat().st_size
    more = () if address is None else ("--database", address)
    began_s = time.perf_counter()
    said = esl("audit", "verify", "--json", "--data", folder, folder=folder, env=_env(address))
    found["chain"] = json.loads(said.stdout) if said.stdout else {"wrong": said.stderr}
    found["verify_s"] = round(time.perf_counter() - began_s, 1)
    return found | measure_start(folder, *more)


def _env(address: str | None) -> dict[str, str]:
    return {} if address is None else {"ESL_DATABASE_URL": address}


def _sizes(database: Database) -> dict[str, Any]:
    sizes = bytes_of(database)
    return {"bytes": sizes, "bytes_in_all": sum(sizes.values())}


def _say(life: Life, shop: YearsShop, began_s: float) -> None:
    took_s = time.perf_counter() - began_s
    sys.stderr.write(f"day {shop.day} of {life.days} after {took_s:.0f} s\n")


@contextmanager
def _database_of(kind: str) -> Iterator[str | None]:
    """Yield the address of a PostgreSQL that lives meanwhile; None: SQLite, in the folder."""
    if kind == "sqlite":
        yield None
        return
    server = Postgres()
    try:
        server.start()
        yield server.url(server.create_database())
    finally:
        server.discard()


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.years", description=__doc__)
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--years", type=float, default=3)
    parser.add_argument("--prices-kept-days", type=int, default=Keeping().prices.days)
    parser.add_argument("--audit-kept-days", type=int, default=Keeping().audit.days)
    parser.add_argument("--drawn-days", type=int, default=DRAWN_DAYS)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="in which the data folder is made, and stays")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    life = Life(
        labels=asked.labels,
        days=round(asked.years * YEAR_DAYS),
        keeping=Keeping(
            prices=timedelta(days=asked.prices_kept_days),
            audit=timedelta(days=asked.audit_kept_days),
        ),
        seed=asked.seed,
        drawn_days=asked.drawn_days,
    )
    folder = Path(tempfile.mkdtemp(prefix="esl-years-", dir=asked.folder)).resolve() / "data"
    folder.mkdir(mode=0o700)
    try:
        with _database_of(asked.database) as address:
            found = prove_years(life, folder, address)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder.parent)
    sys.stdout.write(json.dumps(found, indent=None if asked.json else 2) + "\n")
    is_fine = found["chain"]["wrong"] is None and found["start_s"] <= START_MOST_S
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
