"""``make bench-peer``: the same labels drawn here and by the best public renderer, in one run.

Blocks of both alternate, so that whatever else the machine does hits both alike; each side counts
the CPU of its own process. The other side runs in an environment of its own (odl-renderer,
epaper-dithering, py-opendisplay: ``tests/bench/peer_requirements.txt``).
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
                "bars": "".join("1" if bar else "0" for bar in symbol.modules[0]),
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
    ours: dict[str, list[float]] = {"cold": [], "warm": []}
    theirs: dict[str, list[float]] = {stage: [] for stage in _STAGES}
    blocks = [("cold", block) for block in run.cold_blocks()]
    blocks += [("warm", block) for block in run.warm_blocks()]
    for number, (kind, block) in enumerate(blocks):
        stage = _STAGES[number % 2]
        start = WARM_UP + number * labels
        part = peer_labels(products[start : start + labels], start)
        theirs[stage].append(peer.rate(stage, panel, part))
        ours[kind].append(block())
    run.check_distinct()
    cold, warm = (statistics.median(ours[kind]) for kind in ("cold", "warm"))
    core, pack = (statistics.median(theirs[stage]) for stage in _STAGES)
    return {
        "bench": "peer",
        "panel": panel.panel_id,
        "cold_labels_per_s": round(cold),
        "warm_labels_per_s": round(warm),
        "peer_core_labels_per_s": round(core, 1),
        "peer_pack_labels_per_s": round(pack, 1),
        "cold_ratio": round(cold / pack, 1),
        "warm_ratio": round(warm / pack, 1),
        "cold_ratio_core": round(cold / core, 1),
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
    least = WARM_UP + arguments.labels * 3 * BLOCKS
    products, _ = find_products(max(WARM_UP + arguments.products, least), None)
    peer = Peer(arguments.peer_python)
    for name in arguments.panel:
        json.dump(compare(peer, panels.named(name), products, arguments.labels), sys.stdout)
        print(flush=True)
    peer.close()


if __name__ == "__main__":
    main()
