"""``esl bench pipeline``: one size of shop, measured."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.bench import naive_road
from api.bench.pipeline import PipelineShop, RoundFigures
from api.bench.products import find_products, invent_products
from api.bench.rendering import make_naive_label

_IDLE_S = 10.0
_NAIVE_LABELS = 2000
_NAIVE_LONGEST_S = 5.0


def measure_pipeline(
    labels: int,
    *,
    gateways: int,
    thin: bool,
    naive: bool,
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Measure new products, then new prices; return what `esl bench pipeline --json` prints.

    Rates are labels a second, times microseconds of the controller's CPU a label, memory MB.
    """
    products, real = find_products(labels, None)
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as name:
        folder = Path(name)
        progress(f"a shop of {labels:,} labels and {gateways} gateways opens")
        with PipelineShop(folder, products, gateways=gateways, thin=thin) as shop:
            progress("every label gets a product")
            cold = shop.pair_all()
            progress("every product gets another price")
            warm = shop.change_all()
            progress("nothing changes")
            idle = shop.idle_cpu_share(_IDLE_S)
            peak_mb = shop.peak_rss_mb()
            restart_s = shop.restart_s() if thin else None
            straight = run_naive_road(shop, folder).labels_per_s if naive else None
    figures: dict[str, Any] = {
        "labels": labels,
        "gateways": gateways,
        "gateway": "thin" if thin else "full",
        "cold_labels_per_s": round(cold.labels_per_s),
        "labels_per_s": round(warm.labels_per_s),
        "cold_cpu_us": round(cold.cpu_us),
        "cpu_us": round(warm.cpu_us),
        "cold_cpu_us_per_label": cold.stages_us,
        "cpu_us_per_label": warm.stages_us,
        **(_bytes(cold, warm) if thin else {}),
        "peak_rss_mb": round(peak_mb),
        "idle_cpu_share": round(idle, 4),
        "names": "real" if real else "invented",
    }
    if restart_s is not None:
        figures["restart_s"] = round(restart_s, 2)
    if straight is not None:
        figures |= {
            "naive_labels_per_s": round(straight, 1),
            "cold_naive_ratio": round(cold.labels_per_s / straight, 1),
            "naive_ratio": round(warm.labels_per_s / straight, 1),
        }
    return figures


def _bytes(cold: RoundFigures, warm: RoundFigures) -> dict[str, Any]:
    pictures, whole = warm.bytes_each("picture_bytes"), cold.bytes_each("picture_bytes")
    return {
        "cold_bytes_per_label": round(whole),
        "bytes_per_label": round(pictures),
        "bytes_share": round(pictures / whole, 3),
        "envelope_bytes_per_label": round(warm.bytes_each("envelope_bytes")),
    }


def run_naive_road(shop: PipelineShop, folder: Path) -> naive_road.NaiveRun:
    """Change prices the straightforward way for five seconds, over the same broker."""
    labels = [
        make_naive_label(product, number)
        for number, product in enumerate(invent_products(_NAIVE_LABELS, 1))
    ]
    return naive_road.run(labels, shop.broker, folder, longest_s=_NAIVE_LONGEST_S)
