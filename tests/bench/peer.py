"""``make bench-peer``: the same labels drawn here and by the best public renderer, in one run.

Blocks of both alternate, and each of ours is divided by the one of theirs that follows at once, so
that whatever else the machine does hits both alike; the median of these ratios is printed. Each
side counts the CPU of its own process. The other side runs in an environment of its own
(odl-renderer, epaper-dithering, py-opendisplay: ``tests/bench/peer_requirements.txt``).
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from api.bench.products import BenchProduct, find_products
from api.bench.rendering import BLOCKS, WARM_UP, RenderRun, make_naive_label
from esl.domain.money import percent_off
from esl.domain.panel import Panel
from esl.domain.panel_file import load_panels
from renderer.codes.symbols import symbol_of
from renderer.template.gallery import load_gallery

_DRIVER = Path(__file__).with_name("peer_driver.py")
_STAGES = ("core", "pack")

PAIRS = 10
"""Blocks of new products, each beside one of the peer's."""


class Peer:
    """The other renderer in a process of its own."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(_DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions = self._hear()

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def rate(self, stage: str, panel: Panel, labels: list[dict[str, str]]) -> float:
        """Return how many labels it draws in a second of CPU."""
        assert self._process.stdin is not None
        told = {"stage": stage, "size": [panel.width_px, panel.height_px], "labels": labels}
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        return float(self._hear()["labels_per_cpu_s"])

    def _hear(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the peer has ended; its own words are above")
        return json.loads(line)


def address(gtin: str) -> str:
    """Make an address of 40 characters, the same for both sides."""
    return f"https://shop.example.com/p/{gtin}"


def peer_labels(products: Sequence[BenchProduct], start: int) -> list[dict[str, str]]:
    """Say what the other side needs; its bars are made here, for it has none."""
    labels = []
    for number, product in enumerate(products, start):
        label = make_naive_label(product, number)
        symbol = symbol_of(product.gtin, "ean-13")
        assert symbol is not None
        labels.append(
            {
                "name": label.name,
                "badge": label.badge,
                "percent": f"-{percent_off(label.was_minor, label.price_minor)} %",
                "price": f"{label.price_minor / 100:.2f}",
                "was": f"{label.was_minor / 100:.2f}",
                "unit_price": label.unit_price,
                "link": address(label.gtin),
                "bars": "".join("1" if bar else "0" for bar in symbol.modules.dark()[0]),
            }
        )
    return labels


def compare(peer: Peer, panel: Panel, products: Sequence[BenchProduct], labels: int) -> dict:
    """Alternate blocks of both sides on one panel."""
    run = RenderRun(
        panel=panel, template=load_gallery()["promotion"], products=products, link=address
    )
    run.warm_up()
    for stage in _STAGES:
        peer.rate(stage, panel, peer_labels(products[:10], 0))
    pairs: dict[str, list[tuple[float, float, float]]] = {"cold": [], "warm": []}
    start = WARM_UP
    for kind, blocks in (("cold", run.cold_blocks(PAIRS)), ("warm", run.warm_blocks())):
        for block in blocks:
            part = peer_labels(products[start : start + labels], start)
            start += labels
            core, ours, pack = (
                peer.rate("core", panel, part),
                block(),
                peer.rate("pack", panel, part),
            )
            pairs[kind].append((ours, core, pack))
    run.check_distinct()
    cold, warm = pairs["cold"], pairs["warm"]
    return {
        "bench": "peer",
        "panel": panel.panel_id,
        "cold_labels_per_s": round(statistics.median(ours for ours, _, _ in cold)),
        "warm_labels_per_s": round(statistics.median(ours for ours, _, _ in warm)),
        "peer_core_labels_per_s": round(statistics.median(core for _, core, _ in cold + warm), 1),
        "peer_pack_labels_per_s": round(statistics.median(pack for _, _, pack in cold + warm), 1),
        "cold_ratio": round(statistics.median(ours / pack for ours, _, pack in cold), 1),
        "warm_ratio": round(statistics.median(ours / pack for ours, _, pack in warm), 1),
        "cold_ratio_core": round(statistics.median(ours / core for ours, core, _ in cold), 1),
        "peer": peer.versions,
    }


def main() -> None:
    """Compare on the panels named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True, help="interpreter that has odl-renderer")
    parser.add_argument("--panel", nargs="*", default=["bwry-296x128", "bwry-400x300"])
    parser.add_argument("--products", type=int, default=5200)
    parser.add_argument("--labels", type=int, default=60, help="labels in a block of the peer's")
    arguments = parser.parse_args()
    panels = load_panels()
    least = WARM_UP + arguments.labels * (PAIRS + 3 * BLOCKS)
    products, _ = find_products(max(WARM_UP + arguments.products, least), None)
    peer = Peer(arguments.peer_python)
    for name in arguments.panel:
        json.dump(compare(peer, panels.named(name), products, arguments.labels), sys.stdout)
        print(flush=True)
    peer.close()


if __name__ == "__main__":
    main()
