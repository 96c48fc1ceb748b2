"""``python -m tests.proof.upgrade --from REV --labels 500 --products 500 --json``: an upgrade.

The previous release is taken from git into a worktree of its own and run by this interpreter, with
a real mosquitto and simulated labels, while tills change prices over HTTP. It is stopped, this
tree is started on the same data folder (it makes its backup and migrates), and the tills go on all
the while: what was accepted must be there and right, and every label must show it. Then the way
back, as docs/backup.md says: ``esl restore --before-upgrade``, the previous release is started, and
what was accepted since is sent again: prices and labels must be right then, too. ``--database
postgresql`` does the same on a PostgreSQL of its own.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.proof.upgrade_shop import GATEWAYS, TREE, Shop, Sold, previous_release
from tests.services import Postgres

LOAD_S = 10.0
"""So long the tills sell before the stop, and again once the new version answers."""

MUST_BE_0 = (
    *("labels_wrong", "accepted_and_lost", "products_wrong"),
    *("back_labels_wrong", "back_products_wrong"),
)


def prove_upgrade(
    previous: Path, folder: Path, *, labels: int, products: int, on: Postgres | None = None
) -> dict[str, Any]:
    """Upgrade under load, compare, and go back; on PostgreSQL where that is given."""
    shop = Shop(folder, labels - labels % GATEWAYS, products, on=on)
    shop.broker.start()
    try:
        shop.start(previous)
        till = shop.fill()
        shop.hang_labels(previous)
        found: dict[str, Any] = {"labels": shop.labels, "products": products}
        found["filled_s"] = shop.settle()
        sold = Sold()
        found |= _upgrade_under_load(shop, till, sold)
        return found | _go_back(shop, previous, sold)
    finally:
        shop.close()


def _upgrade_under_load(shop: Shop, till: str, sold: Sold) -> dict[str, Any]:
    with shop.selling(till, sold):
        time.sleep(LOAD_S)
        before = len(sold.at)
        schema = shop.read("SELECT version_num FROM alembic_version")[0][0]
        shop.stop()
        start_s = shop.start(TREE)
        time.sleep(LOAD_S)
    settled_s = shop.settle()
    kept = {tuple(row) for row in shop.read("SELECT sku, price_minor FROM price_event")}
    return {
        "from_schema": schema,
        "to_schema": shop.read("SELECT version_num FROM alembic_version")[0][0],
        "accepted_before": before,
        "accepted": len(sold.accepted),
        "refused": sold.refused[:3],
        "accepted_and_lost": len(set(sold.accepted.values()) - kept),
        "products_wrong": _wrong_prices(shop, sold),
        "pause_s": round(max(b - a for a, b in zip(sold.at, sold.at[1:], strict=False)), 2),
        "start_s": round(start_s, 2),
        "settled_s": settled_s,
        "labels_wrong": shop.labels_wrong(),
    }


def _go_back(shop: Shop, previous: Path, sold: Sold) -> dict[str, Any]:
    """Go back as docs/backup.md says, and send again what was accepted since the upgrade."""
    shop.stop()
    since = shop.data.with_name("accepted-since.json")
    began_s = time.monotonic()
    shop.esl(TREE, "restore", "--before-upgrade", "--yes", "--list-since", since, *shop.where)
    restore_s = time.monotonic() - began_s
    start_s = shop.start(previous)
    prices_back = _wrong_prices(shop, sold)
    shop.esl(TREE, "restore", "--send-again", since, *shop.where)
    settled_s = shop.settle()
    return {
        "back_schema": shop.read("SELECT version_num FROM alembic_version")[0][0],
        "back_restore_s": round(restore_s, 2),
        "back_start_s": round(start_s, 2),
        "back_prices_to_send_again": prices_back,
        "back_settled_s": settled_s,
        "back_labels_wrong": shop.labels_wrong(),
        "back_products_wrong": _wrong_prices(shop, sold),
    }


def _wrong_prices(shop: Shop, sold: Sold) -> int:
    """Count the products that do not cost what the last accepted change says."""
    prices = dict(shop.read("SELECT sku, price_minor FROM price"))
    return sum(prices[sku] != minor for sku, minor in sold.last_prices().items())


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.upgrade", description=__doc__)
    parser.add_argument("--from", dest="revision", required=True, help="the previous release")
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="esl-upgrade-")))
        server = None
        if arguments.database == "postgresql":
            server = Postgres()
            stack.callback(server.discard)
            server.start()
        tree = stack.enter_context(previous_release(arguments.revision, folder))
        found = prove_upgrade(
            tree, folder, labels=arguments.labels, products=arguments.products, on=server
        )
    found = {"from": arguments.revision, "database": arguments.database} | found
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["refused"] or any(found[name] for name in MUST_BE_0) else 0


if __name__ == "__main__":
    sys.exit(main())
