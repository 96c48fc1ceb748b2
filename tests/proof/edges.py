"""``python -m tests.proof.edges --edges 100000 --json``: no edge is missed, doubled or undone.

Promotions of stores around the world over years, against brute force: `edge_shop`, `edge_oracle`.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from tests.proof.edge_shop import ZONES, EdgeShop

SLOTS = 2
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a disk is not what is tested


def prove_edges(edges: int, seed: int, *, slots: int = SLOTS) -> dict[str, Any]:
    """Let so many edges come, and say what was found."""
    began_s = time.perf_counter()
    where = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="esl-edges-", dir=where) as folder:
        shop = EdgeShop(Path(folder), seed, slots=slots)
        try:
            tally = shop.run(edges)
        finally:
            shop.close()
    return {
        "edges": tally.edges,
        "price_events": tally.events,
        "promotions": tally.promotions,
        "zones": len(ZONES),
        "simulated_until": tally.until.isoformat(timespec="minutes"),
        "looks": tally.looks,
        "faults": dict(sorted(tally.faults.items())),
        "violations": len(tally.violations),
        "first": tally.violations[:5],
        "seed": seed,
        "took_s": round(time.perf_counter() - began_s, 1),
    }


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.edges", description=__doc__)
    parser.add_argument("--edges", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = prove_edges(arguments.edges, arguments.seed)
    sys.stdout.write(json.dumps(found, indent=None if arguments.json else 2) + "\n")
    return 1 if found["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
