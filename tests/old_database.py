"""``python -m tests.old_database --from REV``: a small database that a previous release made.

That release is run from git and told a shop over HTTP; its SQLite file is then written as SQL to
``tests/golden/database_SCHEMA.sql``. Kept for good: `test_database_of_the_release_before.py` brings
it up to date and puts it back.
"""

import argparse
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.proof.upgrade_shop import Shop, previous_release

GOLDEN = Path(__file__).parent / "golden"
LABELS, PRODUCTS = 8, 6


def make(revision: str) -> Path:
    """Make the file, and return it."""
    with tempfile.TemporaryDirectory(prefix="esl-old-") as name:
        folder = Path(name)
        with previous_release(revision, folder) as tree:
            shop = Shop(folder, LABELS, PRODUCTS)
            shop.broker.start()
            try:
                shop.start(tree)
                till = shop.fill()
                shop.hang_labels(tree)
                shop.settle()
                with shop.client(till) as http:
                    for n, price in enumerate(("1.29", "0.99", "12.50"), start=1):
                        body = {"sku": str(n), "price": price}
                        headers = {"Idempotency-Key": f"golden-{n}"}
                        path = "/api/v1/stores/main/price-changes"
                        http.post(path, json=body, headers=headers).raise_for_status()
                shop.settle()
                shop.stop()
                return _write(shop.data / "esl.db")
            finally:
                shop.close()


def _write(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        ((schema,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
        target = GOLDEN / f"database_{schema}.sql"
        target.write_text("\n".join([*database.iterdump(), ""]), encoding="utf-8")
    return target


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.old_database", description=__doc__)
    parser.add_argument("--from", dest="revision", required=True, help="the previous release")
    sys.stdout.write(f"{make(parser.parse_args().revision)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
